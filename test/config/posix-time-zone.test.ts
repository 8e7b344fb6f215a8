// Time zones as POSIX strings: the same local time as the C library has, at every switch.
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { offsetAt, parseTimeZone, UTC } from '../../src/core/config/posix-time-zone.ts';
import { localTimeOf } from '../../src/core/config/schedule.ts';
import { TIME_ZONES } from './time-zones.ts';

const secondsOf = (text: string): number => Date.parse(text) / 1000;
const FIRST_S = secondsOf('2027-01-01T00:00Z');
const LAST_S = secondsOf('2029-01-01T00:00Z');
const STEP_S = 6 * 3600;

/**
 * What `date` prints for these moments under TZ, one a line. Which rule two names without one follow POSIX leaves open: musl
 * has that of the United States, glibc what it finds in a file, which newer machines have no more.
 */
function askLibrary(zone: string, moments: readonly number[]): string[] {
  const isRuleless = /^[A-Z]+\d+[A-Z]+$/.test(zone);
  const printed = execFileSync('date', ['-f', '-', '+%a %H:%M'], {
    env: {
      ...{ PATH: process.env.PATH, LC_ALL: 'C' },
      TZ: isRuleless ? `${zone},M3.2.0,M11.1.0` : zone,
    },
    input: moments.map((unixS) => `@${unixS}\n`).join(''),
    encoding: 'utf8',
  });
  return printed.trim().toLowerCase().split('\n');
}

function localTime(zone: string, unixS: number): string {
  const { day, minute } = localTimeOf(unixS * 1000, parseTimeZone(zone) ?? UTC);
  const two = (n: number) => `${n}`.padStart(2, '0');
  return `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** Moments all over two years (one a leap year), and the seconds about each of our own switches. */
function momentsOf(zone: string): number[] {
  const steps = Array.from({ length: (LAST_S - FIRST_S) / STEP_S }, (_, i) => FIRST_S + i * STEP_S);
  const parsed = parseTimeZone(zone)!;
  const switches = steps
    .filter((atS) => offsetAt(parsed, atS) !== offsetAt(parsed, atS + STEP_S))
    .map((atS) => findSwitch((s) => offsetAt(parsed, s), atS, atS + STEP_S));
  return [...steps, ...switches.flatMap((atS) => [-60, -1, 0, 59, 60].map((by) => atS + by))];
}

/** The first second of the new offset. */
function findSwitch(offset: (unixS: number) => number, beforeS: number, afterS: number): number {
  let [low, high] = [beforeS, afterS];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === offset(beforeS)) low = middle;
    else high = middle;
  }
  return high;
}

const others = {
  'two names without a rule': 'EST5EDT',
  'an own daylight offset': 'AAA-1BBB-1:30,M3.2.0,M11.1.0',
  'seconds in offset and time': 'LMT-0:25:21DST-1:25:21,M3.5.0/1:02:03,M10.5.0/4:05:06',
  'Julian days that pass over 29 February': 'AAA3BBB,J59/2,J300/2',
  'Julian days after 29 February': 'AAA3BBB,J60/2,J365/3',
  'days that count 29 February': 'AAA3BBB,59/2,364/1',
  'daylight time over the turn of the year': 'AAA-10BBB,300,59/26',
  'times a week off': 'AAA5BBB,M3.2.0/-167,M11.1.0/167',
};

for (const [name, zone] of Object.entries({ ...TIME_ZONES, ...others })) {
  test(`${name}, ${zone}: as the C library has it`, (t) => {
    const moments = momentsOf(zone);
    const expected = askLibrary(zone, moments);
    t.is(expected.length, moments.length);
    const wrong = moments
      .map((unixS, i) => ({ at: `@${unixS}`, got: localTime(zone, unixS), expected: expected[i] }))
      .filter(({ got, expected }) => got !== expected);
    t.deepEqual(wrong.slice(0, 3), []);
  });
}

test('zones that change their clocks do so twice a year here too', (t) => {
  for (const [name, zone] of Object.entries(TIME_ZONES)) {
    const switches = (momentsOf(zone).length - (LAST_S - FIRST_S) / STEP_S) / 5;
    t.is(switches, zone.includes(',') ? 4 : 0, name);
  }
});

for (const [zone, moment, expected] of [
  ['AEST-10AEDT,M10.1.0,M4.1.0/3', '2027-01-15T11:30Z', 'fri 22:30'],
  ['IST-1GMT0,M10.5.0,M3.5.0/1', '2027-01-15T22:30Z', 'fri 22:30'],
  ['CET-1CEST,M3.5.0,M10.5.0/3', '2027-07-15T20:30Z', 'thu 22:30'],
  ['EST5EDT', '2027-03-14T07:00Z', 'sun 03:00'],
  ['UTC', '2027-07-15T20:30Z', 'thu 20:30'],
  ['GMT', '2027-07-15T20:30Z', 'thu 20:30'],
  // The C library takes each year by itself and errs for hours about the turn of the year.
  ['AAA3BBB,59/2,365/1', '2028-01-01T02:59Z', 'sat 00:59'],
  ['AAA3BBB,59/2,365/1', '2028-01-01T03:00Z', 'sat 00:00'],
  ['XXX3EDT4,0/0,J365/23', '2026-12-31T23:59Z', 'thu 19:59'],
  ['XXX3EDT4,0/0,J365/23', '2027-01-01T00:00Z', 'thu 20:00'],
  ['XXX3EDT4,0/0,J365/23', '2027-01-01T04:00Z', 'fri 00:00'],
  ['EST+5', '1969-12-31T23:59Z', 'wed 18:59'],
] as const) {
  test(`${zone} at ${moment}: ${expected}`, (t) => {
    t.is(localTime(zone, secondsOf(moment)), expected);
  });
}

for (const bad of [
  '',
  'Europe/Berlin',
  'CET',
  'CE-1',
  '<+1>-1',
  'CET-25',
  'CET-1:60',
  'CET-1:00:60',
  'CET-1:00:00:00',
  'CET-1,M3.5.0,M10.5.0/3',
  'CET-1CEST,M3.5.0',
  'CET-1CEST,M3.5.0,',
  'CET-1CEST,M0.5.0,M10.5.0/3',
  'CET-1CEST,M13.5.0,M10.5.0/3',
  'CET-1CEST,M3.0.0,M10.5.0/3',
  'CET-1CEST,M3.6.0,M10.5.0/3',
  'CET-1CEST,M3.5.7,M10.5.0/3',
  'CET-1CEST,M3.5,M10.5.0/3',
  'CET-1CEST,J0,J300',
  'CET-1CEST,J1,J366',
  'CET-1CEST,0,366',
  'CET-1CEST,M3.5.0/168,M10.5.0/3',
  'CET-1CEST,M3.5.0/,M10.5.0/3',
  'CET-1CEST,M3.5.0,M10.5.0/3,M11.5.0',
  'CET-1CEST,M3.5.0,M10.5.0/3 ',
  ' CET-1',
  'CET-1\n',
  `CET-1<${'A'.repeat(300)}>`,
]) {
  test(`${JSON.stringify(bad.slice(0, 40))} is no zone`, (t) => {
    t.is(parseTimeZone(bad), null);
  });
}
