// What stands between slots in the clock behind OpenVPN: how long it is, what it is charged, and that it leads nowhere.
import test from 'ava';
import { HOME_CLASS_MINOR, STRAY_CLASS_MINOR } from '../../src/core/plan/names.ts';
import {
  CLOCK_SIZES,
  clockClasses,
  minorOfSpacers,
  SLOT_UNITS,
  slotRate,
  spacedRate,
  spacerAddress,
  spacerBytes,
  spacerRate,
} from '../../src/core/plan/spacers.ts';
import { classRateWords } from '../../src/core/plan/tc.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };
/** What the pair lets through: its MTU, Ethernet's header and a VLAN's (net/core/dev.c, is_skb_forwardable). */
const LONGEST_PASSED = 1500 + 14 + 4;
const HEADERS = 14 + 20 + 8;

test('a spacer is charged for its interval, and is longer than anything that leaves the pair', (t) => {
  const off = Number(/overhead -(\d+)/.exec(CLOCK_SIZES)?.[1]);
  for (const units of [1, 50, SLOT_UNITS, 2 * SLOT_UNITS]) {
    const bytes = spacerBytes(units) + HEADERS;
    t.is(bytes - off, units);
    if (units > 4) t.true(bytes > LONGEST_PASSED);
  }
  t.is(off, LONGEST_PASSED - 4, 'the longest packet is charged for one byte');
  const { bytesPerSecond } = spacedRate(shape, 0);
  t.is(SLOT_UNITS / bytesPerSecond, 0.0128);
});

test('shortened intervals are a higher rate', (t) => {
  t.is(spacedRate(shape, 0.02).bytesPerSecond, Math.round(78_125 / 0.98));
  t.is(spacedRate(shape, -0.02).bytesPerSecond, Math.round(78_125 / 1.02));
});

test('no class but the one that paces has a rate, and none goes before its time', (t) => {
  for (const sdPercent of [1, 30, 40]) {
    const own = { ...shape, sdPercent };
    const slots = slotRate(own);
    const spacers = spacerRate(own);
    for (const { bytesPerSecond, quantumBytes } of [slots, spacers]) {
      t.is(bytesPerSecond, 1);
      t.is(quantumBytes, 1, 'a turn is a packet');
    }
    // The shortest interval is not held up, the mean one is not passed by much more than that.
    const slotsPerSecond = slots.ceilBytesPerSecond / slots.leastBytes;
    const shortest = sdPercent === 1 ? 0.2 : sdPercent === 30 ? 0.2143 : 0.05;
    t.true(slotsPerSecond * shortest > 78, `${slotsPerSecond}`);
    t.true(slotsPerSecond * shortest < 90, `${slotsPerSecond}`);
    const share = spacers.ceilBytesPerSecond / spacedRate(own, 0).bytesPerSecond;
    t.true(share > 1.08 && share < 1.11, 'as far as intervals are shortened, and hardly farther');
  }
  t.regex(classRateWords(slotRate(shape)), /^rate 1bps .* mpu 2048 quantum 1$/);
});

test('each stream has classes of its own, and an address', (t) => {
  const minors = [...Array.from({ length: 254 }, (_, at) => at + 1), STRAY_CLASS_MINOR];
  const ids = minors.flatMap((minor) => Object.values(clockClasses(minor)));
  t.is(new Set(ids).size, 3 * minors.length);
  for (const minor of minors.slice(0, -1)) {
    const { whole, slots, spacers } = clockClasses(minor);
    t.deepEqual([whole, slots].map(minorOfSpacers), [null, null]);
    t.is(minorOfSpacers(spacers), minor);
    t.is(spacerAddress(minor), `127.72.13.${minor}`);
  }
  t.is(clockClasses(HOME_CLASS_MINOR).slots, '2:10');
});
