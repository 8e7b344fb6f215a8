// A device's packets in bins, without a capture around them.

import type { Sample } from '../../src/core/capture/trace.ts';
import type { BinnedTraffic } from '../../src/research/analysis/activity.ts';
import { BIN_S } from '../../src/research/analysis/activity-streams.ts';

/** Bins packets of one device. */
export function binTraffic(packets: Iterable<Sample>, startS: number, endS: number): BinnedTraffic {
  const count = Math.ceil((endS - startS) / BIN_S);
  const traffic = {
    startS,
    binS: BIN_S,
    up: new Float64Array(count),
    down: new Float64Array(count),
  };
  for (const { timeS, bytes, direction } of packets) {
    const bin = Math.floor((timeS - startS) / BIN_S);
    if (bin >= 0 && bin < count) traffic[direction][bin]! += bytes;
  }
  return traffic;
}
