// Where the page is served and to whom; settings as JSON.
import test from 'ava';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { renderUciFile } from '../../src/core/config/uci/uci-writer.ts';
import { findHouseSide, isInHouse, parseDefaultRoutes } from '../../src/core/web/house-side.ts';
import { readSections, renderSections } from '../../src/core/web/settings.ts';

const own = [
  { netdev: 'lo', address: '127.0.0.1', length: 8 },
  { netdev: 'eth0', address: '198.51.100.7', length: 24 },
  { netdev: 'wlan0', address: '10.42.0.1', length: 24 },
  { netdev: 'wlan0', address: 'fe80::1', length: 64 },
  { netdev: 'wlan0', address: 'fd42::1', length: 64 },
  { netdev: 'eth1', address: '192.168.1.1', length: 24 },
  { netdev: 'iotvpn0', address: '10.73.0.2', length: 24 },
];
const outside = new Set(['eth0', 'iotvpn0']);

test('it is served in the devices’ networks, and asked from the house', (t) => {
  const side = findHouseSide(own, ['wlan0'], outside);
  t.deepEqual(side.addresses, ['10.42.0.1', 'fd42::1']);
  for (const inside of ['10.42.0.99', 'fd42::abcd', '192.168.1.5']) {
    t.true(isInHouse(inside, side), inside);
  }
  for (const foreign of [
    '198.51.100.9',
    '203.0.113.1',
    '10.73.0.1',
    '10.43.0.1',
    '::1',
    '127.0.0.1',
    '',
  ]) {
    t.false(isInHouse(foreign, side), foreign);
  }
});

test('before a network is chosen it is served in all of the house, and never on the Internet’s side', (t) => {
  t.deepEqual(findHouseSide(own, [], outside).addresses, ['10.42.0.1', '192.168.1.1', 'fd42::1']);
  t.deepEqual(findHouseSide(own, ['eth0'], outside).addresses, []);
  t.deepEqual(findHouseSide(own, ['wlan9'], outside).addresses, []);
});

test('default routes are read as the kernel lists them', (t) => {
  const ipv4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	016433C6	0003	0	0	100	00000000	0	0	0
wlan0	002A0A0A	00000000	0001	0	0	600	00FFFFFF	0	0	0
`;
  const zeros = '0'.repeat(32);
  const ipv6 = `fd420000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001    wlan0
${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     ppp0
${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo
`;
  t.deepEqual([...parseDefaultRoutes(ipv4, ipv6)], ['eth0', 'ppp0']);
  t.deepEqual([...parseDefaultRoutes('', '')], []);
});

test('settings go to the page and back as they were', (t) => {
  const text = `
config iotshaper 'main'
	option rate '40'
	list house 'br-a'
	list house 'it'\\''s'

config network
	option device 'wlan0'

`;
  const sections = readSections(Object.values(renderSections(parseUci(text, 'iotshaper'))));
  t.is(renderUciFile({ name: 'iotshaper', sections: sections! }).toString(), text);
});

for (const [what, value] of [
  ['no list', {}],
  ['no section', [null]],
  ['a type with a blank', [{ '.type': 'a b', '.name': 'x', '.anonymous': false }]],
  ['a name with a quote', [{ '.type': 'a', '.name': "x'", '.anonymous': false }]],
  ['no name', [{ '.type': 'a', '.anonymous': false }]],
  ['an option with a blank', [{ '.type': 'a', '.name': 'x', '.anonymous': true, 'a b': '1' }]],
  ['a number', [{ '.type': 'a', '.name': 'x', '.anonymous': true, a: 1 }]],
  ['a list of lists', [{ '.type': 'a', '.name': 'x', '.anonymous': true, a: [['1']] }]],
  ['too many', Array(2001).fill({ '.type': 'a', '.anonymous': true })],
] as const) {
  test(`${what} is no settings`, (t) => {
    t.is(readSections(value), null);
  });
}
