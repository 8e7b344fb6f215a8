// Captures a netdev of the lab with tcpdump and says how many packets the kernel could not hand over.
import { readFile } from 'node:fs/promises';
import type { Cleanup } from './cleanup.ts';
import { type LabProcess, startProcess } from './processes.ts';
import { waitUntil } from './wait.ts';

/** Enough of a packet for its headers and a DNS answer. */
const HEADER_BYTES = 256;

export interface CaptureOptions {
  netns: string;
  netdev: string;
  path: string;
  logPath: string;
  /** Bytes kept of each packet; headers alone where left out. */
  snapBytes?: number;
  /** Only what leaves by the netdev. */
  outgoing?: boolean;
  /** What to keep, in tcpdump's language. */
  filter?: string;
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

/** Starts tcpdump; resolves when it listens. Times in nanoseconds. */
export async function startCapture(options: CaptureOptions): Promise<Capture> {
  const { netns, netdev, path, logPath, signal, cleanup } = options;
  const { snapBytes = HEADER_BYTES, outgoing = false, filter } = options;
  const child = await startProcess({
    argv: [
      ...['tcpdump', '-i', netdev, '-w', path, '-s', String(snapBytes), '-U', '-n'],
      ...['-Z', 'root', '-B', '16384', '--immediate-mode', '--time-stamp-precision=nano'],
      ...(outgoing ? ['-Q', 'out'] : []),
      ...(filter === undefined ? [] : [filter]),
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
