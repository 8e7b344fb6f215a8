// The week as schedules divide it: which of them holds when, and where several meet.
import type { Day, ScheduleConfig } from './types.ts';

/** What of a schedule says when it holds. */
export type Times = Pick<ScheduleConfig, 'days' | 'startMinute' | 'endMinute'>;

/** A moment of the local week. */
export interface LocalTime {
  day: Day;
  /** Minutes after midnight, 0…1439. */
  minute: number;
}

export const days: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
export const DAY_MINUTES = 24 * 60;
export const WEEK_MINUTES = 7 * DAY_MINUTES;

export function weekMinuteOf({ day, minute }: LocalTime): number {
  return days.indexOf(day) * DAY_MINUTES + minute;
}

/** Minutes from one minute of the week to the next time it is another. */
export function minutesUntil(from: number, to: number): number {
  return (to - from + WEEK_MINUTES) % WEEK_MINUTES;
}

/** Start in the week and length of every run of a schedule, in minutes. */
export function runsOf({ days: starts, startMinute, endMinute }: Times) {
  const length =
    endMinute > startMinute ? endMinute - startMinute : endMinute - startMinute + DAY_MINUTES;
  return starts.map((day) => ({ start: weekMinuteOf({ day, minute: startMinute }), length }));
}

/** Whether a schedule holds at a minute of the week. */
export function covers(schedule: Times, minute: number): boolean {
  return runsOf(schedule).some(({ start, length }) => minutesUntil(start, minute) < length);
}

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
