// Which rate is in force at a time of the week, and when that changes next.
import { offsetAt, type PosixTimeZone } from './posix-time-zone.ts';
import type { Config, Day, Rate, ScheduleConfig } from './types.ts';
import { covers, days, type LocalTime, runsOf, weekMinuteOf } from './week.ts';

/** The rate in force; both rates 0 means shaping is off (a plain tunnel). */
export interface ActiveRate {
  uploadKBps: number;
  downloadKBps: number;
  /** `schedule NAME` with the section's name as `uci show` has it. */
  source: Rate['source'] | `schedule ${string}`;
}

/**
 * Local time of a moment. Not the platform's own: without zone files it reads POSIX strings by their names alone, and
 * is an hour off in half of the year from Sydney to Dublin.
 */
export function localTimeOf(unixMs: number, zone: PosixTimeZone): LocalTime {
  const local = new Date(unixMs + offsetAt(zone, Math.floor(unixMs / 1000)) * 1000);
  const day = days[(local.getUTCDay() + 6) % 7] as Day;
  return { day, minute: local.getUTCHours() * 60 + local.getUTCMinutes() };
}

function activeSchedule(config: Config, minute: number): ScheduleConfig | undefined {
  return config.schedules.findLast((schedule) => covers(schedule, minute));
}

/**
 * The rate in force at `now`: that of the schedule which covers it, the later one in the file
 * where several do, else the configured rate. Schedules stand above a typed `rate` section too:
 * that one says what the rate is at all other times, and while nobody knows the time (null).
 */
export function activeRate(config: Config, now: LocalTime | null): ActiveRate {
  const schedule = now === null ? undefined : activeSchedule(config, weekMinuteOf(now));
  if (schedule === undefined) return { ...config.main.rate };
  const { rateKBps, section } = schedule;
  return { uploadKBps: rateKBps, downloadKBps: rateKBps, source: `schedule ${section}` };
}

/** Pairs of schedules that apply at the same time, in the order of the file. */
export function findOverlaps(
  schedules: readonly ScheduleConfig[],
): [ScheduleConfig, ScheduleConfig][] {
  const overlap = (first: ScheduleConfig, second: ScheduleConfig) =>
    runsOf(first).some(({ start }) => covers(second, start)) ||
    runsOf(second).some(({ start }) => covers(first, start));
  return schedules.flatMap((first, index) =>
    schedules
      .slice(index + 1)
      .filter((second) => overlap(first, second))
      .map((second): [ScheduleConfig, ScheduleConfig] => [first, second]),
  );
}
