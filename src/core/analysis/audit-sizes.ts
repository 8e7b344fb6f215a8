// Lengths seen on the wire: a padded stream shows exactly one in each direction.
import type { WirePacket } from './wire-features.ts';

export interface SizeFigures {
  direction: 'up' | 'down';
  packets: number;
  expectedBytes: number;
  /** Packets of any other length, and which lengths those were. */
  other: { packets: number; bytes: number[] };
}

/** Counts lengths per direction; where none is expected, the most frequent one is. */
export function checkSizes(wire: readonly WirePacket[], expectedBytes?: number): SizeFigures[] {
  return (['up', 'down'] as const).flatMap((direction) => {
    const counts = new Map<number, number>();
    for (const packet of wire) {
      if (packet.direction === direction) {
        counts.set(packet.bytes, (counts.get(packet.bytes) ?? 0) + 1);
      }
    }
    if (counts.size === 0) return [];
    const byCount = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const expected = expectedBytes ?? byCount[0]![0];
    const packets = byCount.reduce((sum, [, count]) => sum + count, 0);
    const others = byCount.filter(([bytes]) => bytes !== expected);
    return [
      {
        direction,
        packets,
        expectedBytes: expected,
        other: {
          packets: packets - (counts.get(expected) ?? 0),
          bytes: others.map(([bytes]) => bytes),
        },
      },
    ];
  });
}
