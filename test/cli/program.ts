// The program as a person calls it, in the test's own process or in one of its own: what it prints, and how it ends.
import { spawn } from 'node:child_process';
import { tellFailures } from '../../src/shell/cli/failure.ts';
import { runCli } from '../../src/shell/cli/program.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/**
 * This machine without a netdev of the program's: tests that look through the whole machine, as an endpoint's do, make one for
 * moments, and a configuration would be refused for it.
 */
const system: typeof nodeSystem = {
  ...nodeSystem,
  files: {
    ...nodeSystem.files,
    readText: (path) =>
      path.startsWith('/sys/class/net/iot0/')
        ? Promise.reject(Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' }))
        : nodeSystem.files.readText(path),
  },
};

/** Runs `iotshaper` with these words, without the start of a process, which takes longer than most commands. */
export async function iotshaper(...words: string[]): Promise<Ended> {
  const console = new CapturedConsole(...words);
  const context = { system, console };
  await tellFailures(context, () => runCli(context));
  return { status: console.status ?? 0, stdout: console.out, stderr: console.err };
}

/** Runs the built program with these words. */
export function startIotshaper(...words: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['dist/iotshaper.js', ...words], {
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
