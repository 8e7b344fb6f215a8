// The week as the schedule divides it: which rate holds when, where entries meet, shares of time.
'use strict';
'require baseclass';
'require iotshaper.options as options';

/** @typedef {{ days: string[], start: number, end: number, rateKBps: number }} Entry minutes after midnight */
/** @typedef {{ day: number, start: number, end: number }} Span minutes of one day, 0 is Monday */

const DAYS = options.schedule.days.choices.map(({ value }) => value);
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;

/**
 * The entry in force at each minute of the week, -1 for none: where two meet, the later one counts,
 * as the service has it. An end at or before the start is on the next day.
 * @param {readonly Entry[]} entries
 */
function layOut(entries) {
  const inForce = new Int16Array(WEEK_MINUTES).fill(-1);
  /** Entries that lost to a later one, by minute. @type {Set<number>} */
  const contested = new Set();
  for (const [index, { days, start, end }] of entries.entries()) {
    const length = end > start ? end - start : end - start + DAY_MINUTES;
    for (const day of days) {
      const first = DAYS.indexOf(day) * DAY_MINUTES + start;
      for (let minute = first; minute < first + length; minute++) {
        const at = minute % WEEK_MINUTES;
        const before = inForce[at];
        if (before !== undefined && before >= 0 && before !== index) contested.add(at);
        inForce[at] = index;
      }
    }
  }
  return { inForce, contested };
}

/**
 * Runs of minutes of one day for which a test holds.
 * @param {(minute: number) => number} keyOf -1 for no run
 * @returns {(Span & { key: number })[]}
 */
function runsOf(keyOf) {
  /** @type {(Span & { key: number })[]} */
  const runs = [];
  for (let day = 0; day < 7; day++)
    for (let minute = 0; minute < DAY_MINUTES; minute++) {
      const key = keyOf(day * DAY_MINUTES + minute);
      const last = runs.at(-1);
      if (last && last.day === day && last.key === key && last.end === minute) last.end++;
      else runs.push({ day, start: minute, end: minute + 1, key });
    }
  return runs.filter(({ key }) => key >= 0);
}

const api = {
  DAYS,

  /** The schedule as UCI holds it; sections that say no times are left out. @param {UciSection[]} sections */
  entriesOf: (sections) =>
    sections.flatMap(({ days, start, end, rate }) => {
      const [from, to] = [api.parseTime(String(start)), api.parseTime(String(end))];
      if (from === null || to === null) return [];
      const all = days === undefined ? DAYS : L.toArray(days).map(String);
      return [{ days: all, start: from, end: to, rateKBps: Number(rate) }];
    }),

  /** `06:30` as minutes after midnight, or nothing. @param {string} text */
  parseTime(text) {
    const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
    return hours === undefined || minutes === undefined
      ? null
      : Number(hours) * 60 + Number(minutes);
  },

  /** @param {number} minutes */
  formatTime(minutes) {
    const hours = String(Math.floor(minutes / 60)).padStart(2, '0');
    return `${hours}:${String(minutes % 60).padStart(2, '0')}`;
  },

  /** What holds when: runs of one entry, `key` its index. @param {readonly Entry[]} entries */
  runs(entries) {
    const { inForce } = layOut(entries);
    return runsOf((minute) => inForce[minute] ?? -1);
  },

  /** When two entries meet; `key` is the one that counts. @param {readonly Entry[]} entries */
  overlaps(entries) {
    const { inForce, contested } = layOut(entries);
    return runsOf((minute) => (contested.has(minute) ? (inForce[minute] ?? -1) : -1));
  },

  /** Share of all time for which each entry is in force. @param {readonly Entry[]} entries */
  shares(entries) {
    const minutes = new Array(entries.length).fill(0);
    for (const index of layOut(entries).inForce) if (index >= 0) minutes[index]++;
    return minutes.map((count) => count / WEEK_MINUTES);
  },
};

/** @typedef {typeof api} Week */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
