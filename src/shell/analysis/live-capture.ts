// Records the audit's two sides on a running router: tcpdump at the WAN, devices' packets from tcpdump or the service.
import type { ActivitySample } from '../../core/analysis/audit-activity.ts';
import type { CapturedPacket } from '../../core/capture/packet.ts';
import { PacketReader } from '../../core/capture/packet-reader.ts';
import type { System } from '../system/system.ts';
import { HomeCapture, TunnelCapture, type TunnelTrace } from './audit-capture.ts';

/** Enough for link, IP, UDP headers and OpenVPN's first byte; nobody's content is read. */
const SNAP_BYTES = 96;
/** How much of what tcpdump says is kept: its last words count. */
const LONGEST_COMPLAINT = 4096;

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
export async function recordLive(system: System, options: RecordOptions): Promise<Recording> {
  const { clock, timers } = system;
  const { wan, port, seconds, onProgress } = options;
  const ending = new AbortController();
  const end = () => ending.abort();
  options.signal?.addEventListener('abort', end);
  const startedMs = clock.monotonicMs();
  const cancelEnd = timers.after(seconds * 1000, end);
  const cancelProgress = timers.every(1000, () =>
    onProgress?.((clock.monotonicMs() - startedMs) / 1000),
  );
  const wire = new TunnelCapture();
  const captures = [
    capture(system, { netdev: wan, filter: `udp port ${port}` }, ending.signal, (packet) =>
      wire.add(packet),
    ),
  ];
  let activity: () => ActivitySample[];
  if ('lan' in options.activity) {
    const home = new HomeCapture(options.activity.devices);
    activity = () => home.activity();
    for (const netdev of options.activity.lan) {
      captures.push(
        capture(system, { netdev, filter: 'ip or ip6' }, ending.signal, (packet) =>
          home.add(packet),
        ),
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
    cancelEnd();
    cancelProgress();
    options.signal?.removeEventListener('abort', end);
    end();
    await Promise.allSettled(captures);
  }
}

/** Runs one tcpdump until the signal; resolves with the packets it lost. */
function capture(
  { processes }: Pick<System, 'processes'>,
  source: CaptureSource,
  signal: AbortSignal,
  onPacket: (packet: CapturedPacket) => void,
): Promise<number> {
  const { netdev } = source;
  const reader = new PacketReader(`tcpdump on ${netdev}`);
  const decoder = new TextDecoder();
  let said = '';
  let damage: string | null = null;
  let stop = (): void => {};
  const lastSaid = (): string => said.trim().split('\n').at(-1) ?? '';
  /** Hands packets over; tells what is wrong with the one behind them, or null. */
  const take = (packets: Iterable<CapturedPacket>): string | null => {
    try {
      for (const packet of packets) onPacket(packet);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  };
  return new Promise<number>((resolve, reject) => {
    const child = processes.spawn(tcpdumpArgv(source), {
      onOutput: (piece) => {
        damage ??= take(reader.push(piece));
        if (damage !== null) stop();
      },
      onErrorOutput: (piece) => {
        said = (said + decoder.decode(piece, { stream: true })).slice(-LONGEST_COMPLAINT);
      },
      onExit: ({ failure }) => {
        const cut = take(reader.end());
        // Stopped in the middle of a record, or before the first: what was read is good.
        if (failure !== null) reject(notStarted(failure));
        else if (signal.aborted) resolve(droppedIn(said));
        else {
          const reason = cut === null ? `tcpdump ended: ${lastSaid()}` : lastSaid() || cut;
          reject(new RecordingError(`${netdev}: ${damage ?? reason}`));
        }
      },
    });
    child.endInput();
    stop = () => child.kill('SIGINT');
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  }).finally(() => signal.removeEventListener('abort', stop));
}

function notStarted(failure: string): RecordingError {
  const reason = failure.includes('ENOENT') ? 'is not installed' : failure;
  return new RecordingError(`tcpdump ${reason}: install it (opkg install tcpdump-mini)`);
}

/** Packets that tcpdump says the kernel lost. */
function droppedIn(said: string): number {
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
