// What a person is told of chosen devices and of resolvers beside them.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { findChanceChoices, tellResolvers } from '../../src/core/home/devices/device-findings.ts';
import { wordsOf } from '../../src/core/notices/words.ts';

const camera = "config device\n\toption name 'Camera'\n\toption mac 'f4:b8:5e:00:00:01'\n";
const plug = "config device 'plug'\n\toption name 'Plug'\n\tlist ip '192.168.8.12'\n";
const network = "config network\n\toption device 'br-iot'\n";
const PIHOLE = '00:11:22:33:44:53';

function choices(text: string, netdev: string | null) {
  return findChanceChoices(parseConfig(text).config, () => netdev).map((one) => wordsOf(one));
}

test('a device chosen by address is always told of', (t) => {
  t.deepEqual(choices(plug, null), [
    'iotshaper.plug.ip: Plug is chosen by its address, which its next lease may change; give it a fixed one (LuCI → Network → DHCP and DNS → Static Leases), or choose the whole network it is in',
  ]);
  t.deepEqual(choices(plug, 'br-lan'), [
    'iotshaper.plug.ip: Plug is chosen by its address, which its next lease may change; give it a fixed one (LuCI → Network → DHCP and DNS → Static Leases), or choose all behind br-lan: run "uci add iotshaper network; uci set iotshaper.@network[-1].device=br-lan; uci commit iotshaper; reload_config"',
  ]);
});

test('devices chosen by hardware are told of once for their netdev, once that is known', (t) => {
  const five =
    camera +
    [2, 3, 4, 5].map((n) => camera.replace('Camera', `Cam ${n}`).replace(':01', `:0${n}`)).join('');
  t.deepEqual(choices(five, null), []);
  t.deepEqual(choices(five, 'br-lan'), [
    'iotshaper: single devices are chosen on br-lan (Camera, Cam 2, Cam 3 and 2 more), and one that changes its hardware address may be lost sight of; where all behind br-lan may be hidden, run "uci add iotshaper network; uci set iotshaper.@network[-1].device=br-lan; uci commit iotshaper; reload_config"',
  ]);
});

test('nothing is to be told of whole networks, prefixes, and what is not shaped', (t) => {
  t.deepEqual(choices(camera + plug + network, 'br-iot'), []);
  t.deepEqual(choices("config device\n\tlist ip '192.168.8.0/24'\n", 'br-iot'), []);
  t.deepEqual(choices(`${plug}\toption policy 'block'\n`, 'br-lan'), []);
});

function resolvers(
  text: string,
  hosts: [mac: string, address: string][],
  names: [string, string][] = [],
  followed: string[] = [],
) {
  const list = hosts.map(([mac, address]) => ({ mac, address }));
  return tellResolvers(list, parseConfig(text).config, new Map(names), new Set(followed));
}

test('a resolver beside the devices is offered to be chosen, once for all its addresses', (t) => {
  const hosts: [string, string][] = [
    [PIHOLE.toUpperCase(), '192.168.8.53'],
    [PIHOLE, 'fd00:8::53'],
  ];
  const { findings, remark } = resolvers(camera, hosts, [['192.168.8.53', 'pihole']]);
  t.deepEqual(
    findings.map(({ section, blocks }) => [section, blocks]),
    [[null, false]],
  );
  t.is(
    wordsOf(findings[0]!),
    `iotshaper: pihole (${PIHOLE}) asks the Internet for names past the tunnel; if your devices ask it for theirs, your provider sees which and when, so choose it too: LuCI → Services → IoT Privacy → Devices, or run "uci add iotshaper device; uci set iotshaper.@device[-1].mac=${PIHOLE}; uci commit iotshaper; reload_config"`,
  );
  t.is(
    wordsOf(remark!),
    'If your devices ask pihole for names, your provider sees what it looks up for them.',
  );
});

test('several resolvers, one without a name', (t) => {
  const { findings, remark } = resolvers(
    camera,
    [
      [PIHOLE, '192.168.8.53'],
      ['00:11:22:33:44:54', '192.168.8.54'],
    ],
    [[PIHOLE, 'pihole']],
  );
  t.is(findings.length, 2);
  t.is(
    wordsOf(remark!),
    'If your devices ask pihole and 00:11:22:33:44:54 for names, your provider sees what they look up for them.',
  );
});

test('one that was set to bypass is offered the other policy', (t) => {
  const text = `config device 'dns'\n\toption name 'Resolver'\n\toption mac '${PIHOLE}'\n\toption policy 'bypass'\n`;
  const { findings } = resolvers(text, [[PIHOLE, '192.168.8.53']]);
  t.is(findings[0]?.section, 'dns');
  t.regex(
    wordsOf(findings[0]!),
    /Resolver \(00:.*run "uci set iotshaper\.dns\.policy=shape; uci commit/,
  );
});

test('chosen devices are no such hosts, by whatever they are known', (t) => {
  const none = { findings: [], remark: null };
  t.deepEqual(resolvers(plug, [[PIHOLE, '192.168.8.12']]), none);
  t.deepEqual(resolvers(camera, [['f4:b8:5e:00:00:01', '192.168.8.11']]), none);
  t.deepEqual(resolvers(camera, [[PIHOLE, '192.168.8.53']], [], [PIHOLE]), none);
  t.deepEqual(resolvers(camera, []), none);
});
