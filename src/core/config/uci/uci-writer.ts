// Writes UCI packages exactly as uci itself does.
import type { UciPackage, UciSection } from './uci.ts';
import { encodeText } from './uci-text.ts';

/** Inside single quotes only the quote itself needs care (libuci: `uci_escape`). */
function escapeQuotes(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function quote(text: string): string {
  return `'${escapeQuotes(text)}'`;
}

function renderSection(section: UciSection): string {
  const name = section.anonymous ? '' : ` ${quote(section.name)}`;
  let text = `\nconfig ${escapeQuotes(section.type)}${name}\n`;
  for (const [option, value] of section.options) {
    if (typeof value === 'string') text += `\toption ${option} ${quote(value)}\n`;
    else for (const item of value) text += `\tlist ${option} ${quote(item)}\n`;
  }
  return text;
}

/**
 * The package as `uci export NAME` prints it. Bytes, because a value need not be UTF-8: write
 * them as they are.
 */
export function renderUciExport(pkg: UciPackage): Buffer {
  const sections = pkg.sections.map(renderSection).join('');
  return Buffer.from(encodeText(`package ${escapeQuotes(pkg.name)}\n${sections}\n`));
}

/** The package as `uci commit` writes it to /etc/config. */
export function renderUciFile(pkg: UciPackage): Buffer {
  return Buffer.from(encodeText(`${pkg.sections.map(renderSection).join('')}\n`));
}

/**
 * Every section under the name `uci show` gives it: its own, or `@TYPE[N]`, where N counts all
 * sections of the type.
 */
export function nameSections(pkg: UciPackage): Map<UciSection, string> {
  const counts = new Map<string, number>();
  const names = new Map<UciSection, string>();
  for (const section of pkg.sections) {
    const index = counts.get(section.type) ?? 0;
    counts.set(section.type, index + 1);
    names.set(section, section.anonymous ? `@${section.type}[${index}]` : section.name);
  }
  return names;
}
