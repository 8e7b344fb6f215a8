// The configuration as the page's browser has it: as JSON, the shape rpcd answers with, and back.
import type { UciPackage, UciSection } from '../config/uci/uci.ts';
import { isUciName, isUciType } from '../config/uci/uci-names.ts';

const MOST_SECTIONS = 2000;

type JsonSection = Record<string, string | string[] | boolean | number>;

/** As `uci get` of rpcd has it: section by name, with four words of its own among the options. */
export function renderSections({ sections }: UciPackage): Record<string, JsonSection> {
  return Object.fromEntries(
    sections.map(({ name, type, anonymous, options }, index) => [
      name,
      {
        '.anonymous': anonymous,
        '.type': type,
        '.name': name,
        '.index': index,
        ...Object.fromEntries(options),
      },
    ]),
  );
}

/** The sections in their order, as the page sends them; null for what is no such thing. */
export function readSections(value: unknown): UciSection[] | null {
  if (!Array.isArray(value) || value.length > MOST_SECTIONS) return null;
  const sections = value.map(readSection);
  return sections.every((section) => section !== null) ? sections : null;
}

function readSection(value: unknown): UciSection | null {
  if (typeof value !== 'object' || value === null) return null;
  const { '.name': name, '.type': type, '.anonymous': anonymous, ...others } = value as JsonSection;
  const isNamed = typeof name === 'string' && isUciName(name);
  if (typeof type !== 'string' || !isUciType(type) || !(anonymous === true || isNamed)) return null;
  const options = new Map<string, string | string[]>();
  for (const [option, text] of Object.entries(others)) {
    if (option.startsWith('.')) continue;
    if (!isUciName(option)) return null;
    const isText = typeof text === 'string';
    if (!isText && !(Array.isArray(text) && text.every((one) => typeof one === 'string'))) {
      return null;
    }
    if (text.length > 0) options.set(option, text);
  }
  return { type, name: isNamed ? name : '', anonymous: anonymous === true, options };
}
