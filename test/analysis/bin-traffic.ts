// A device's packets in bins, without a capture around them.

import type { Sample } from '../../src/core/capture/trace.ts';
import type { BinnedTraffic } from '../../src/research/analysis/activity.ts';
import { BIN_S } from '../../src/research/analysis/activity-streams.ts';

/** Bins packets of one device. */
export function binTraffic(packets: Iterable<Sample>, startS: number, endS: number): BinnedTraffic {
  const count = Math.ceil((endS - startS) / BIN_S);
  const bytes = { up: new Float64Array(count), down: new Float64Array(count) };
  for (const { timeS, bytes: own, direction } of packets) {
    const bin = Math.floor((timeS - startS) / BIN_S);
    if (bin >= 0 && bin < count) bytes[direction][bin]! += own;
  }
  const bins = Array.from(bytes.up.keys()).filter((bin) => bytes.up[bin]! + bytes.down[bin]! > 0);
  return {
    startS,
    binS: BIN_S,
    count,
    bins,
    up: bins.map((bin) => bytes.up[bin]!),
    down: bins.map((bin) => bytes.down[bin]!),
  };
}
