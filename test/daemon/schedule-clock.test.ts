// Schedules by the clock and zone of a machine: they wait for the clock, and then take over by themselves.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { ScheduleClock } from '../../src/shell/home/schedule-clock.ts';
import { machineBelow } from '../system/machine.ts';

const NIGHT =
  "config iotshaper 'main'\n\toption rate '40'\n\nconfig schedule 'night'\n\toption start '00:00'\n\toption end '06:00'\n\toption rate '0'\n";
const { config } = parseConfig(NIGHT);
const { config: plain } = parseConfig("config iotshaper 'main'\n\toption rate '40'\n");
const ofFile = notice('nobody-shaped', { path: 'iotshaper' });
const fine = { ok: true, errors: [], warnings: [ofFile] };

/** OpenWrt's files, its clock, and what the service made of them. */
function router(t: ExecutionContext, startText: string) {
  const root = mkdtempSync(join(tmpdir(), 'iotshaper-schedule-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'etc'));
  mkdirSync(join(root, 'run'));
  writeFileSync(join(root, 'etc/openwrt_release'), '');
  const time = { unixMs: Date.parse(startText), monotonicMs: 20_000 };
  const logged: string[] = [];
  const clock = new ScheduleClock({
    system: machineBelow(root, {
      clock: { unixMs: () => time.unixMs, monotonicMs: () => time.monotonicMs },
    }),
    runDir: '/run',
    log: (level, text) => logged.push(`${level}: ${text}`),
    notBeforeMs: Date.parse('2024-01-01T00:00Z'),
  });
  return {
    clock,
    logged,
    write: (path: string, text = '') => writeFileSync(join(root, path), text),
    pass: (seconds: number) => {
      time.unixMs += seconds * 1000;
      time.monotonicMs += seconds * 1000;
    },
    setClock: (text: string) => {
      time.unixMs = Date.parse(text);
    },
    source: () => clock.rateOf(config).source,
    warnings: () => clock.annotate(fine, config).warnings,
  };
}

test('after a start nothing rests by a clock nobody has set, and the status says why', (t) => {
  const { source, warnings, logged, pass } = router(t, '2024-05-01T02:00Z');
  for (let seconds = 0; seconds < 3600; seconds++) {
    t.is(source(), 'main.rate');
    pass(1);
  }
  const [first, waiting, ...others] = warnings();
  t.deepEqual(first, ofFile);
  t.regex(
    wordsOf(waiting!),
    /^the router’s clock is not set yet, so schedules wait and the main rate holds; /,
  );
  t.deepEqual(others, []);
  t.deepEqual(logged, [`warning: ${wordsOf(waiting!)}`], 'said once');
});

test('the schedule takes over by itself once the clock is set', (t) => {
  const { source, warnings, logged, pass, setClock } = router(t, '2024-05-01T02:00Z');
  t.is(source(), 'main.rate');
  pass(30);
  setClock('2026-11-28T21:31:30Z');
  t.is(source(), 'main.rate');
  t.deepEqual(warnings(), [ofFile]);
  t.is(logged.at(-1), 'notice: the clock is set: schedules apply');
  pass(3 * 3600);
  t.is(source(), 'schedule night');
});

test('a clock that started right is taken once the time daemon says so', (t) => {
  const { source, pass, write } = router(t, '2026-11-28T02:00Z');
  t.is(source(), 'main.rate');
  write('run/clock-set');
  pass(5);
  t.is(source(), 'schedule night');
});

test('a zone chosen while the service runs counts within a minute', (t) => {
  const { source, warnings, pass, write } = router(t, '2027-01-15T11:30Z');
  write('run/clock-set');
  t.is(source(), 'main.rate');
  write('etc/TZ', 'NZST-12NZDT,M9.5.0,M4.1.0/3\n');
  pass(10);
  t.is(source(), 'schedule night');
  write('etc/TZ', 'Pacific/Auckland\n');
  pass(10);
  t.is(source(), 'main.rate');
  t.regex(wordsOf(warnings()[1]!), /^the time zone "Pacific\/Auckland" of \/etc\/TZ /);
});

test('without schedules nobody needs a clock', (t) => {
  const { clock, source, logged } = router(t, '2024-05-01T02:00Z');
  t.is(clock.rateOf(plain).source, 'main.rate');
  t.is(clock.annotate(fine, plain).warnings.length, 1);
  t.deepEqual(clock.annotate(fine, null), fine);
  t.deepEqual(logged, []);
  t.is(source(), 'main.rate');
  t.is(clock.annotate(fine, config).warnings.length, 2);
  t.is(clock.annotate(fine, plain).warnings.length, 1, 'gone with the schedule');
});
