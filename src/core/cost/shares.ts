// How much of a week each schedule's rate is in force.
import type { ScheduleConfig } from '../config/types.ts';
import { type Times, WEEK_MINUTES, weekRuns } from '../config/week.ts';
import type { RateShare } from './cost.ts';

/** Shares of the week under schedules; the rest of it is at the configured rate. */
export function scheduleShares({
  schedules,
}: {
  schedules: readonly (Times & Pick<ScheduleConfig, 'rateKBps'>)[];
}): RateShare[] {
  return weekRuns(schedules).map(({ startMinute, endMinute, index }) => {
    const { rateKBps } = schedules[index]!;
    const share = (endMinute - startMinute) / WEEK_MINUTES;
    return { share, uploadKBps: rateKBps, downloadKBps: rateKBps };
  });
}
