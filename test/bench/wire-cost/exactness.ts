// How near what the provider sees is to the schedule asked for: mean rate, spread of the intervals, slots that are missing.
import { modes } from '../../../src/core/pacing/modes.ts';
import { slotMs, slotsPerSecond, streamDefaults } from '../../../src/core/stream/stream.ts';
import { startCapture } from '../../../src/research/lab/bed/capture.ts';
import { Cleanup } from '../../../src/research/lab/bed/cleanup.ts';
import type { HomeNetwork } from '../../net/home-network.ts';
import { intervalsMs, packetsPerS, readWire, sizes, type Wire } from '../../net/wire.ts';

export interface Exactness {
  direction: 'up' | 'down';
  slots: number;
  /** Got against asked, percent off. */
  ratePercent: number;
  sdMs: number;
  askedSdMs: number;
  sdPercent: number;
  /** What chance alone makes of {@link sdPercent}: one standard error. */
  sdErrorPercent: number;
  /** The same of intervals no longer than any that is drawn. */
  drawnSdPercent: number;
  /** Slots that ought to have left in intervals longer than any that is drawn, percent of all. */
  missingPercent: number;
  longestMs: number;
  sizes: number[];
  outside: number;
}

/** Captures the provider's link to the home; the returned function ends it. */
export async function captureWire(
  network: HomeNetwork,
): Promise<() => Promise<{ wire: Wire; dropped: number }>> {
  const cleanup = new Cleanup((fault) => console.error(fault));
  const path = network.path('provider.pcap');
  const capture = await startCapture({
    ...{ netns: network.topology.names.provider, netdev: 'home', path, cleanup },
    ...{ logPath: network.path('tcpdump.log'), signal: new AbortController().signal },
    snapBytes: 128,
  });
  return async () => {
    const dropped = await capture.stop();
    await cleanup.run();
    return { wire: await readWire(path), dropped };
  };
}

function sdOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Compares each direction with its schedule. */
export function measureExactness(wire: Wire, rateKBps: number, packetBytes: number): Exactness[] {
  const meanMs = slotMs(rateKBps, packetBytes);
  const askedSdMs = (meanMs * streamDefaults.intervalSdPercent) / 100;
  const longestMs = meanMs * modes.vit.reach(streamDefaults.intervalSdPercent).longest;
  return (['up', 'down'] as const).map((direction): Exactness => {
    const packets = wire[direction];
    const intervals = intervalsMs(packets);
    const drawn = intervals.filter((ms) => ms <= 1.05 * longestMs);
    const long = intervals.filter((ms) => ms > 1.05 * longestMs);
    const missing = long.reduce((sum, ms) => sum + ms / meanMs - 1, 0);
    const sdMs = sdOf(intervals);
    const off = (got: number, asked: number): number => 100 * (got / asked - 1);
    return {
      direction,
      slots: packets.length,
      ratePercent: off(packetsPerS(packets), slotsPerSecond({ rateKBps, packetBytes })),
      ...{ sdMs, askedSdMs, sdPercent: off(sdMs, askedSdMs) },
      sdErrorPercent: 100 / Math.sqrt(2 * intervals.length),
      drawnSdPercent: off(sdOf(drawn), askedSdMs),
      missingPercent: (100 * missing) / (intervals.length + missing),
      longestMs: Math.max(...intervals),
      sizes: sizes(packets),
      outside: wire.outside.length,
    };
  });
}
