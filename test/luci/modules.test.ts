// The page's own modules, without a browser: what the build makes, and what in them is pure.
import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Hosts } from '../../luci-app/htdocs/luci-static/resources/iotshaper/hosts.js';
import type { Makers } from '../../luci-app/htdocs/luci-static/resources/iotshaper/makers.js';
import { renderNoticesModule } from '../../scripts/notices.mjs';
import { renderCoreModule } from '../../scripts/page.mjs';
import { mainSection } from '../../src/core/config/options/options.ts';
import { toleratedRates, usefulRates } from '../../src/core/cost/tolerated-rates.ts';
import { type NoticeCode, notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { type Field, fieldsOf } from '../../src/core/page/fields.ts';
import type * as page from '../../src/core/page/page.ts';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import { loadModule } from './modules.ts';

const L = { toArray: (value: unknown) => (value === undefined ? [] : [value].flat()) };
const core = loadModule<typeof page>('iotshaper.core');
const notices = loadModule<Notices>('iotshaper.notices');
const makers = loadModule<Makers>('iotshaper.makers');
const hosts = loadModule<Hosts>('iotshaper.hosts', { makers, core, L });

test('the page’s module of the core is made of the sources as they stand', async (t) => {
  const built = 'dist/htdocs/luci-static/resources/iotshaper/core.js';
  t.is(readFileSync(built, 'utf8'), await renderCoreModule());
});

test('the module computes as the core does, and is small', async (t) => {
  const names = (fields: readonly Field[]) => fields.map(({ name }) => name);
  t.deepEqual(names(core.fieldsOf(core.mainSection)), names(fieldsOf(mainSection)));
  const { gbPerMonth } = core.costOf({ uploadKBps: 40, downloadKBps: 40, packetBytes: 512 });
  t.is(gbPerMonth.toFixed(1), '228.4');
  t.true(Buffer.byteLength(await renderCoreModule()) < 25_000);
});

test('useful rates rise and are all allowed', (t) => {
  const rate = core.fieldsOf(core.mainSection).find(({ name }) => name === 'rate');
  t.deepEqual(
    usefulRates,
    [...usefulRates].sort((a, b) => a - b),
  );
  t.deepEqual(
    usefulRates.map((each) => rate?.findFault(String(each))),
    usefulRates.map(() => null),
  );
  t.true(usefulRates.includes(40));
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

test('the devices whose rates are known are the paper’s', (t) => {
  t.deepEqual(
    toleratedRates.map(({ id }) => id).sort(),
    deviceCatalogue.map(({ id }) => id).sort(),
  );
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
