// Records the audit's two sides on a running router: tcpdump at the WAN, devices' packets from tcpdump or the service.
import { spawn } from 'node:child_process';
import type { ActivitySample } from '../../core/analysis/audit-activity.ts';
import { type CapturedPacket, readPackets } from '../capture/reader.ts';
import { HomeCapture, TunnelCapture, type TunnelTrace } from './audit-capture.ts';

/** Enough for link, IP, UDP headers and OpenVPN's first byte; nobody's content is read. */
const SNAP_BYTES = 96;

export interface CaptureSource {
  netdev: string;
  /** A pcap filter, one argument. */
  filter: string;
}

export interface RecordOptions {
  /** Netdev of the WAN. */
  wan: string;
  /** UDP port of the tunnel at the endpoint. */
  port: number;
  /** Netdevs behind which devices are, each captured by itself; or what the service tells of its devices. */
  activity: { lan: readonly string[]; devices?: readonly string[] } | AsyncIterable<ActivitySample>;
  seconds: number;
  /** Called about once a second with the seconds passed. */
  onProgress?: (seconds: number) => void;
  /** Ends the recording early; what was recorded so far is returned. */
  signal?: AbortSignal;
}

export interface Recording {
  tunnel: TunnelTrace;
  activity: ActivitySample[];
  /** Packets the kernel could not hand over: gaps that are the recording's, not the wire's. */
  dropped: number;
}

/** A capture that could not be taken, in words for the user. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/** Arguments of tcpdump: headers only, nanoseconds, unbuffered, pcap to its standard output. */
export function tcpdumpArgv({ netdev, filter }: CaptureSource): string[] {
  return [
    ...['tcpdump', '-i', netdev, '-n', '-p', '-U', '-s', String(SNAP_BYTES), '-w', '-'],
    ...['--immediate-mode', '--time-stamp-precision=nano', filter],
  ];
}

/**
 * Records both sides for so many seconds, with the one clock of this machine's kernel.
 * @throws RecordingError where tcpdump is missing, may not capture, or sees no tunnel
 */
export async function recordLive(options: RecordOptions): Promise<Recording> {
  const { wan, port, seconds, onProgress } = options;
  const ending = new AbortController();
  const end = () => ending.abort();
  options.signal?.addEventListener('abort', end);
  const startedMs = performance.now();
  const timer = setTimeout(end, seconds * 1000);
  const ticker = setInterval(() => onProgress?.((performance.now() - startedMs) / 1000), 1000);
  const wire = new TunnelCapture();
  const captures = [
    capture({ netdev: wan, filter: `udp port ${port}` }, ending.signal, (packet) =>
      wire.add(packet),
    ),
  ];
  let activity: () => ActivitySample[];
  if ('lan' in options.activity) {
    const home = new HomeCapture(options.activity.devices);
    activity = () => home.activity();
    for (const netdev of options.activity.lan) {
      captures.push(
        capture({ netdev, filter: 'ip or ip6' }, ending.signal, (packet) => home.add(packet)),
      );
    }
  } else {
    const samples: ActivitySample[] = [];
    activity = () => samples;
    captures.push(gather(options.activity, samples, ending.signal));
  }
  try {
    // One side that fails ends the other.
    for (const one of captures) one.catch(end);
    const dropped = (await Promise.all(captures)).reduce((sum, n) => sum + n, 0);
    const tunnel = wire.tunnel({ port });
    if (tunnel === null) throw new RecordingError(`${wan}: no packet of UDP port ${port} went by`);
    return { tunnel, activity: activity(), dropped };
  } finally {
    clearTimeout(timer);
    clearInterval(ticker);
    options.signal?.removeEventListener('abort', end);
    end();
    await Promise.allSettled(captures);
  }
}

/** Runs one tcpdump until the signal; resolves with the packets it lost. */
async function capture(
  source: CaptureSource,
  signal: AbortSignal,
  onPacket: (packet: CapturedPacket) => void,
): Promise<number> {
  const argv = tcpdumpArgv(source);
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.on('close', () => resolve());
    child.on('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'is not installed' : error.message;
      reject(new RecordingError(`tcpdump ${reason}: install it (opkg install tcpdump-mini)`));
    });
  });
  closed.catch(() => {});
  const stop = () => child.kill('SIGINT');
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  let packets = 0;
  try {
    for await (const packet of readPackets(child.stdout, `tcpdump on ${source.netdev}`)) {
      packets++;
      onPacket(packet);
    }
  } catch (error) {
    await closed;
    // Stopped in the middle of a record, or before the first: what was read is good.
    if (!signal.aborted || packets === 0) {
      const reason = said.trim().split('\n').at(-1) || (error as Error).message;
      if (!signal.aborted) throw new RecordingError(`${source.netdev}: ${reason}`);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    child.kill('SIGINT');
  }
  await closed;
  if (!signal.aborted)
    throw new RecordingError(`${source.netdev}: tcpdump ended: ${said.trim().split('\n').at(-1)}`);
  return Number(said.match(/(\d+) packets? dropped by kernel/)?.[1] ?? 0);
}

async function gather(
  source: AsyncIterable<ActivitySample>,
  samples: ActivitySample[],
  signal: AbortSignal,
): Promise<number> {
  const iterator = source[Symbol.asyncIterator]();
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next === null || next.done) break;
    samples.push(next.value);
  }
  void iterator.return?.();
  return 0;
}
