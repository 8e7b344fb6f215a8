// Time zones as POSIX writes them in TZ (POSIX.1-2017, 8.3), the only form a router without zone files has.

/** A zone; offsets are seconds to add to UTC, so the opposite sign of what the string has. */
export interface PosixTimeZone {
  standardS: number;
  /** The other half of the year; null where clocks never change. */
  daylight: DaylightTime | null;
}

export interface DaylightTime {
  offsetS: number;
  /** In standard time. */
  start: YearlyTime;
  /** In daylight time. */
  end: YearlyTime;
}

/** A time that comes once a year. */
export type YearlyTime = YearlyDay & {
  /** Seconds after the day's midnight; may be negative or beyond the day (RFC 9636, 3.3.2). */
  timeS: number;
};

type YearlyDay =
  /** Week 1…5, 5 the last of the month; weekday 0 is Sunday. */
  | { kind: 'weekday'; month: number; week: number; weekday: number }
  /** Days after 1 January. */
  | { kind: 'day'; day: number; countsLeapDay: boolean };

const DAY_S = 86_400;
const DEFAULT_TIME_S = 2 * 3600;
/** Two names and no rule: what the C library takes then, the rule of the United States. */
const DEFAULT_RULES = ['M3.2.0', 'M11.1.0'];
const LONGEST = 200;

const NAME = '(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)';
const OFFSET = '[+-]?\\d{1,2}(?::\\d{1,2}){0,2}';
const ZONE = new RegExp(
  `^${NAME}(?<standard>${OFFSET})(?:${NAME}(?<daylight>${OFFSET})?(?:,(?<start>[^,]+),(?<end>[^,]+))?(?<other>))?$`,
);
const TIME = /^([+-]?)(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?$/;
const RULE = /^(?:M(\d{1,2})\.(\d)\.(\d)|(J?)(\d{1,3}))(?:\/(.+))?$/;

/** What is written where nobody chose a zone. */
const UTC_NAMES = ['UTC', 'GMT'];
/** Universal time, for where no zone is known. */
export const UTC: PosixTimeZone = { standardS: 0, daylight: null };

/** Reads a string such as `CET-1CEST,M3.5.0,M10.5.0/3`; null when it is none. */
export function parseTimeZone(text: string): PosixTimeZone | null {
  if (text.length > LONGEST) return null;
  if (UTC_NAMES.includes(text)) return UTC;
  const parts = ZONE.exec(text)?.groups;
  if (!parts) return null;
  const west = parseTime(parts.standard!, 24);
  if (west === null) return null;
  const standardS = east(west);
  if (parts.other === undefined) return { standardS, daylight: null };
  const daylightWest = parts.daylight ? parseTime(parts.daylight, 24) : west - 3600;
  const start = parseYearlyTime(parts.start ?? DEFAULT_RULES[0]!);
  const end = parseYearlyTime(parts.end ?? DEFAULT_RULES[1]!);
  if (daylightWest === null || !start || !end) return null;
  return { standardS, daylight: { offsetS: east(daylightWest), start, end } };
}

/** POSIX counts west of Greenwich; never −0. */
function east(westS: number): number {
  return 0 - westS;
}

function parseYearlyTime(text: string): YearlyTime | null {
  const match = RULE.exec(text);
  if (!match) return null;
  const [, month, week, weekday, julian, day, time] = match;
  const timeS = time === undefined ? DEFAULT_TIME_S : parseTime(time, 167);
  if (timeS === null) return null;
  if (month !== undefined) {
    const [m, w, d] = [Number(month), Number(week), Number(weekday)];
    const sound = m >= 1 && m <= 12 && w >= 1 && w <= 5 && d <= 6;
    return sound ? { kind: 'weekday', month: m, week: w, weekday: d, timeS } : null;
  }
  const n = Number(day);
  if (julian === 'J') {
    return n >= 1 && n <= 365 ? { kind: 'day', day: n - 1, countsLeapDay: false, timeS } : null;
  }
  return n <= 365 ? { kind: 'day', day: n, countsLeapDay: true, timeS } : null;
}

/** `[+-]hh[:mm[:ss]]` in seconds. */
function parseTime(text: string, mostHours: number): number | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [hours, minutes, seconds] = [match[2], match[3] ?? 0, match[4] ?? 0].map(Number) as [
    number,
    number,
    number,
  ];
  if (hours > mostHours || minutes > 59 || seconds > 59) return null;
  return (match[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}

/** Seconds to add to UTC at a moment. */
export function offsetAt({ standardS, daylight }: PosixTimeZone, unixS: number): number {
  if (!daylight) return standardS;
  const year = new Date(unixS * 1000).getUTCFullYear();
  // A switch may lie a week outside its year. Of two at one moment the later in this list counts: daylight time that ends
  // with the year as it begins anew never ends (RFC 9636, 3.3.2).
  const switches = [year - 1, year, year + 1].flatMap((y) => [
    { atS: startOf(daylight.start, y) - standardS, offsetS: daylight.offsetS },
    { atS: startOf(daylight.end, y) - daylight.offsetS, offsetS: standardS },
  ]);
  return switches
    .filter(({ atS }) => atS <= unixS)
    .reduce((latest, one) => (one.atS >= latest.atS ? one : latest)).offsetS;
}

/** A yearly time as seconds since 1970 of the local clock. */
function startOf(time: YearlyTime, year: number): number {
  return dayOf(time, year) * DAY_S + time.timeS;
}

/** Days since 1970. */
function dayOf(time: YearlyDay, year: number): number {
  if (time.kind === 'weekday') {
    const first = daysTo(year, time.month - 1);
    const weekday = new Date(first * DAY_S * 1000).getUTCDay();
    const days = ((time.weekday - weekday + 7) % 7) + (time.week - 1) * 7;
    return first + days < daysTo(year, time.month) ? first + days : first + days - 7;
  }
  const leapDayPassed =
    !time.countsLeapDay && time.day >= 59 && daysTo(year, 2) - daysTo(year, 1) > 28;
  return daysTo(year, 0) + time.day + (leapDayPassed ? 1 : 0);
}

/** Days from 1970 to the first of a month, counted from 0. */
function daysTo(year: number, month: number): number {
  return Date.UTC(year, month, 1) / (DAY_S * 1000);
}
