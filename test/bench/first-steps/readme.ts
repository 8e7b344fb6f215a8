// README's lines as a new user types them, in their order.
import { readFileSync } from 'node:fs';

/** A line, without its remark; `remark` is that, which may say where it does not apply. */
export interface Line {
  command: string;
  remark: string;
}

/** Lines of the indented blocks below a heading that starts with `from`, up to the paragraph that starts with `to`. */
export function linesOf(path: string, from: string, to: string): Line[] {
  const text = readFileSync(path, 'utf8');
  const start = text.indexOf(`\n${from}`);
  const end = text.indexOf(`\n${to}`, start + 1);
  if (start < 0 || end < 0) throw new Error(`${path}: nothing between "${from}" and "${to}"`);
  return text
    .slice(start, end)
    .split('\n')
    .filter((line) => /^\s{4,}\S/.test(line))
    .map((line) => {
      const [, command = '', remark = ''] = /^\s+(.*?)(?:\s{2,}# (.*))?$/.exec(line)!;
      return { command, remark };
    });
}
