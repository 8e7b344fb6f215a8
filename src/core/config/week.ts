// The week as schedules divide it: which of them holds when, and where several meet.
import { covers, DAY_MINUTES, runsOf, type Times, WEEK_MINUTES } from './schedule.ts';

/** Minutes of one day in which the same schedule holds. */
export interface WeekRun {
  /** 0 is Monday. */
  day: number;
  /** Minutes after midnight; the end is not in the run. */
  startMinute: number;
  endMinute: number;
  /** Place of the schedule in force among those given: the later one where several apply. */
  index: number;
  /** Whether others would apply too. */
  isContested: boolean;
}

/** Every run of the week in order, cut at midnight; none where no schedule holds. */
export function weekRuns(schedules: readonly Times[]): WeekRun[] {
  const midnights = Array.from({ length: 7 }, (_, day) => day * DAY_MINUTES);
  const turns = schedules
    .flatMap(runsOf)
    .flatMap(({ start, length }) => [start, (start + length) % WEEK_MINUTES]);
  const cuts = [...new Set([...midnights, ...turns])].sort((a, b) => a - b);
  const runs: WeekRun[] = [];
  for (const [at, cut] of cuts.entries()) {
    const holding = schedules.flatMap((one, index) => (covers(one, cut) ? [index] : []));
    const index = holding[holding.length - 1];
    if (index === undefined) continue;
    const day = Math.floor(cut / DAY_MINUTES);
    const startMinute = cut - day * DAY_MINUTES;
    const endMinute = (cuts[at + 1] ?? WEEK_MINUTES) - day * DAY_MINUTES;
    const isContested = holding.length > 1;
    const last = runs[runs.length - 1];
    const goesOn =
      last?.day === day &&
      last.endMinute === startMinute &&
      last.index === index &&
      last.isContested === isContested;
    if (goesOn) last.endMinute = endMinute;
    else runs.push({ day, startMinute, endMinute, index, isContested });
  }
  return runs;
}
