// The week in runs: the schedule the service has in force at each minute, and where several apply.
import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../src/core/config/config.ts';
import { activeRate, findOverlaps } from '../../src/core/config/schedule.ts';
import type { Day, ScheduleConfig } from '../../src/core/config/types.ts';
import { days, WEEK_MINUTES, weekRuns } from '../../src/core/config/week.ts';
import { scheduleShares } from '../../src/core/cost/shares.ts';

const { config: base } = parseConfig('');

const schedule = fc.record({
  section: fc.constant('x'),
  days: fc.subarray([...days], { minLength: 1 }),
  startMinute: fc.integer({ min: 0, max: 1439 }),
  endMinute: fc.integer({ min: 0, max: 1439 }),
  rateKBps: fc.constantFrom(0, 2.5, 5, 20),
});
const schedules = fc
  .array(schedule, { maxLength: 5 })
  .map((all): ScheduleConfig[] => all.map((one, index) => ({ ...one, section: String(index) })));

const entry = (text: string): ScheduleConfig => {
  const [list = '', startMinute, endMinute] = text.split(' ');
  return {
    section: text,
    days: list.split(',') as Day[],
    startMinute: Number(startMinute),
    endMinute: Number(endMinute),
    rateKBps: 5,
  };
};

test('the run at a minute is the schedule the service has in force then', (t) => {
  const minute = fc.record({
    day: fc.integer({ min: 0, max: 6 }),
    at: fc.integer({ min: 0, max: 1439 }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(schedules, fc.array(minute, { minLength: 20 }), (all, minutes) => {
        const runs = weekRuns(all);
        return minutes.every(({ day, at }) => {
          const run = runs.find(
            (one) => one.day === day && one.startMinute <= at && at < one.endMinute,
          );
          const { source } = activeRate(
            { ...base, schedules: all },
            { day: days[day]!, minute: at },
          );
          return source === (run ? `schedule ${all[run.index]?.section}` : 'main.rate');
        });
      }),
      { numRuns: 60 },
    ),
  );
});

test('runs follow each other, none is empty, and neighbours differ', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(schedules, (all) =>
        weekRuns(all).every(({ day, startMinute, endMinute, index, isContested }, at, runs) => {
          const next = runs[at + 1];
          const isLater = next === undefined || next.day > day || next.startMinute >= endMinute;
          const isOther =
            next?.day !== day ||
            next.startMinute > endMinute ||
            next.index !== index ||
            next.isContested !== isContested;
          return startMinute < endMinute && endMinute <= 1440 && isLater && isOther;
        }),
      ),
      { numRuns: 200 },
    ),
  );
});

test('something is contested where two schedules overlap, and only then', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        schedules,
        (all) =>
          weekRuns(all).some(({ isContested }) => isContested) === findOverlaps(all).length > 0,
      ),
      { numRuns: 200 },
    ),
  );
  const [night, early] = [entry('sun 1320 360'), entry('mon 300 540')];
  t.deepEqual(
    weekRuns([night, early]).filter(({ isContested }) => isContested),
    [{ day: 0, startMinute: 300, endMinute: 360, index: 1, isContested: true }],
  );
  t.deepEqual(weekRuns([]), []);
});

test('shares add up to what the runs last', (t) => {
  const total = (all: ScheduleConfig[]) =>
    scheduleShares({ schedules: all }).reduce((sum, { share }) => sum + share, 0);
  t.true(
    Math.abs(total([entry('sun 1320 360'), entry('mon 300 540')]) - 660 / WEEK_MINUTES) < 1e-12,
  );
  t.is(total([]), 0);
});
