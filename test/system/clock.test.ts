// Whether the clock has been set, told by what a machine shows of it.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ClockWatch } from '../../src/shell/system/clock.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { machineBelow } from './machine.ts';

const BUILT_MS = Date.parse('2026-06-01T00:00Z');
const NOW_MS = Date.parse('2026-11-28T21:31Z');
const OPENWRT = 'etc/openwrt_release';
const TIMESYNCD = 'run/systemd/timesync';
const NOTE = '/var/run/iotshaper/clock-set';

/** Files of a machine that has been up for a minute; a path that ends in a slash is a folder. */
function machine(t: ExecutionContext, files: readonly (string | [string, string])[]) {
  const root = mkdtempSync(join(tmpdir(), 'iotshaper-clock-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const write = (path: string, text = '') => {
    const place = join(root, path);
    mkdirSync(path.endsWith('/') ? place : dirname(place), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(place, text);
  };
  for (const file of [...files, 'var/run/iotshaper/']) {
    if (typeof file === 'string') write(file);
    else write(...file);
  }
  const start = (unixMs: number) =>
    new ClockWatch(
      { system: machineBelow(root), notePath: NOTE, notBeforeMs: BUILT_MS },
      { unixMs, monotonicMs: 60_000 },
    );
  return { write, start, noted: () => existsSync(join(root, NOTE)) };
}

const known = test.macro({
  title: (name) => `${name}`,
  exec(t, files: readonly (string | [string, string])[], set: boolean, noted: boolean) {
    const { start, noted: isNoted } = machine(t, files);
    t.is(start(NOW_MS).isSet({ unixMs: NOW_MS, monotonicMs: 60_000 }), set);
    t.is(isNoted(), noted);
  },
});

const rtc = (path: string, text: string): [string, string] => [`sys/class/rtc/${path}`, text];
test('OpenWrt after a start: not known', known, [OPENWRT], false, false);
test('OpenWrt once its time daemon has spoken', known, [OPENWRT, NOTE], true, true);
test('OpenWrt where dnsmasq heard it', known, [OPENWRT, 'var/state/dnsmasqsec'], true, true);
test('started from a battery clock', known, [OPENWRT, rtc('rtc0/hctosys', '1\n')], true, false);
test(
  'a battery clock that did not set it',
  known,
  [OPENWRT, rtc('rtc0/hctosys', '0\n')],
  false,
  false,
);
test(
  'a second battery clock set it',
  known,
  [OPENWRT, rtc('rtc0/hctosys', '0\n'), rtc('rtc1/hctosys', '1\n')],
  true,
  false,
);
test('systemd-timesyncd still waits', known, [`${TIMESYNCD}/`], false, false);
test('systemd-timesyncd has set it', known, [`${TIMESYNCD}/synchronized`], true, true);
test('a machine where nobody would say', known, [], true, false);

test('a date before the program was built is never right, whatever says so', (t) => {
  const early = Date.parse('2024-05-01T02:00Z');
  for (const files of [[OPENWRT, NOTE], [OPENWRT, rtc('rtc0/hctosys', '1')], []] as const) {
    const watch = machine(t, files).start(early);
    t.false(watch.isSet({ unixMs: early, monotonicMs: 60_000 }));
    t.true(watch.isSet({ unixMs: NOW_MS, monotonicMs: 61_000 }));
  }
});

test('a clock that jumps was set, forwards or back, and the next start of the service knows', (t) => {
  for (const setMs of [NOW_MS + 86_400_000, NOW_MS - 60_000]) {
    const { start, noted } = machine(t, [OPENWRT]);
    const watch = start(NOW_MS);
    t.false(watch.isSet({ unixMs: NOW_MS + 3_600_000 + 4000, monotonicMs: 3_660_000 }), 'drift');
    t.false(noted());
    t.true(watch.isSet({ unixMs: setMs + 3_601_000, monotonicMs: 3_661_000 }));
    t.true(noted());
    t.true(start(setMs).isSet({ unixMs: setMs, monotonicMs: 3_700_000 }));
  }
});

test('files are looked for every five seconds, and what is known stays so', (t) => {
  const { write, start } = machine(t, [OPENWRT]);
  const watch = start(NOW_MS);
  const isSet = (afterMs: number) =>
    watch.isSet({ unixMs: NOW_MS + afterMs, monotonicMs: 60_000 + afterMs });
  t.false(isSet(0));
  write('var/state/dnsmasqsec');
  t.false(isSet(4999));
  t.true(isSet(5000));
  t.true(watch.isSet({ unixMs: 0, monotonicMs: 70_000 }));
});

test('a folder that can’t be written keeps nobody from knowing', async (t) => {
  const { files } = nodeSystem;
  let writing: Promise<void> | null = null;
  const write = (path: string): Promise<void> => {
    writing = files.write(path, '');
    return writing;
  };
  const watch = new ClockWatch(
    { system: { files: { ...files, write } }, notePath: '/proc/none/clock-set', notBeforeMs: 0 },
    { unixMs: 0, monotonicMs: 0 },
  );
  t.true(watch.isSet({ unixMs: 60_000, monotonicMs: 0 }));
  await t.throwsAsync(writing!, { code: 'ENOENT' });
});
