import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import type { Cost } from '../../luci-app/htdocs/luci-static/resources/iotshaper/cost.js';
import type { Hosts } from '../../luci-app/htdocs/luci-static/resources/iotshaper/hosts.js';
import type { Makers } from '../../luci-app/htdocs/luci-static/resources/iotshaper/makers.js';
import type { Settings } from '../../luci-app/htdocs/luci-static/resources/iotshaper/settings.js';
import type { Week } from '../../luci-app/htdocs/luci-static/resources/iotshaper/week.js';
import { renderNoticesModule } from '../../scripts/notices.mjs';
import { renderOptionsModule } from '../../scripts/options.mjs';
import { parseConfig } from '../../src/core/config/config.ts';
import { mainSection } from '../../src/core/config/options/options.ts';
import { activeRate } from '../../src/core/config/schedule.ts';
import type { Day } from '../../src/core/config/types.ts';
import { costOf } from '../../src/core/cost/cost.ts';
import { type NoticeCode, notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { modeChoices } from '../../src/core/pacing/modes.ts';
import { slotMs } from '../../src/core/stream/stream.ts';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import { loadModule } from './modules.ts';

const options = loadModule<Options>('iotshaper.options');
const notices = loadModule<Notices>('iotshaper.notices');
const cost = loadModule<Cost>('iotshaper.cost');
const week = loadModule<Week>('iotshaper.week', {
  options,
  L: { toArray: (value: unknown) => [value].flat() },
});
const makers = loadModule<Makers>('iotshaper.makers');
const hosts = loadModule<Hosts>('iotshaper.hosts', {
  makers,
  options,
  L: { toArray: (value: unknown) => (value === undefined ? [] : [value].flat()) },
});

test('the page counts cost as the service does', (t) => {
  const rate = fc.double({ min: 0.25, max: 10000, noNaN: true });
  t.notThrows(() =>
    fc.assert(
      fc.property(rate, rate, fc.integer({ min: 256, max: 1400 }), (up, down, packetBytes) => {
        const { gbPerMonth } = costOf({ uploadKBps: up, downloadKBps: down, packetBytes });
        const shown = cost.gbPerMonth(up, down, packetBytes);
        return Math.abs(shown - gbPerMonth) <= 1e-12 * gbPerMonth;
      }),
    ),
  );
});

test('a schedule changes the cost as the service counts it', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 2.5, 5, 100), { minLength: 1, maxLength: 4 }),
        (rates) => {
          const share = 0.9 / rates.length;
          const { gbPerMonth } = costOf({
            uploadKBps: 40,
            downloadKBps: 20,
            packetBytes: 512,
            schedules: rates.map((rate) => ({ share, uploadKBps: rate, downloadKBps: rate })),
          });
          const parts = rates.map((rateKBps) => ({ share, rateKBps }));
          return Math.abs(cost.gbWithSchedule(40, 20, 512, parts) - gbPerMonth) < 1e-9 * gbPerMonth;
        },
      ),
    ),
  );
});

test('useful rates rise and are all allowed', (t) => {
  const { min = 0, max = 0 } = options.main.rate;
  t.deepEqual(
    cost.usefulRates,
    [...cost.usefulRates].sort((a, b) => a - b),
  );
  t.true(cost.usefulRates.every((rate) => rate >= min && rate <= max));
  t.true(cost.usefulRates.includes(40));
});

test('the page’s module of options is that of the table as it stands', async (t) => {
  const built = 'dist/htdocs/luci-static/resources/iotshaper/options.js';
  t.is(readFileSync(built, 'utf8'), await renderOptionsModule());
});

test('the page’s words for what the service tells are those of the service as they stand', async (t) => {
  const built = 'dist/htdocs/luci-static/resources/iotshaper/notices.js';
  t.is(readFileSync(built, 'utf8'), await renderNoticesModule());
  const why = notice('queue-replaced', { kind: 'fq_codel' });
  const said = notice('blocked-cut-off', { why });
  t.is(notices.wordsOf(said, String), wordsOf(said));
  t.true(notices.knows(said));
  for (const strange of [
    { ...said, code: 'of-tomorrow' as NoticeCode },
    notice('blocked-cut-off', { why: { ...why, code: 'constructor' as NoticeCode } }),
  ])
    t.false(notices.knows(strange));
});

test('bounds, choices and defaults of the page are those of the option table', (t) => {
  const { packet_size: size, mode, interval_sd: sd, data_cap: cap } = options.main;
  t.like(size, { type: 'number', min: 256, max: 1400, step: 1, unit: 'bytes', advanced: true });
  t.like(sd, { type: 'number', min: 1, max: 40, unit: '%' });
  t.like(options.schedule.rate, { type: 'number', min: 0.25, max: 10000, default: '' });
  t.true(cap.min! > 0 && cap.max === undefined);
  t.deepEqual(
    mode?.choices.map(({ value }) => value),
    modeChoices,
  );
  t.is(options.device.name.maxLength, 64);
  const empty = loadModule<Settings>('iotshaper.settings', { options, uci: { get: () => null } });
  for (const { name, default: standard } of mainSection.options)
    t.is(empty.value(name), standard, name);
});

test('every choice a person meets has a word', (t) => {
  for (const option of [options.main.mode!, options.device.policy])
    for (const { value, label } of option.choices) t.regex(label, /^[A-Z]/, value);
});

test('the page reckons a slot as the service does', (t) => {
  t.is(cost.slotMs(40, 512), slotMs(40, 512));
});

const entry = fc.record({
  days: fc.subarray([...week.DAYS], { minLength: 1 }),
  start: fc.integer({ min: 0, max: 1439 }),
  end: fc.integer({ min: 0, max: 1439 }),
  rateKBps: fc.constantFrom(0, 2.5, 5, 20),
});

test('the week shown is the week the service keeps', (t) => {
  const minute = fc.record({
    day: fc.integer({ min: 0, max: 6 }),
    at: fc.integer({ min: 0, max: 1439 }),
  });
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 5 }),
        fc.array(minute, { minLength: 20 }),
        (entries, minutes) => {
          const text = entries
            .map(
              ({ days, start, end, rateKBps }) =>
                `config schedule\n${days.map((day) => `\tlist days '${day}'\n`).join('')}\toption start '${week.formatTime(start)}'\n\toption end '${week.formatTime(end)}'\n\toption rate '${rateKBps}'\n`,
            )
            .join('\n');
          const { config } = parseConfig(text);
          const runs = week.runs(entries);
          for (const { day, at } of minutes) {
            const run = runs.find((one) => one.day === day && one.start <= at && at < one.end);
            const shown = run ? `schedule @schedule[${run.key}]` : 'main.rate';
            const { source } = activeRate(config, { day: week.DAYS[day] as Day, minute: at });
            if (source !== shown) return false;
          }
          return true;
        },
      ),
      { numRuns: 60 },
    ),
  );
});

test('overlaps are the times at which two entries hold', (t) => {
  const night = { days: ['sun'], start: 22 * 60, end: 6 * 60, rateKBps: 5 };
  const early = { days: ['mon'], start: 5 * 60, end: 9 * 60, rateKBps: 0 };
  t.deepEqual(week.overlaps([night, early]), [{ day: 0, start: 300, end: 360, key: 1 }]);
  t.deepEqual(week.overlaps([early, night]), [{ day: 0, start: 300, end: 360, key: 1 }]);
  t.deepEqual(week.overlaps([night]), []);
  t.deepEqual(week.shares([night, early]), [7 / 168, 4 / 168]);
});

test('the schedule is read as UCI holds it', (t) => {
  const section = { '.name': 's', '.type': 'schedule', '.anonymous': true, '.index': 0 };
  t.deepEqual(
    week.entriesOf([
      { ...section, days: ['mon', 'sun'], start: '22:00', end: '06:00', rate: '5' },
      { ...section, start: '00:00', end: '01:00', rate: '0' },
      { ...section, start: 'noon', end: '13:00', rate: '1' },
    ]),
    [
      { days: ['mon', 'sun'], start: 1320, end: 360, rateKBps: 5 },
      { days: week.DAYS, start: 0, end: 60, rateKBps: 0 },
    ],
  );
});

test('times of day are read as UCI has them', (t) => {
  t.is(week.parseTime('06:30'), 390);
  t.is(week.parseTime('23:59'), 1439);
  for (const text of ['24:00', '6', '06:60', '', 'noon']) t.is(week.parseTime(text), null, text);
});

test('makers of the paper’s devices are found by their address', (t) => {
  const found = deviceCatalogue.map(({ id, macPrefix }) => [
    id,
    makers.find(`${macPrefix}:00:00:01`),
  ]);
  t.deepEqual(Object.fromEntries(found), {
    sense: 'Texas Instruments',
    'nest-cam': 'Nest',
    amcrest: 'Amcrest',
    'wemo-switch': 'Belkin (WeMo)',
    'tp-link-plug': 'TP-Link',
    'orvibo-socket': 'Hi-Flying',
    echo: 'Amazon',
  });
  t.is(makers.find('00:00:00:00:00:01'), '');
  t.true(makers.isMadeUp('da:a1:19:00:00:04'));
  t.false(makers.isMadeUp('18:b4:30:00:00:01'));
});

test('addresses a person types are read or refused', (t) => {
  t.deepEqual(hosts.parseAddress(' 18-B4-30-00-00-01 '), { mac: '18:b4:30:00:00:01' });
  t.deepEqual(hosts.parseAddress('192.168.1.50'), { ip: '192.168.1.50' });
  t.deepEqual(hosts.parseAddress('192.168.1.64/26'), { ip: '192.168.1.64/26' });
  t.deepEqual(hosts.parseAddress('FD00::5'), { ip: 'fd00::5' });
  for (const text of ['', 'plug', '192.168.1.256', '192.168.1.0/33', '18:b4:30', 'fd00::/129'])
    t.is(hosts.parseAddress(text), null, text);
});

test('a device known in several places is one host', (t) => {
  const section = { '.name': 'cfg1', '.type': 'device', '.anonymous': true, '.index': 0 };
  const merged = hosts.merge(
    {
      hints: {
        '44:65:0D:00:00:02': { ipaddrs: ['192.168.1.51'], ip6addrs: ['fe80::1'] },
        'C6:92:22:AE:94:5C': { ipaddrs: ['192.168.1.1'], name: 'OpenWrt.lan' },
        '02:00:00:00:00:09': { ip6addrs: ['fe80::9'] },
      },
      leases: {
        dhcp_leases: [{ macaddr: '44:65:0d:00:00:02', hostname: 'echo', ipaddr: '192.168.1.51' }],
      },
    },
    [],
    [{ ...section, ip: ['192.168.1.51'], policy: 'block', name: 'Kitchen Echo' }],
    ['192.168.1.1'],
  );
  t.is(merged.length, 1);
  const [echo] = merged;
  t.like(echo, {
    mac: '44:65:0d:00:00:02',
    name: 'Kitchen Echo',
    policy: 'block',
    section: 'cfg1',
    maker: 'Amazon',
  });
  t.deepEqual(echo?.ip, ['192.168.1.51']);
});
