// Schedules: which rate is in force when.

import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import {
  type ActiveRate,
  activeRate,
  findOverlaps,
  localTimeOf,
} from '../../src/core/config/schedule.ts';
import type { Config, Day, ScheduleConfig } from '../../src/core/config/types.ts';

const { config: base } = parseConfig("config iotshaper 'main'\n\toption upload_rate '30'\n");

/** `night fri 23:00-06:00 5` */
function schedule(text: string): ScheduleConfig {
  const [section = '', days = '', span = '', rate] = text.split(' ');
  const [startMinute = 0, endMinute = 0] = span.split('-').map((time) => {
    const [hours = 0, minutes = 0] = time.split(':').map(Number);
    return hours * 60 + minutes;
  });
  return {
    section,
    days: days.split(',') as Day[],
    startMinute,
    endMinute,
    rateKBps: Number(rate),
  };
}

const withSchedules = (...lines: string[]): Config => ({ ...base, schedules: lines.map(schedule) });
const at = (text: string) => {
  const [day, time = ''] = text.split(' ');
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return { day: day as Day, minute: hours * 60 + minutes };
};

const table = test.macro({
  title: (_, lines: string[], time: string) => `${lines.join(', ') || 'nothing'} at ${time}`,
  exec(t, lines: string[], time: string, source: ActiveRate['source']) {
    const config = withSchedules(...lines);
    t.is(activeRate(config, at(time)).source, source);
  },
});

test(table, [], 'mon 00:00', 'main.rate');
const night = ['night fri 23:00-06:00 5'];
test(table, night, 'fri 22:59', 'main.rate');
test(table, night, 'fri 23:00', 'schedule night');
test(table, night, 'sat 05:59', 'schedule night');
test(table, night, 'sat 06:00', 'main.rate');
test(table, night, 'fri 05:00', 'main.rate');
const sunday = ['late sun 22:00-02:00 5'];
test(table, sunday, 'mon 01:59', 'schedule late');
test(table, sunday, 'mon 02:00', 'main.rate');
const whole = ['day wed 08:00-08:00 0'];
test(table, whole, 'thu 07:59', 'schedule day');
test(table, whole, 'thu 08:00', 'main.rate');
const nested = ['long mon 00:00-12:00 5', 'short mon 06:00-07:00 9'];
test(table, nested, 'mon 05:00', 'schedule long');
test(table, nested, 'mon 06:30', 'schedule short');
test(table, nested, 'mon 07:00', 'schedule long');
const hidden = ['short mon 06:00-07:00 9', 'long mon 00:00-12:00 5'];
test(table, hidden, 'mon 05:00', 'schedule long');
test(table, ['always mon,tue,wed,thu,fri,sat,sun 00:00-00:00 5'], 'tue 03:00', 'schedule always');

test('the rate is that of the schedule in both directions, else as configured', (t) => {
  const config = withSchedules('night mon 00:00-06:00 0');
  t.deepEqual(activeRate(config, at('mon 01:00')), {
    uploadKBps: 0,
    downloadKBps: 0,
    source: 'schedule night',
  });
  t.deepEqual(activeRate(config, at('mon 07:00')), base.main.rate);
});

test('a schedule stands above a typed rate', (t) => {
  const { config } = parseConfig(
    "config 20 'rate'\nconfig schedule\n option start 01:00\n option end 02:00\n option rate 5\n",
  );
  t.is(activeRate(config, at('mon 01:00')).source, 'schedule @schedule[0]');
  t.is(activeRate(config, at('mon 03:00')).source, 'section rate');
});

test('overlaps are found over midnight and over the end of the week', (t) => {
  const overlapping = (first: string, second: string) =>
    findOverlaps([schedule(`a ${first} 5`), schedule(`b ${second} 6`)]).length === 1;
  t.true(overlapping('sun 23:00-01:00', 'mon 00:30-02:00'));
  t.true(overlapping('mon 00:30-02:00', 'sun 23:00-01:00'));
  t.true(overlapping('tue 00:00-23:00', 'tue 05:00-06:00'));
  t.false(overlapping('tue 05:00-06:00', 'tue 06:00-07:00'));
  t.false(overlapping('tue 05:00-06:00', 'wed 05:00-06:00'));
});

test('local time of a moment', (t) => {
  const east = { standardS: 5400, daylight: null };
  const local = (text: string) => localTimeOf(Date.parse(text), east);
  t.deepEqual(local('2024-01-01T11:35:59.999Z'), { day: 'mon', minute: 785 });
  t.deepEqual(local('2024-01-06T22:30Z'), { day: 'sun', minute: 0 });
});

test('while nobody knows the time the rate of main holds', (t) => {
  const always = withSchedules('always mon,tue,wed,thu,fri,sat,sun 00:00-00:00 0');
  t.is(activeRate(always, at('mon 00:00')).source, 'schedule always');
  t.deepEqual(activeRate(always, null), base.main.rate);
});
