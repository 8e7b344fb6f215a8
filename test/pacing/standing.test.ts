// What bends the inner clock: bounded whatever is counted, and as many slots as meant come to stand in the outer one.
import test from 'ava';
import fc from 'fast-check';
import { MAX_PILED_BEND, MAX_STANDING_BEND, standingBend } from '../../src/core/pacing/standing.ts';
import { clockLimit, standingSlots } from '../../src/core/plan/outer-clock.ts';
import { PAUSE_MS } from '../../src/core/plan/tc.ts';
import { slotsPerSecond } from '../../src/core/stream/stream.ts';
import { runs } from '../property-runs.ts';

const rate = fc.double({ min: 0.25, max: 10_000, noNaN: true });
const packetBytes = fc.integer({ min: 256, max: 1400 });
const shapeOf = (rateKBps: number, bytes: number) =>
  ({ mode: 'vit', sdPercent: 30, rateKBps, packetBytes: bytes }) as const;
/** As many as meant where the configuration names no number. */
const asMeant = { main: { standingSlots: null } };

test('never farther than its bounds, and towards as many as meant', (t) => {
  const property = fc.property(
    fc.nat(100_000),
    fc.integer({ min: 1, max: 1000 }),
    fc.double({ min: 0.25, max: 5000, noNaN: true }),
    (standing, meant, perSecond) => {
      const bend = standingBend(standing, meant, perSecond);
      return (
        bend <= MAX_STANDING_BEND &&
        bend >= -MAX_PILED_BEND &&
        (standing === meant
          ? Math.abs(bend) <= 0.25 / 20
          : Math.sign(bend) === Math.sign(meant - standing))
      );
    },
  );
  t.notThrows(() => fc.assert(property, { numRuns: runs(300) }));
});

test('from an empty clock and from a full one, as many as meant stand there in the end', (t) => {
  fc.assert(
    fc.property(rate, packetBytes, fc.boolean(), (rateKBps, bytes, isFull) => {
      const shape = shapeOf(rateKBps, bytes);
      const meant = standingSlots(asMeant, shape);
      const perSecond = slotsPerSecond(shape);
      let standing = isFull ? clockLimit(meant, shape) : 0;
      // Five looks a second, until a slot a time constant could have come or gone many times over.
      const looks = 5 * Math.max(60, Math.ceil((400 * meant) / perSecond));
      for (let look = 0; look < looks; look++) {
        standing += standingBend(Math.floor(standing), meant, perSecond) * (perSecond / 5);
        t.true(standing >= 0 && standing <= clockLimit(meant, shape) + 1);
      }
      // Where several stand, a quarter of one less is aimed at.
      t.true(Math.abs(standing - meant) <= 1, `${standing} of ${meant} at ${rateKBps} KB/s`);
    }),
    { numRuns: runs(60) },
  );
});

test('two slots at 40 KB/s, ten milliseconds’ worth above, one where each takes long, or as many as asked', (t) => {
  const standing = (rateKBps: number) => standingSlots(asMeant, shapeOf(rateKBps, 512));
  t.deepEqual([0.25, 5, 40, 100, 400, 4000].map(standing), [1, 1, 2, 2, 8, 79]);
  t.deepEqual(
    [5, 40, 400].map((rateKBps) => clockLimit(standing(rateKBps), shapeOf(rateKBps, 512))),
    [7, 38, 360],
  );
  t.is(standingSlots({ main: { standingSlots: 5 } }, shapeOf(40, 512)), 5);
});

test('what a pause of OpenVPN piled up is nearly gone three seconds later', (t) => {
  for (const rateKBps of [40, 100, 400, 1000]) {
    const shape = shapeOf(rateKBps, 512);
    const perSecond = slotsPerSecond(shape);
    const meant = standingSlots(asMeant, shape);
    let standing = meant + (perSecond * PAUSE_MS) / 1000;
    t.true(standing <= clockLimit(meant, shape));
    for (let look = 0; look < 15; look++) {
      standing += standingBend(Math.round(standing), meant, perSecond) * (perSecond / 5);
    }
    t.true(standing - meant < 0.03 * perSecond, `${standing} at ${rateKBps} KB/s`);
  }
});
