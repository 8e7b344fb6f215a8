// What the router's resolver knows by itself, from the files that it reads.
import test from 'ava';
import { parseUci } from '../../../src/core/config/uci/uci.ts';
import { parseDnsmasqLeases } from '../../../src/core/home/devices/leases.ts';
import { findName, gatherNames } from '../../../src/core/home/names/house-names.ts';

const dhcp = parseUci(
  "config dnsmasq\n\toption domain 'home.example'\n\toption local '/home.example/lan/'\n" +
    "\tlist address '/cam.test/192.168.1.9'\n\tlist address '/ads.test/'\n",
  'dhcp',
);
const hosts = [
  '127.0.0.1 localhost\n192.168.1.1 OpenWrt.home.example. OpenWrt # the router\nbad name\n\n192.168.1.2\n',
  'fd00::5\thub.lan\n192.168.1.5 hub.lan -x-\n',
];
const leases = parseDnsmasqLeases(
  '1700000000 18:b4:30:00:00:01 192.168.8.11 Camera *\n1 18:b4:30:00:00:02 192.168.8.12 bank.example *\n',
);
const names = gatherNames({ dhcp, hosts, leases });

for (const [name, addresses] of [
  ['openwrt.home.example', ['192.168.1.1']],
  ['openwrt', ['192.168.1.1']],
  ['camera.home.example', ['192.168.8.11']],
  ['camera', ['192.168.8.11']],
  ['hub.lan', ['fd00::5', '192.168.1.5']],
  // Its own domain: asked of nobody, known or not.
  ['nobody.home.example', []],
  ['home.example', []],
  ['a.b.lan', []],
  ['cam.test', ['192.168.1.9']],
  ['a.cam.test', ['192.168.1.9']],
  ['xcam.test', null],
  ['ads.test', null],
  ['lan.example', null],
  ['example', null],
  // A lease names no more than a host.
  ['bank.example', null],
  ['-x-', null],
] as const) {
  test(`${name}: ${addresses === null ? 'goes its way' : addresses.join(' ') || 'no such name'}`, (t) => {
    t.deepEqual(findName(names, name), addresses && [...addresses]);
  });
}

test('without OpenWrt’s settings the house is lan', (t) => {
  const plain = gatherNames({ dhcp: null, hosts, leases });
  t.deepEqual(findName(plain, 'camera.lan'), ['192.168.8.11']);
  t.deepEqual(findName(plain, 'nobody.lan'), []);
  t.is(findName(plain, 'nobody.home.example'), null);
});

test('settings without a local domain keep unknown names from nobody', (t) => {
  const bare = gatherNames({ dhcp: parseUci('config dnsmasq\n', 'dhcp'), hosts: [], leases: [] });
  t.is(findName(bare, 'nobody.lan'), null);
});

test('a list of names as long as one likes is held in bounds', (t) => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `0.0.0.0 n${index}.example`);
  const same = Array.from({ length: 300 }, (_, index) => `192.168.1.${index % 250} many.example`);
  const { addresses } = gatherNames({ dhcp: null, hosts: [...same, ...lines], leases: [] });
  t.is(addresses.size, 5000);
  t.is(addresses.get('many.example')?.length, 8);
});
