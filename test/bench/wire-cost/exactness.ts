// How near what the provider sees is to the schedule asked for: mean rate, spread of the intervals, slots that are missing, sizes.
import { TUNNEL_OVERHEAD_BYTES } from '../../../src/core/cost/cost.ts';
import { modes } from '../../../src/core/pacing/modes.ts';
import { slotMs, streamDefaults } from '../../../src/core/stream/stream.ts';
import { startCapture } from '../../../src/research/lab/bed/capture.ts';
import { Cleanup } from '../../../src/research/lab/bed/cleanup.ts';
import { sdOf } from '../../moments.ts';
import { intervalsMs, readWire, sizes, type Wire } from '../../net/wire.ts';
import type { Ground } from './devices.ts';

/** What one direction showed for a while. */
export interface Shape {
  /** IP bytes on the tunnel. */
  rateKBps: number;
  sdMs: number;
  /** Standard deviation of the intervals no longer than any that is drawn. */
  drawnSdMs: number;
  /** Slots that ought to have left in intervals longer than any that is drawn, percent of all. */
  missingPercent: number;
  longestMs: number;
  /** Packets that have not the commonest size, percent. */
  oddSizesPercent: number;
}

export interface Exactness {
  direction: 'up' | 'down';
  slots: number;
  askedSdMs: number;
  /** What chance alone makes of {@link Shape.sdMs}, percent: one standard error. */
  sdErrorPercent: number;
  whole: Shape;
  /** The same of parts that took as long. */
  parts: Shape[];
  sizes: number[];
  outside: number;
}

/** Captures the provider's link to the home; the returned function ends it. */
export async function captureWire(
  ground: Ground,
): Promise<() => Promise<{ wire: Wire; dropped: number }>> {
  const cleanup = new Cleanup((fault) => console.error(fault));
  const path = ground.path('provider.pcap');
  const capture = await startCapture({
    ...{ netns: ground.topology.names.provider, netdev: 'home', path, cleanup },
    ...{ logPath: ground.path('tcpdump.log'), signal: new AbortController().signal },
    snapBytes: 128,
  });
  return async () => {
    const dropped = await capture.stop();
    await cleanup.run();
    return { wire: await readWire(path), dropped };
  };
}

type Packets = Wire['up'];

function describe(packets: Packets, meanMs: number): Shape {
  const intervals = intervalsMs(packets);
  const longestDrawnMs = 1.05 * meanMs * modes.vit.reach(streamDefaults.intervalSdPercent).longest;
  const long = intervals.filter((ms) => ms > longestDrawnMs);
  const missing = long.reduce((sum, ms) => sum + ms / meanMs - 1, 0);
  const tunnelBytes = packets
    .slice(1)
    .reduce((sum, { bytes }) => sum + bytes - TUNNEL_OVERHEAD_BYTES, 0);
  const counts = new Map<number, number>();
  for (const { bytes } of packets) counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  return {
    rateKBps: tunnelBytes / intervals.reduce((sum, ms) => sum + ms, 0),
    sdMs: sdOf(intervals),
    drawnSdMs: sdOf(intervals.filter((ms) => ms <= longestDrawnMs)),
    missingPercent: (100 * missing) / (intervals.length + missing),
    longestMs: Math.max(...intervals),
    oddSizesPercent: 100 * (1 - Math.max(...counts.values()) / packets.length),
  };
}

/** Reads each direction beside the schedule asked for, whole and in parts. */
export function measureExactness(
  wire: Wire,
  { rateKBps, packetBytes }: { rateKBps: number; packetBytes: number },
  partCount: number,
): Exactness[] {
  const meanMs = slotMs(rateKBps, packetBytes);
  return (['up', 'down'] as const).map((direction): Exactness => {
    const packets = wire[direction];
    const [fromS, untilS] = [packets[0]!.timeS, packets.at(-1)!.timeS];
    const parts = Array.from({ length: partCount }, (): Packets => []);
    for (const packet of packets) {
      const part = Math.floor((partCount * (packet.timeS - fromS)) / (untilS - fromS));
      parts[Math.min(part, partCount - 1)]!.push(packet);
    }
    return {
      direction,
      slots: packets.length,
      askedSdMs: (meanMs * streamDefaults.intervalSdPercent) / 100,
      sdErrorPercent: 100 / Math.sqrt(2 * packets.length),
      whole: describe(packets, meanMs),
      parts: parts.map((part) => describe(part, meanMs)),
      sizes: sizes(packets),
      outside: wire.outside.length,
    };
  });
}
