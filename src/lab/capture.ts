// Captures a netdev of the lab with tcpdump and says how many packets the kernel could not hand over.
import { readFile } from 'node:fs/promises';
import type { Cleanup } from './cleanup.ts';
import { type LabProcess, startProcess } from './processes.ts';
import { waitUntil } from './wait.ts';

export interface CaptureOptions {
  netns: string;
  netdev: string;
  path: string;
  logPath: string;
  signal: AbortSignal;
  cleanup: Cleanup;
}

/** A capture under way. */
export class Capture {
  readonly #process: LabProcess;

  constructor(process: LabProcess) {
    this.#process = process;
  }

  /** Ends it. @returns packets the kernel dropped before they could be written */
  async stop(): Promise<number> {
    await this.#process.stop();
    const said = await readFile(this.#process.logPath, 'utf8');
    return Number(said.match(/(\d+) packets? dropped by kernel/)?.[1] ?? 0);
  }
}

/** Starts tcpdump; resolves when it listens. Headers only, times in nanoseconds. */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { netns, netdev, path, logPath, signal, cleanup } = options;
  const child = await startProcess({
    argv: [
      ...[
        'tcpdump',
        '-i',
        netdev,
        '-w',
        path,
        '-s',
        '256',
        '-U',
        '-n',
        '-Z',
        'root',
        '-B',
        '16384',
      ],
      ...['--immediate-mode', '--time-stamp-precision=nano'],
    ],
    netns,
    core: 'emulation',
    logPath,
  });
  cleanup.add(() => child.stop());
  await waitUntil({
    what: `tcpdump to listen on ${netdev}`,
    timeoutMs: 10_000,
    everyMs: 50,
    signal,
    process: child,
    check: async () => (await readFile(logPath, 'utf8')).includes('listening on'),
  });
  return new Capture(child);
}
