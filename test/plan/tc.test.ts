// The queue's second bucket: what is drawn never empties it, and a rate that nobody changes in time does.
import test from 'ava';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { drawnRate } from '../../src/core/plan/tc.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 40 };

/** `ceil` in bytes a second and `cburst` in bytes, of a rate that was drawn. */
function secondBucket(bytesPerSecond: number): { ceil: number; bytes: number } {
  const { ceilBytesPerSecond, ceilBurstBytes } = drawnRate(bytesPerSecond, shape);
  return { ceil: ceilBytesPerSecond, bytes: ceilBurstBytes };
}

test('it is that of the stream, whatever rate is drawn', (t) => {
  const buckets = [8000, 40_000, 190_000].map(secondBucket);
  t.deepEqual(buckets, Array(3).fill({ ceil: 50_000, bytes: 2560 }));
});

test('intervals as they are drawn leave it as they are, but for one in thousands', (t) => {
  const { ceil, bytes } = secondBucket(40_000);
  const schedule = new IntervalSchedule({
    ...{ mode: shape.mode, meanMs: 12.8, sdPercent: shape.sdPercent },
    random: seededRandom(5),
  });
  let level = bytes;
  let held = 0;
  for (let slot = 0; slot < 100_000; slot++) {
    level = Math.min(bytes, level + (ceil * schedule.nextMs()) / 1000) - shape.packetBytes;
    if (level < 0) held++;
  }
  t.true(held < 30, `${held} of 100000`);
});
