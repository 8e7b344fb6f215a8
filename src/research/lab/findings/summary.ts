// Condenses a lab run into figures: sizes, rates, intervals, leaks, delays, processor time. Pure.
import {
  type KolmogorovSmirnov,
  kolmogorovSmirnov,
} from '../../../core/analysis/statistics/kolmogorov-smirnov.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../../core/cost/cost.ts';
import type { LabOptions } from '../options.ts';
import type { Load } from '../traffic/loads.ts';
import type { Delay } from '../traffic/traffic-log.ts';
import { drawTurns, type Turns } from '../traffic/turns.ts';
import type { HomePacket, ProviderView, WirePacket } from './observation.ts';
import { type ComparedStretches, compareStretches } from './stretches.ts';

export interface IntervalStatistics {
  n: number;
  meanMs: number;
  sdMs: number;
}

export interface DirectionSummary {
  /** Packets by length of the IP packet, `{"564": 4680}`: of the tunnel's data channel where there is a tunnel. */
  sizes: Record<string, number>;
  /** The same of the tunnel's handshake and key changes. */
  controlSizes: Record<string, number>;
  pps: number;
  /** As on the provider's line, KB/s. */
  wireKBps: number;
  /** Asked and got on the tunnel interface; null where no rate is kept. */
  asked: { pps: number | null; kBps: number } | null;
  /** Got against asked, percent off. */
  offPercent: number | null;
  /** Datagrams the provider dropped on purpose. */
  droppedByProvider: number;
  /** Of an alternating run. */
  alternating: ComparedStretches | null;
  intervals: {
    all: IntervalStatistics;
    idle: IntervalStatistics;
    active: IntervalStatistics;
    /** Whether the idle intervals and the active ones can be told apart; null where one kind is missing. */
    idleAgainstActive: KolmogorovSmirnov | null;
  };
}

export interface LatencySummary {
  sent: number;
  lost: number;
  meanMs: number | null;
  p50Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
}

export interface LabSummary {
  variant: LabOptions['variant'];
  seed: number;
  /** Unix seconds: the stretch all figures are about. */
  startS: number;
  seconds: number;
  rateKBps: number;
  packetBytes: number;
  intervalSdPercent: number;
  replay: { capture: string; device: string; offsetS: number; packets: number } | null;
  alternateS: number | null;
  /** Of an alternating run, which stretches were active; null, and absent in what older versions left, where there are no turns. */
  turns?: Turns | null;
  /** What the devices did, and whether another program had the router's core meanwhile. */
  load?: Load;
  busyRouter?: boolean;
  /** Which emulated devices talked; null: all. */
  deviceIds: readonly string[] | null;
  dropPercent: number;
  tunnelPort: number | null;
  up: DirectionSummary;
  down: DirectionSummary;
  dnsNamesInClear: Record<string, number>;
  /** Packets that are not the tunnel's; null without a tunnel, when all are. */
  outsideTunnel: { packets: number; what: Record<string, number> } | null;
  devices: { packets: number; bytes: number; activeShare: number };
  latency: {
    up: LatencySummary;
    down: LatencySummary;
    byDevice: Record<string, { up: LatencySummary; down: LatencySummary }>;
  };
  /** Percent of one core. */
  cpuPercent: { home: number; endpoint: number } | null;
  /** Packets that the tunnel's netdev dropped at either end, of which there must be none; null without shaping. */
  txDropped?: { home: number; endpoint: number } | null;
  /** Packets the captures missed; figures are short by so many. */
  captureDrops: number;
  faults: string[];
  versions: Record<string, string>;
  /** What the service said of itself at the end. */
  service: unknown;
}

export interface SummaryInput {
  options: LabOptions;
  startS: number;
  provider: ProviderView;
  home: HomePacket[];
  delays: Delay[];
  tunnelPort: number | null;
  expected: { pps: number | null; kBps: number } | null;
  droppedByProvider: { up: number; down: number };
  replay: LabSummary['replay'];
  cpuPercent: LabSummary['cpuPercent'];
  txDropped?: LabSummary['txDropped'];
  captureDrops: number;
  faults: string[];
  versions: Record<string, string>;
  service: unknown;
}

/** Stretches of so long are active when a device's packet lies in them or in the stretch before. */
const binS = 0.2;

/** Figures of a run, over its `seconds` from `startS` on: what came before and after is left out. */
export function summarise(input: SummaryInput): LabSummary {
  const { options, startS, provider } = input;
  const endS = startS + options.seconds;
  const within = ({ timeS }: { timeS: number }) => timeS >= startS && timeS < endS;
  const home = input.home.filter(within);
  const active = activeBins(home, startS, options.seconds);
  const direction = (which: 'up' | 'down'): DirectionSummary => {
    const packets = provider.data[which].filter(within);
    const pps = packets.length / options.seconds;
    const dropped = which === 'down' ? input.droppedByProvider.down : 0;
    const tunnelBytes = sum(packets) - packets.length * TUNNEL_OVERHEAD_BYTES;
    return {
      sizes: countSizes(packets),
      // Handshakes come before the run: all of them count.
      controlSizes: countSizes(provider.control[which]),
      pps,
      wireKBps: sum(packets) / options.seconds / 1000,
      asked: input.expected,
      offPercent: offPercent(input.expected, {
        // What the provider dropped on the way to the home had been sent at its time.
        pps: (packets.length + dropped) / options.seconds,
        kBps: tunnelBytes / options.seconds / 1000,
      }),
      droppedByProvider: input.droppedByProvider[which],
      alternating:
        options.alternateS === null
          ? null
          : compareStretches(packets, startS, options.seconds, options.alternateS),
      intervals: measureIntervals(packets, startS, active),
    };
  };
  return {
    variant: options.variant,
    seed: options.seed,
    startS,
    seconds: options.seconds,
    rateKBps: options.rateKBps,
    packetBytes: options.packetBytes,
    intervalSdPercent: options.intervalSdPercent,
    replay: input.replay,
    alternateS: options.alternateS,
    turns:
      options.alternateS === null
        ? null
        : drawTurns(options.seed, options.seconds, options.alternateS),
    load: options.load ?? 'household',
    busyRouter: options.busyRouter ?? false,
    deviceIds: options.devices,
    dropPercent: options.dropPercent,
    tunnelPort: input.tunnelPort,
    up: direction('up'),
    down: direction('down'),
    dnsNamesInClear: Object.fromEntries(provider.dnsNames),
    outsideTunnel:
      input.tunnelPort === null
        ? null
        : {
            packets: [...provider.outside.values()].reduce((a, b) => a + b, 0),
            what: Object.fromEntries(provider.outside),
          },
    devices: {
      packets: home.length,
      bytes: sum(home),
      activeShare: active.filter(Boolean).length / Math.max(active.length, 1),
    },
    latency: {
      up: measureLatency(input.delays.filter(({ direction }) => direction === 'up')),
      down: measureLatency(input.delays.filter(({ direction }) => direction === 'down')),
      byDevice: Object.fromEntries(
        [...new Set(input.delays.map(({ device }) => device))].sort().map((device) => {
          const own = input.delays.filter((delay) => delay.device === device);
          return [
            device,
            {
              up: measureLatency(own.filter(({ direction }) => direction === 'up')),
              down: measureLatency(own.filter(({ direction }) => direction === 'down')),
            },
          ];
        }),
      ),
    },
    cpuPercent: input.cpuPercent,
    txDropped: input.txDropped ?? null,
    captureDrops: input.captureDrops,
    faults: input.faults,
    versions: input.versions,
    service: input.service,
  };
}

function offPercent(
  asked: { pps: number | null; kBps: number } | null,
  got: { pps: number; kBps: number },
): number | null {
  if (!asked) return null;
  return asked.pps === null ? (got.kBps / asked.kBps - 1) * 100 : (got.pps / asked.pps - 1) * 100;
}

/** Which stretches of {@link binS} hold device activity or follow one that does. */
export function activeBins(
  packets: readonly WirePacket[],
  startS: number,
  seconds: number,
): boolean[] {
  const bins = new Array<boolean>(Math.ceil(seconds / binS)).fill(false);
  for (const { timeS } of packets) {
    const bin = Math.floor((timeS - startS) / binS);
    if (bin >= 0 && bin < bins.length) bins[bin] = true;
    if (bin + 1 >= 0 && bin + 1 < bins.length) bins[bin + 1] = true;
  }
  return bins;
}

function measureIntervals(
  packets: readonly WirePacket[],
  startS: number,
  active: readonly boolean[],
): DirectionSummary['intervals'] {
  const all: number[] = [];
  const idle: number[] = [];
  const busy: number[] = [];
  for (let index = 1; index < packets.length; index++) {
    const { timeS } = packets[index]!;
    const intervalMs = (timeS - packets[index - 1]!.timeS) * 1000;
    all.push(intervalMs);
    (active[Math.floor((timeS - startS) / binS)] ? busy : idle).push(intervalMs);
  }
  return {
    all: describe(all),
    idle: describe(idle),
    active: describe(busy),
    idleAgainstActive: idle.length > 0 && busy.length > 0 ? kolmogorovSmirnov(idle, busy) : null,
  };
}

function describe(values: readonly number[]): IntervalStatistics {
  const n = values.length;
  if (n === 0) return { n, meanMs: 0, sdMs: 0 };
  const meanMs = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((a, b) => a + (b - meanMs) ** 2, 0);
  return { n, meanMs, sdMs: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}

/** One-way delays: how many messages, how many never arrived, and how long the others took. */
export function measureLatency(delays: readonly Delay[]): LatencySummary {
  const arrived = delays
    .map(({ delayMs }) => delayMs)
    .filter((delayMs) => delayMs !== null)
    .sort((a, b) => a - b);
  const quantile = (share: number) =>
    arrived[Math.min(arrived.length - 1, Math.floor(share * arrived.length))] ?? null;
  return {
    sent: delays.length,
    lost: delays.length - arrived.length,
    meanMs: arrived.length > 0 ? arrived.reduce((a, b) => a + b, 0) / arrived.length : null,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    maxMs: arrived.at(-1) ?? null,
  };
}

function countSizes(packets: readonly WirePacket[]): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { bytes } of packets) sizes[bytes] = (sizes[bytes] ?? 0) + 1;
  return sizes;
}

function sum(packets: readonly WirePacket[]): number {
  return packets.reduce((total, { bytes }) => total + bytes, 0);
}
