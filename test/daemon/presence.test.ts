// Chosen devices that are missed while strangers are there, and the words for it.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { tellMissing } from '../../src/core/home/devices/device-findings.ts';
import { Presence } from '../../src/core/home/devices/presence.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import type { FollowedDevice } from '../../src/core/plan/facts.ts';

const CAMERA = 'f4:b8:5e:00:00:01';
const PLUG = 'f4:b8:5e:00:00:02';
const camera = `config device\n\toption name 'Camera'\n\toption mac '${CAMERA}'\n`;
const plug = "config device\n\toption name 'Plug'\n\tlist ip '192.168.8.12'\n";
const network = "config network\n\toption device 'br-iot'\n";

/** Watches a home; `ADDRESS MAC [STATE [NETDEV]]` a neighbour, times in minutes. */
function watch(text: string, followed: FollowedDevice[] = []) {
  const { config } = parseConfig(text);
  const presence = new Presence();
  return (atMin: number, ...lines: string[]) => {
    const { findings, remark } = tellMissing(
      presence.observe({
        config,
        neighbours: lines.map((line) => {
          const [dst = '', lladdr = '', state = 'REACHABLE', dev = 'br-iot'] = line.split(' ');
          return { dst, dev, lladdr, state: [state] };
        }),
        followed,
        houseNetdevs: ['br-iot', 'br-lan'],
        own: new Set(['02:00:00:00:00:01']),
        nowMs: atMin * 60_000,
      }),
    );
    return { findings, remark: remark ? wordsOf(remark) : '' };
  };
}

const stranger = (n: number, dev = 'br-iot', state = 'REACHABLE') =>
  `192.168.8.${100 + n} 00:11:22:33:44:${10 + n} ${state} ${dev}`;

test('a device that is there is not missed, nor one that left with nobody else there', (t) => {
  const see = watch(camera);
  t.is(see(0, `192.168.8.11 ${CAMERA}`, stranger(1)).remark, '');
  t.is(see(20, `192.168.8.11 ${CAMERA}`, stranger(1)).remark, '');
  t.is(see(34, stranger(1)).remark, '');
  t.is(see(60).remark, '');
});

test('a device gone for a quarter of an hour while strangers use its netdev', (t) => {
  const see = watch(camera);
  see(0, `192.168.8.11 ${CAMERA}`);
  t.is(see(14, stranger(1)).remark, '');
  t.is(
    see(15, stranger(1)).remark,
    'Camera has not been seen for 15 minutes while a device you did not choose uses br-iot; if one of them is it, choose it again.',
  );
  const { remark, findings } = see(
    125,
    stranger(1),
    stranger(2),
    stranger(3),
    stranger(4, 'br-lan'),
  );
  t.is(
    remark,
    'Camera has not been seen for 2 hours while 3 devices you did not choose use br-iot; if one of them is it, choose it again.',
  );
  t.deepEqual(
    findings.map((one) => [one.section, wordsOf(one), one.blocks]),
    [
      [
        '@device[0]',
        `iotshaper.@device[0]: ${remark.slice(0, -1)} (LuCI → Services → IoT Privacy → Devices)`,
        false,
      ],
    ],
  );
});

test('a device that was never seen may be on any netdev of the house', (t) => {
  const see = watch(camera);
  see(0, stranger(1), stranger(2, 'br-lan'), stranger(3, 'wan'));
  t.is(
    see(15, stranger(1), stranger(2, 'br-lan'), stranger(3, 'wan')).remark,
    'Camera has not been seen since the service started 15 minutes ago while 2 devices you did not choose use br-iot and br-lan; if one of them is it, choose it again.',
  );
});

test('several are told in one sentence', (t) => {
  const see = watch(camera + plug);
  see(0);
  const { remark, findings } = see(3000, stranger(1));
  t.is(
    remark,
    'Camera and Plug have not been seen lately while a device you did not choose uses br-iot; if one of them is among these, choose it again.',
  );
  t.is(findings.length, 2);
  t.regex(
    wordsOf(findings[1]!),
    /^iotshaper\.@device\[1\]: Plug has not been seen since the service started 2 days ago/,
  );
});

const quiet: [name: string, text: string, lines: string[], followed?: FollowedDevice[]][] = [
  ['entries that have gone stale', camera, [stranger(1, 'br-iot', 'STALE')]],
  ['the router itself', camera, ['192.168.8.1 02:00:00:00:00:01']],
  ['other chosen devices', camera + plug, [`192.168.8.12 ${PLUG}`, `fe80::12 ${PLUG}`]],
  [
    'hardware learned of other chosen devices',
    camera + plug,
    [`192.168.8.50 ${PLUG}`],
    [{ section: '@device[1]', macs: [PLUG], addresses: [] }],
  ],
  ['a netdev that is chosen as a whole', camera + network, [stranger(1)]],
  ['netdevs beside the house', camera, [stranger(1, 'wan')]],
];

for (const [name, text, lines, followed] of quiet) {
  test(`no strangers: ${name}`, (t) => {
    const see = watch(text, followed);
    see(0, ...lines);
    const { remark } = see(100, ...lines);
    t.false(remark.includes('Camera'), remark);
  });
}

test('learned addresses and hardware count as the device', (t) => {
  const see = watch(camera, [
    { section: '@device[0]', macs: ['da:a1:19:12:34:56'], addresses: ['192.168.8.70'] },
  ]);
  see(0);
  t.is(see(60, stranger(1), '192.168.8.50 da:a1:19:12:34:56').remark, '');
  t.is(see(120, stranger(1), '192.168.8.70 00:11:22:33:44:99').remark, '');
});

test('devices that are not shaped, and prefixes, are not missed', (t) => {
  const see = watch(
    `${camera}\toption policy 'bypass'\nconfig device\n\tlist ip '192.168.9.0/24'\n`,
  );
  see(0, stranger(1));
  t.is(see(60, stranger(1)).remark, '');
});
