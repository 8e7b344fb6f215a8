// Waits for something to become true, no longer than it may take, and says why when it does not.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from '../error.ts';
import type { LabProcess } from './processes.ts';

export interface WaitOptions {
  /** Completes "waited … ms for". */
  what: string;
  timeoutMs: number;
  everyMs: number;
  signal: AbortSignal;
  /** Whose end makes waiting vain; the end of its log goes into the error. */
  process: LabProcess;
  check: () => Promise<boolean>;
}

/**
 * @throws {LabError} with the last lines of the process's log, when time runs out or the process ends
 * @throws the signal's reason
 */
export async function waitUntil(options: WaitOptions): Promise<void> {
  const { what, timeoutMs, everyMs, signal, process, check } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (await check()) return;
    if (process.isEnded)
      throw new LabError(`${await process.ended}\n${await tail(process.logPath)}`);
    if (performance.now() > deadline) {
      throw new LabError(
        `waited ${timeoutMs / 1000} s in vain for ${what}; the end of ${process.logPath}:\n${await tail(process.logPath)}`,
      );
    }
    await delay(everyMs, undefined, { signal });
  }
}

/** The last lines of a log, indented. */
async function tail(path: string, lines = 15): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join('\n');
}
