// Where the time zone comes from, and that a zone chosen anew is taken over.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { offsetAt } from '../../src/core/config/posix-time-zone.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { TimeZoneReader } from '../../src/shell/system/time-zone.ts';
import { machineBelow } from './machine.ts';

const SUMMER_S = Date.parse('2027-07-15T00:00Z') / 1000;

/** A machine's files in a folder of their own. */
class Machine {
  readonly root: string = mkdtempSync(join(tmpdir(), 'iotshaper-zone-'));

  constructor(t: ExecutionContext, files: Record<string, string> = {}) {
    t.teardown(() => rmSync(this.root, { recursive: true }));
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  write(path: string, text: string): void {
    const place = join(this.root, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text, 'latin1');
  }

  reader(TZ?: string): TimeZoneReader {
    return new TimeZoneReader(
      machineBelow(this.root, { environment: TZ === undefined ? {} : { TZ } }),
    );
  }
}

/** A zone file with tables that hold line ends, and its last line. */
const zoneFile = (footer: string, version = '2') =>
  `TZif${version}${'\0'.repeat(39)}\n\x0a\xff\x0aCET\0\n${footer}\n`;

const hoursOf = (reader: TimeZoneReader, nowMs = 0) =>
  offsetAt(reader.read(nowMs), SUMMER_S) / 3600;

const sources = test.macro({
  title: (name) => `${name}`,
  exec(t, files: Record<string, string>, TZ: string | undefined, hours: number) {
    const reader = new Machine(t, files).reader(TZ);
    t.is(hoursOf(reader), hours);
    t.is(reader.fault, null);
  },
});

const berlin = 'CET-1CEST,M3.5.0,M10.5.0/3';
test('nothing at all: UTC', sources, {}, undefined, 0);
test(
  'OpenWrt’s file before all others',
  sources,
  {
    'etc/TZ': 'IST-5:30\n',
    'etc/localtime': zoneFile('JST-9'),
  },
  'EST5',
  5.5,
);
test('an empty file says nothing', sources, { 'etc/TZ': '\n' }, 'EST5', -5);
test('what OpenWrt has until somebody chooses', sources, { 'etc/TZ': 'UTC\n' }, undefined, 0);
test(
  'the environment before the zone file',
  sources,
  { 'etc/localtime': zoneFile('JST-9') },
  'EST5',
  -5,
);
test(
  'the last line of the zone file',
  sources,
  { 'etc/localtime': zoneFile(berlin) },
  undefined,
  2,
);
test(
  'a zone by its name in the environment',
  sources,
  {
    'usr/share/zoneinfo/America/Port-au-Prince': zoneFile('EST5'),
    'etc/localtime': zoneFile('JST-9'),
  },
  ':America/Port-au-Prince',
  -5,
);
test(
  'a name leads nowhere else',
  sources,
  { 'etc/localtime': zoneFile('EST5') },
  '../../../etc/localtime',
  -5,
);
test('a name nobody knows', sources, { 'etc/localtime': zoneFile('JST-9') }, 'Nowhere/At_All', 9);
test('a zone file without a last line', sources, { 'etc/localtime': zoneFile('') }, undefined, 0);
test(
  'a zone file of the first version has none',
  sources,
  {
    'etc/localtime': zoneFile(berlin, '\0'),
  },
  undefined,
  0,
);
test('something else in its place', sources, { 'etc/localtime': 'EST5\n' }, undefined, 0);

test('reads the zone files of this system', (t) => {
  const reader = new TimeZoneReader({
    ...nodeSystem,
    processes: { ...nodeSystem.processes, environment: () => 'Australia/Sydney' },
  });
  t.is(offsetAt(reader.read(0), SUMMER_S), 10 * 3600);
  t.is(offsetAt(reader.read(0), Date.parse('2027-01-15T00:00Z') / 1000), 11 * 3600);
});

test('a zone chosen anew is taken over within ten seconds, and no file is read before', (t) => {
  const machine = new Machine(t, { 'tmp/TZ': 'EST5\n' });
  mkdirSync(join(machine.root, 'etc'));
  symlinkSync('../tmp/TZ', join(machine.root, 'etc/TZ'));
  const reader = machine.reader();
  t.is(hoursOf(reader, 1000), -5);
  machine.write('tmp/TZ', `${berlin}\n`);
  t.is(hoursOf(reader, 10_999), -5);
  t.is(hoursOf(reader, 11_000), 2);
  rmSync(join(machine.root, 'tmp/TZ'));
  machine.write('etc/localtime', zoneFile('JST-9'));
  t.is(hoursOf(reader, 21_000), 9);
});

test('a zone that is none: UTC, and a sentence that names it, until there is a better one', (t) => {
  const machine = new Machine(t, {
    'etc/TZ': 'Europe/Berlin\n',
    'etc/localtime': zoneFile('JST-9'),
  });
  const reader = machine.reader();
  t.is(hoursOf(reader, 0), 0);
  t.is(
    wordsOf(reader.fault!),
    'the time zone "Europe/Berlin" of /etc/TZ is not one such as "CET-1CEST,M3.5.0,M10.5.0/3", so schedules follow UTC; choose the zone again in LuCI under System → System',
  );
  machine.write('etc/TZ', `A"\x1b${'b'.repeat(5000)}`);
  t.is(hoursOf(reader, 10_000), 0);
  t.regex(wordsOf(reader.fault!), /^the time zone "A\\"\\u001bb{57}…" of \/etc\/TZ is not one/);
  machine.write('etc/TZ', 'EST5');
  t.is(hoursOf(reader, 20_000), -5);
  t.is(reader.fault, null);
});
