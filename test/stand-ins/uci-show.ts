// What `uci show NAME` prints of a package.
import type { UciPackage } from '../../src/core/config/uci/uci.ts';
import { encodeText } from '../../src/core/config/uci/uci-text.ts';
import { nameSections } from '../../src/core/config/uci/uci-writer.ts';

/** Empty for a package without sections. */
export function renderUciShow(pkg: UciPackage): Buffer {
  let text = '';
  for (const [section, name] of nameSections(pkg)) {
    text += `${pkg.name}.${name}=${section.type}\n`;
    for (const [option, value] of section.options) {
      const values = typeof value === 'string' ? quote(value) : value.map(quote).join(' ');
      text += `${pkg.name}.${name}.${option}=${values}\n`;
    }
  }
  return Buffer.from(encodeText(text));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
