// Finds the lowest rates at which devices' packets wait no longer than asked.
import { costOf } from '../cost/cost.ts';
import { companyMs } from '../framing/company.ts';
import { sdOf } from '../pacing/modes.ts';
import { IntervalSchedule } from '../pacing/schedule.ts';
import { usualDelayMs } from '../plan/outer-clock.ts';
import { seededRandom } from '../random/random.ts';
import { rateBounds, type Shape, slotMs } from '../stream/stream.ts';
import { DirectionTrace, type HomeTrace } from './direction-trace.ts';
import { LatencyHistogram, type LatencySummary } from './latency.ts';
import { SlotClock } from './link.ts';
import { drawControl, IDEAL_LINK, PackedLink } from './packed-link.ts';

/** What each device's packets may be delayed by shaping, in each direction. */
export interface Tolerance {
  meanMs: number;
  maxMs: number;
}

/** A shape whose rate is looked for. */
export type RatelessShape = Pick<Shape, 'packetBytes' | 'mode'>;

export interface RecommendOptions {
  tolerance: Tolerance;
  /** Packet sizes and modes to choose among. */
  shapes: readonly RatelessShape[];
  /** For modes that vary intervals. */
  sdPercent: number;
  seed: number;
  /** Told before each search. */
  onProgress?: (what: string) => void;
}

/** The lowest rate found for one direction. */
export interface DirectionRate {
  rateKBps: number;
  latency: LatencySummary;
  /** At the same rate, were each frame formed at its slot: what building it costs is the difference. */
  ideal: LatencySummary;
}

/** For one device, or for all together. */
export interface RateAdvice {
  /** Null for all together. */
  device: string | null;
  shape: RatelessShape;
  /** Null where no rate up to {@link MOST_KBPS} is enough. */
  up: DirectionRate | null;
  down: DirectionRate | null;
  /** What the provider counts for these rates. */
  gbPerMonth: number | null;
}

export interface AdviceReport {
  /** The cheapest of `joint`: all devices behind one link. */
  best: RateAdvice;
  /** All devices together, per shape. */
  joint: RateAdvice[];
  /** Each device alone, in the best shape. */
  singles: RateAdvice[];
  /** What links of their own would take together, KB/s; null where one has no rate. */
  sumOfSingles: { uploadKBps: number; downloadKBps: number; gbPerMonth: number } | null;
}

/** Limits of the option `rate`. */
export const LEAST_KBPS = rateBounds.least;
export const MOST_KBPS = rateBounds.most;

/**
 * Searches by bisection, with the simulator over the whole trace at each step: first all devices
 * together for every shape, then each device alone in the cheapest one. Assumes that a higher rate
 * never delays more, which holds but for the draws' noise and where one slot more stands behind OpenVPN. A rate is taken only if no packet is dropped.
 */
export function recommend(trace: HomeTrace, options: RecommendOptions): AdviceReport {
  const joint = options.shapes.map((shape) => {
    options.onProgress?.(`all devices, ${shape.packetBytes} bytes, ${shape.mode}`);
    return adviceFor(null, trace, shape, options);
  });
  const best = joint.reduce((a, b) =>
    (b.gbPerMonth ?? Infinity) < (a.gbPerMonth ?? Infinity) ? b : a,
  );
  const singles = trace.devices.map((device) => {
    options.onProgress?.(device);
    const own = { up: trace.up.only(device), down: trace.down.only(device) };
    return adviceFor(device, own, best.shape, options);
  });
  return { best, joint, singles, sumOfSingles: sumOf(singles, best.shape) };
}

/** What the search of a direction goes by. */
type SearchOptions = Pick<RecommendOptions, 'tolerance' | 'sdPercent' | 'seed'> & {
  /** A clock stands behind OpenVPN, as it does at both ends. */
  hasClock?: boolean;
};

/** Delays in one draw of the schedule. */
interface Draw {
  latency: LatencySummary;
  stream: number;
}

type Directions = Pick<HomeTrace, 'up' | 'down'>;

function adviceFor(
  device: string | null,
  trace: Directions,
  shape: RatelessShape,
  options: RecommendOptions,
): RateAdvice {
  const search = { ...options, hasClock: true };
  const up = lowestRate(trace.up, shape, search);
  const down = lowestRate(trace.down, shape, search);
  const gbPerMonth = up && down ? gbOf(up.rateKBps, down.rateKBps, shape) : null;
  return { device, shape, up, down, gbPerMonth };
}

/**
 * The lowest rate at which a direction meets the tolerance, rounded up to a readable number; null
 * where none does. Without packets the least rate there is.
 */
export function lowestRate(
  trace: DirectionTrace,
  shape: RatelessShape,
  options: SearchOptions,
): DirectionRate | null {
  const attempt = (rateKBps: number): Draw | null => worstOf(trace, rateKBps, shape, options);
  const describe = (rateKBps: number, { latency, stream }: Draw): DirectionRate => {
    const draw = { ...options, stream, tolerance: NO_LIMIT, isIdeal: true };
    return { rateKBps, latency, ideal: latencyAt(trace, rateKBps, shape, draw) ?? latency };
  };
  let low = LEAST_KBPS;
  let last = attempt(low);
  if (last) return describe(low, last);
  let high = low;
  do {
    if (high >= MOST_KBPS) return null;
    low = high;
    high = Math.min(high * 4, MOST_KBPS);
    last = attempt(high);
  } while (!last);
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    const found = attempt(middle);
    if (found) {
      high = middle;
      last = found;
    } else low = middle;
  }
  // The draws' noise may make a slightly higher rate fail: then one step more.
  for (let rateKBps = readable(high); rateKBps <= MOST_KBPS; rateKBps = readable(rateKBps * 1.01)) {
    const rounded = attempt(rateKBps);
    if (rounded) return describe(rateKBps, rounded);
  }
  return describe(high, last);
}

/** Rounds up to a step of about 1 %: 0.05 below 5 KB/s, 0.1 below 10, then 1, 2, 5 times powers of 10. */
function readable(rateKBps: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(rateKBps));
  const lead = rateKBps / magnitude;
  const step = rateKBps < 5 ? 0.05 : (magnitude / 100) * (lead < 2 ? 1 : lead < 5 ? 2 : 5);
  return Math.min(MOST_KBPS, Number((Math.ceil(rateKBps / step - 1e-9) * step).toPrecision(6)));
}

/** Few packets may meet their slots by luck: such traces have to do with several draws of the schedule. */
const FEW_PACKETS = 5000;
const DRAWS = 5;
const NO_LIMIT: Tolerance = { meanMs: Infinity, maxMs: Infinity };

/** The draw with the highest maximum; null when one does not meet the tolerance. */
function worstOf(
  trace: DirectionTrace,
  rateKBps: number,
  shape: RatelessShape,
  options: SearchOptions,
): Draw | null {
  let worst: Draw | null = null;
  for (let stream = 1; stream <= (trace.length < FEW_PACKETS ? DRAWS : 1); stream++) {
    const latency = latencyAt(trace, rateKBps, shape, { ...options, stream });
    if (!latency) return null;
    if (!worst || latency.maxMs > worst.latency.maxMs) worst = { latency, stream };
  }
  return worst;
}

/** Delays at a rate, or null as soon as they cannot meet the tolerance. */
function latencyAt(
  trace: DirectionTrace,
  rateKBps: number,
  { packetBytes, mode }: RatelessShape,
  options: SearchOptions & { stream: number; isIdeal?: boolean },
): LatencySummary | null {
  const { tolerance, sdPercent } = options;
  if (trace.length === 0) return new LatencyHistogram().summary();
  const lastMs = trace.timesMs[trace.length - 1]!;
  // No rate below what devices send over the time they have can do: spare the simulation.
  if (trace.bytes / (lastMs + tolerance.maxMs) > rateKBps) return null;
  const random = seededRandom(options.seed, options.stream);
  const schedule = new IntervalSchedule({
    mode,
    meanMs: slotMs(rateKBps, packetBytes),
    sdPercent: sdOf(mode, sdPercent),
    random,
  });
  const clock = new SlotClock(schedule, random);
  const delays = new Map<string, { packets: number; sumMs: number }>();
  const onDelivered = (device: string, delayMs: number): void => {
    const own = delays.get(device) ?? { packets: 0, sumMs: 0 };
    own.packets++;
    own.sumMs += delayMs;
    delays.set(device, own);
  };
  const link = new PackedLink({
    packetBytes,
    clock,
    maxDelayMs: Infinity,
    ...(options.isIdeal
      ? IDEAL_LINK
      : {
          companyMs: companyMs(schedule.meanMs),
          ...drawControl(schedule.meanMs, random),
          behindMs: options.hasClock ? usualDelayMs({ rateKBps, packetBytes }) : 0,
        }),
    onDelivered,
  });
  const { totals } = link;
  for (let i = 0; i < trace.length; i++) {
    const timeMs = trace.timesMs[i]!;
    link.advance(timeMs);
    if (totals.latency.maxMs > tolerance.maxMs || totals.dropped > 0) return null;
    link.arrive(timeMs, trace.sizes[i]!, trace.devices[trace.deviceIndexes[i]!]!);
  }
  link.finish(lastMs);
  if (totals.latency.maxMs > tolerance.maxMs || totals.dropped > 0) return null;
  // Each device's own mean: a camera's many packets must not hide a plug's few.
  for (const { packets, sumMs } of delays.values()) {
    if (sumMs > tolerance.meanMs * packets) return null;
  }
  return totals.latency.summary();
}

function gbOf(uploadKBps: number, downloadKBps: number, { packetBytes }: RatelessShape): number {
  return costOf({ uploadKBps, downloadKBps, packetBytes }).gbPerMonth;
}

function sumOf(singles: readonly RateAdvice[], shape: RatelessShape): AdviceReport['sumOfSingles'] {
  let uploadKBps = 0;
  let downloadKBps = 0;
  for (const { up, down } of singles) {
    if (!up || !down) return null;
    uploadKBps += up.rateKBps;
    downloadKBps += down.rateKBps;
  }
  return { uploadKBps, downloadKBps, gbPerMonth: gbOf(uploadKBps, downloadKBps, shape) };
}

/** What the service counted of one device within one second. */
export interface CounterSample {
  /** When the second began. */
  timeS: number;
  device: string;
  uploadBytes: number;
  downloadBytes: number;
}

const COUNTED_PACKET_BYTES = 1500;

/**
 * A trace from the service's counters. They do not say when within a second a packet came, nor how
 * long it was: each second's bytes are taken to come at once, at its beginning, in packets of 1500
 * bytes and a rest. That is the worst case for waiting, so a rate found on it is rather too high.
 */
export function traceOfCounters(history: readonly CounterSample[]): HomeTrace {
  const home = { up: new DirectionTrace(), down: new DirectionTrace() };
  const devices = new Set<string>();
  const ordered = [...history].sort((a, b) => a.timeS - b.timeS);
  const firstS = ordered[0]?.timeS ?? 0;
  for (const { timeS, device, uploadBytes, downloadBytes } of ordered) {
    devices.add(device);
    const timeMs = (timeS - firstS) * 1000;
    for (const [trace, bytes] of [
      [home.up, uploadBytes],
      [home.down, downloadBytes],
    ] as const) {
      for (let rest = Math.round(bytes); rest > 0; rest -= COUNTED_PACKET_BYTES) {
        trace.push(timeMs, Math.min(rest, COUNTED_PACKET_BYTES), device);
      }
    }
  }
  const durationS = (ordered.at(-1)?.timeS ?? firstS) - firstS;
  return { ...home, devices: [...devices], durationS };
}
