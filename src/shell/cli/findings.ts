// What a doctor prints: each finding in words, one a line, or as JSON.
import type { Notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Context } from './context.ts';

export interface FindingsForm {
  json: boolean | undefined;
  /** Said where nothing was found. */
  nothing: string;
  /** What JSON has besides. */
  more?: object;
}

/** Prints what was found, or that nothing was; exit status 1 where something was. */
export function printFindings(
  console: Context['console'],
  findings: readonly Notice[],
  { json, nothing, more = {} }: FindingsForm,
): void {
  const ok = findings.length === 0;
  if (json) {
    const told = findings.map((one) => ({ message: wordsOf(one), ...one }));
    console.write(`${JSON.stringify({ ok, findings: told, ...more }, null, 2)}\n`);
  } else if (ok) console.write(`${nothing}\n`);
  else for (const one of findings) console.write(`${wordsOf(one)}\n`);
  console.setExitStatus(ok ? 0 : 1);
}
