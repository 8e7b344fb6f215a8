// Recordings cut into the batches that an audit without end takes.
import type { ActivitySample } from '../../../core/analysis/audit-activity.ts';
import { firstAtLeast } from '../../../core/analysis/statistics/sample.ts';
import type { WirePacket } from '../../../core/analysis/wire-features.ts';
import type { RunningBatch } from './running-audit.ts';

/** Long enough for activity to be in it, short enough for some to be judged by what was learned before. */
export const BATCH_S = 600;

/** Batches side by side, the last of at least half their length. Activity of no known direction is taken to be sent. */
export function cutBatches(
  wire: readonly WirePacket[],
  activity: readonly ActivitySample[],
  batchS = BATCH_S,
): RunningBatch[] {
  const timesOf = (direction: 'up' | 'down') =>
    Float64Array.from(
      wire.filter((packet) => packet.direction === direction),
      ({ timeS }) => timeS,
    ).sort();
  const [up, down] = [timesOf('up'), timesOf('down')];
  const sent = Float64Array.from(
    activity.filter(({ direction }) => direction !== 'down'),
    ({ timeS }) => timeS,
  ).sort();
  const received = Float64Array.from(
    activity.filter(({ direction }) => direction === 'down'),
    ({ timeS }) => timeS,
  ).sort();
  const startS = Math.min(up[0] ?? Number.NaN, down[0] ?? Number.POSITIVE_INFINITY);
  const endS = Math.max(up.at(-1) ?? Number.NaN, down.at(-1) ?? 0);
  const batches: RunningBatch[] = [];
  for (let fromS = startS; endS - fromS >= batchS / 2; fromS += batchS) {
    const cut = (times: Float64Array) =>
      times.subarray(firstAtLeast(times, fromS), firstAtLeast(times, fromS + batchS));
    batches.push({
      upSlotS: cut(up),
      downSlotS: cut(down),
      sentS: cut(sent),
      receivedS: cut(received),
    });
  }
  return batches;
}
