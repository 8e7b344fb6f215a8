// How the documentation shows the option table.
import { wordsOf } from '../../notices/words.ts';
import type { SectionSpec } from './option-table.ts';

/** The table in Markdown, a heading and a table for each section type. */
export function renderOptionTable(sections: readonly SectionSpec[]): string {
  const code = (text: string) => (text === '' ? '' : `\`${text}\``);
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const blocks = sections.map(({ type, name, hint, options }) => {
    const rows = options.map((option) => {
      const fallback = option.required ? '*required*' : code(option.default);
      const { allowed: rule } = option.kind;
      const allowed = typeof rule === 'string' ? rule : wordsOf(rule);
      const written = code(`${option.list ? 'list' : 'option'} ${option.name}`);
      return `| ${[written, fallback, allowed, option.hint].map(cell).join(' | ')} |`;
    });
    const heading = `### \`config ${type}${name === null ? '' : ` '${name}'`}\``;
    const head = '| Option | Default | Allowed | Meaning |\n|---|---|---|---|';
    return `${heading}\n\n${hint}\n\n${head}\n${rows.join('\n')}\n`;
  });
  return blocks.join('\n');
}
