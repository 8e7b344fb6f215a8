// Runs a trace through any number of defences at once, in simulated time.
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import { companyMs } from '../../core/framing/company.ts';
import { IntervalSchedule } from '../../core/pacing/schedule.ts';
import { usualDelayMs } from '../../core/plan/outer-clock.ts';
import { type Random, seededRandom } from '../../core/random/random.ts';
import { LatencyHistogram, type LatencySummary } from '../../core/simulation/latency.ts';
import {
  DirectLink,
  type Link,
  type LinkTotals,
  SlotClock,
  type WireListener,
} from '../../core/simulation/link.ts';
import { drawControl, IDEAL_LINK, PackedLink } from '../../core/simulation/packed-link.ts';
import { slotMs } from '../../core/stream/stream.ts';
import type { DeviceSample, Trace } from '../../shell/simulation/trace.ts';
import { PaddedLink } from './padded-link.ts';
import { StpController, StpLink } from './stp.ts';
import type { Variant } from './variants.ts';

/** Packets that wait at most in the variants without a cap of their own; 16 MB. */
const QUEUE_PACKETS = 1_000_000;

export interface DirectionResult {
  packets: number;
  realBytes: number;
  framingBytes: number;
  paddingBytes: number;
  coverBytes: number;
  tunnelBytes: number;
  wireBytes: number;
  wirePackets: number;
  queueMaxPackets: number;
  dropped: number;
  latency: LatencySummary;
}

export interface SimulationResult {
  variant: Variant;
  /** From the first to the last packet of the trace. */
  durationS: number;
  up: DirectionResult;
  down: DirectionResult;
  /** Both directions together. */
  total: DirectionResult;
  /** Bytes on the wire beyond devices' own, per byte of theirs; null without any. */
  overheadRatio: number | null;
}

export interface SimulationOptions {
  /** Same seed, same result. Default 1. */
  seed?: number;
  /** Delays end at the queue: what stands in the clock behind OpenVPN counts for nothing. */
  endsAtQueue?: boolean;
  /** Told of every packet the provider sees, in order of time; costs the skipping of idle slots. */
  onWire?: (variant: Variant, timeS: number, bytes: number, direction: 'up' | 'down') => void;
  /** Called every so often with the packets read so far; false ends the simulation there. */
  onProgress?: (packets: number) => boolean | undefined;
  /** Asked after every packet of the trace: true ends the simulation there. */
  stop?: (links: readonly HomeLinks[]) => boolean;
}

/** Both directions of one variant while it runs. */
export interface HomeLinks {
  variant: Variant;
  up: Link;
  down: Link;
}

/**
 * Simulates every variant over one reading of the trace. A delay runs from a packet's arrival until
 * its last byte leaves on the wire: what shaping adds, without the network's own. Packets out of
 * order count as arriving with the latest before them. The packed variants run the product's own
 * queues, packer and interval schedule.
 */
export async function simulate(
  trace: Trace,
  variants: readonly Variant[],
  options: SimulationOptions = {},
): Promise<SimulationResult[]> {
  const wires: WireOrder[] = [];
  const homes = variants.map((variant) => {
    const { onWire } = options;
    const wire = onWire && new WireOrder((...packet) => onWire(variant, ...packet));
    if (wire) wires.push(wire);
    return linksOf(variant, options.seed ?? 1, !options.endsAtQueue, wire);
  });
  let firstS: number | null = null;
  let nowMs = 0;
  let packets = 0;
  const take = (
    timeS: number,
    bytes: number,
    direction: 'up' | 'down',
    device: string,
  ): boolean => {
    firstS ??= timeS;
    nowMs = Math.max(nowMs, (timeS - firstS) * 1000);
    for (const home of homes) {
      home.up.advance(nowMs);
      home.down.advance(nowMs);
      home[direction].arrive(nowMs, bytes, device);
    }
    for (const wire of wires) wire.flush();
    packets++;
    if (packets % 65_536 === 0 && options.onProgress?.(packets) === false) return false;
    return !options.stop?.(homes);
  };
  const takeAll = (samples: Iterable<DeviceSample>): boolean => {
    for (const { timeS, bytes, direction, device } of samples) {
      if (!take(timeS, bytes, direction, device)) return false;
    }
    return true;
  };
  if (Symbol.asyncIterator in trace) {
    for await (const chunk of trace) if (!takeAll(chunk)) break;
  } else {
    takeAll(trace);
  }
  for (const home of homes) {
    home.up.finish(nowMs);
    home.down.finish(nowMs);
  }
  for (const wire of wires) wire.flush();
  return homes.map((home) => resultOf(home, nowMs / 1000));
}

type BuildLink = (
  rateKBps: number,
  random: Random,
  onWire: WireListener | undefined,
  direction: 'up' | 'down',
) => Link;

/** What the product's own frames do beside leaving at their slots. */
function asInDaemon(meanSlotMs: number, random: Random) {
  return { companyMs: companyMs(meanSlotMs), ...drawControl(meanSlotMs, random) };
}

/** Both directions of a variant, each with draws of its own, the same ones for every variant. */
function linksOf(variant: Variant, seed: number, isClocked: boolean, wire?: WireOrder): HomeLinks {
  const up = wire?.listener('up');
  const down = wire?.listener('down');
  const { filling, mode, sdPercent, packetBytes, maxDelayMs } = variant;
  const clock = (rateKBps: number, random: Random): SlotClock => {
    const meanMs = slotMs(rateKBps, packetBytes);
    return new SlotClock(new IntervalSchedule({ mode, meanMs, sdPercent, random }), random);
  };
  const both = (build: BuildLink) => ({
    variant,
    up: build(variant.uploadKBps, seededRandom(seed, 1), up, 'up'),
    down: build(variant.downloadKBps, seededRandom(seed, 2), down, 'down'),
  });
  switch (filling) {
    case 'none':
      return both((_rate, _random, onWire) => new DirectLink(0, onWire));
    case 'vpn':
      return both((_rate, _random, onWire) => new DirectLink(TUNNEL_OVERHEAD_BYTES, onWire));
    case 'padded':
      return both(
        (rate, random, onWire) =>
          new PaddedLink({
            packetBytes,
            clock: clock(rate, random),
            maxDelayMs,
            queuePackets: QUEUE_PACKETS,
            onWire,
          }),
      );
    case 'packed':
    case 'ideal':
      return both(
        (rate, random, onWire) =>
          new PackedLink({
            packetBytes,
            clock: clock(rate, random),
            maxDelayMs,
            behindMs:
              isClocked && filling === 'packed' ? usualDelayMs({ rateKBps: rate, packetBytes }) : 0,
            ...(filling === 'ideal' ? IDEAL_LINK : asInDaemon(slotMs(rate, packetBytes), random)),
            onWire,
          }),
      );
    case 'stp': {
      const controller = new StpController({
        periodMs: 10_000,
        coverProbability: 0.1,
        activityBytes: 2000,
        random: seededRandom(seed, 3),
      });
      return both(
        (rate, random, onWire) =>
          new StpLink({
            controller,
            packetBytes,
            clock: clock(rate, random),
            queuePackets: QUEUE_PACKETS,
            onWire,
          }),
      );
    }
  }
}

/** Brings what two directions send between two arrivals into the order of time. */
class WireOrder {
  readonly #emit: (timeS: number, bytes: number, direction: 'up' | 'down') => void;
  #pending: { timeMs: number; bytes: number; direction: 'up' | 'down' }[] = [];

  constructor(emit: (timeS: number, bytes: number, direction: 'up' | 'down') => void) {
    this.#emit = emit;
  }

  listener(direction: 'up' | 'down'): WireListener {
    return (timeMs, bytes) => this.#pending.push({ timeMs, bytes, direction });
  }

  flush(): void {
    if (this.#pending.length > 1) this.#pending.sort((a, b) => a.timeMs - b.timeMs);
    for (const { timeMs, bytes, direction } of this.#pending) {
      this.#emit(timeMs / 1000, bytes, direction);
    }
    this.#pending = [];
  }
}

function resultOf({ variant, up, down }: HomeLinks, durationS: number): SimulationResult {
  const total = directionResult(sumOf(up.totals, down.totals));
  return {
    variant,
    durationS,
    up: directionResult(up.totals),
    down: directionResult(down.totals),
    total,
    overheadRatio:
      total.realBytes === 0 ? null : (total.wireBytes - total.realBytes) / total.realBytes,
  };
}

function directionResult({ latency, ...totals }: LinkTotals): DirectionResult {
  const wireBytes =
    totals.realBytes +
    totals.framingBytes +
    totals.paddingBytes +
    totals.coverBytes +
    totals.tunnelBytes;
  return { ...totals, wireBytes, latency: latency.summary() };
}

function sumOf(a: LinkTotals, b: LinkTotals): LinkTotals {
  const latency = new LatencyHistogram();
  latency.merge(a.latency);
  latency.merge(b.latency);
  return {
    packets: a.packets + b.packets,
    realBytes: a.realBytes + b.realBytes,
    framingBytes: a.framingBytes + b.framingBytes,
    paddingBytes: a.paddingBytes + b.paddingBytes,
    coverBytes: a.coverBytes + b.coverBytes,
    tunnelBytes: a.tunnelBytes + b.tunnelBytes,
    wirePackets: a.wirePackets + b.wirePackets,
    queueMaxPackets: Math.max(a.queueMaxPackets, b.queueMaxPackets),
    dropped: a.dropped + b.dropped,
    latency,
  };
}
