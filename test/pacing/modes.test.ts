// Every registered mode keeps what its stream promises, and is known wherever modes are named.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { STALL_SLOTS } from '../../src/core/analysis/audit.ts';
import { modeNames, modes, sdOf } from '../../src/core/pacing/modes.ts';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { sdBounds } from '../../src/core/stream/stream.ts';
import { variants } from '../../src/research/lab/options.ts';
import { variantNames } from '../../src/research/simulation/variants.ts';
import { sdOf as deviationOf, meanOf } from '../moments.ts';
import { draws } from '../property-runs.ts';

const N = draws(200_000);

for (const mode of modeNames) {
  for (const sdPercent of [sdBounds.least, 30, sdBounds.most]) {
    test(`${mode} keeps mean, deviation and reach at ${sdPercent} %`, (t) => {
      const random = seededRandom(3);
      const schedule = new IntervalSchedule({ mode, meanMs: 1, sdPercent, random });
      const intervals = Array.from({ length: N }, () => schedule.nextMs());
      const sd = sdOf(mode, sdPercent) / 100;
      t.is(schedule.sdMs, sd);
      // Four standard errors, and what a floor above zero may move.
      t.true(Math.abs(meanOf(intervals) - 1) <= (4 * sd) / Math.sqrt(N) + 0.0005);
      t.true(Math.abs(deviationOf(intervals) - sd) <= sd * (4 / Math.sqrt(2 * N) + 0.002));
      const { shortest, longest } = modes[mode].reach(sdPercent);
      const [least, most] = [
        intervals.reduce((a, b) => Math.min(a, b)),
        intervals.reduce((a, b) => Math.max(a, b)),
      ];
      t.true(shortest > 0 && least >= shortest && most <= longest, `${least} … ${most}`);
      t.true(least - shortest < 0.02 && longest - most < 0.02);
      // What the audit calls a stall is no mode's doing.
      t.true(longest < STALL_SLOTS);
    });
  }

  test(`neighbours are independent in ${mode}`, (t) => {
    const random = seededRandom(4);
    const schedule = new IntervalSchedule({ mode, meanMs: 1, sdPercent: 30, random });
    const intervals = Array.from({ length: N }, () => (schedule.nextMs() - 1) / 0.3);
    for (const lag of [1, 2, 3]) {
      const products = intervals.slice(lag).map((one, index) => one * intervals[index]!);
      t.true(Math.abs(meanOf(products)) < 4 / Math.sqrt(N), `lag ${lag}`);
    }
  });

  test(`${mode} is told of in words, and can be simulated and tried in the lab`, (t) => {
    const { does, label, title, picture } = modes[mode].words;
    for (const text of [does, label, title, picture]) t.not(text, '');
    t.regex(readFileSync('docs/configuration.md', 'utf8'), new RegExp(`\`${mode}\` ${does}`));
    t.true(variants.includes(mode));
    for (const filling of ['padded', 'packed'] as const)
      t.true(variantNames.includes(`${filling}-${mode}`));
    // Goes by its name in a control message and in UCI.
    t.regex(mode, /^[a-z]{1,16}$/);
  });
}
