// The compiled program as a person runs it: what it prints, and how it ends.
import { spawn } from 'node:child_process';

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `iotshaper` with these words. */
export function iotshaper(...words: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['build/src/main.js', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended: Ended = { status: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      ended.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      ended.stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ ...ended, status }));
  });
}

/** Whether a text shows a person where in the program something went wrong. */
export function hasStackTrace(text: string): boolean {
  return /^\s+at .+:\d+:\d+\)?$|node:internal|\.js:\d+/m.test(text);
}
