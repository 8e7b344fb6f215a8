// Which netdevs are the house: nothing that might lead out, everything of the home that does not.
import test from 'ava';
import { findHouse, type House, type HouseSight } from '../../src/core/home/home-facts.ts';
import type { ListedNetdev } from '../../src/core/home/netdev-kinds.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { netdev, recorded } from './netdevs.ts';

const lo = netdev('lo', ['127.0.0.1/8', '::1/128'], { link_type: 'loopback' });
const lan = netdev('br-lan', ['192.168.1.1/24', 'fd00:1::1/64', 'fe80::1/64'], { kind: 'bridge' });
const iot = netdev('br-iot', ['192.168.8.1/24'], { kind: 'bridge' });
const wan = netdev('wan', ['203.0.113.7/24', '2001:db8::7/64'], { kind: 'dsa' });
const zt = netdev('zt0', ['10.147.17.1/24'], { kind: 'tun' });
const own = new Set(['iot0', 'iotvpn0']);

function look(
  listed: ListedNetdev[],
  {
    uplinks = [],
    carriers = [],
    networks = [],
    named = [],
  }: Partial<Record<'uplinks' | 'carriers' | 'networks' | 'named', string[]>>,
): ReturnType<typeof findHouse> {
  const sight: HouseSight = {
    listed,
    uplinks: new Set(uplinks),
    carriers: new Set(carriers),
    networks,
    named,
    own,
  };
  return findHouse(sight);
}

const cases: {
  name: string;
  listed: ListedNetdev[];
  uplinks?: string[];
  carriers?: string[];
  networks?: string[];
  named?: string[];
  netdevs: string[];
  prefixes: string[];
  /** Names of those left out with words. */
  doubtful?: string[];
}[] = [
  {
    name: 'the usual router',
    listed: [lo, wan, lan, iot],
    uplinks: ['wan'],
    networks: ['br-iot'],
    netdevs: ['br-iot', 'br-lan'],
    prefixes: ['192.168.1.0/24', '192.168.8.0/24', 'fd00:1::/64'],
  },
  {
    name: 'behind another router: a private WAN is none of it',
    listed: [lo, netdev('wan', ['192.168.178.20/24']), lan],
    uplinks: ['wan'],
    netdevs: ['br-lan'],
    prefixes: ['192.168.1.0/24', 'fd00:1::/64'],
  },
  {
    name: 'a WAN with a public address is none, even before it has its default route',
    listed: [lo, wan, iot],
    netdevs: ['br-iot'],
    prefixes: ['192.168.8.0/24'],
    doubtful: ['wan'],
  },
  {
    name: 'a network that leads out is none, though it is named',
    listed: [lo, lan, iot],
    uplinks: ['br-iot'],
    networks: ['br-iot'],
    netdevs: ['br-lan'],
    prefixes: ['192.168.1.0/24', 'fd00:1::/64'],
  },
  {
    name: 'link-local addresses make no house',
    listed: [lo, netdev('eth2', ['169.254.3.4/16', 'fe80::2/64'])],
    netdevs: [],
    prefixes: [],
  },
  {
    name: 'a named network is one even without any address',
    listed: [lo, netdev('br-iot', ['fe80::2/64']), netdev('eth3', [])],
    networks: ['br-iot', 'eth3'],
    netdevs: ['br-iot', 'eth3'],
    prefixes: [],
  },
  {
    name: 'delegated, public prefixes are the house too, on any of its netdevs',
    listed: [
      lo,
      netdev('br-iot', ['192.168.8.1/24', '2001:db8:8::1/64']),
      netdev('br-lan', ['192.168.1.1/24', '2001:db8:81::1/64', '2001:db8:91::1/64', 'fe80::1/64']),
    ],
    networks: ['br-iot'],
    netdevs: ['br-iot', 'br-lan'],
    prefixes: [
      '192.168.1.0/24',
      '192.168.8.0/24',
      '2001:db8:81::/64',
      '2001:db8:8::/64',
      '2001:db8:91::/64',
    ],
  },
  {
    name: 'tunnels are none unless the user names them, our own netdevs never',
    listed: [
      lo,
      lan,
      netdev('wg0', ['10.9.0.2/24'], { link_type: 'none', kind: 'wireguard' }),
      netdev('wg1', ['10.10.0.2/24'], { link_type: 'none', kind: 'wireguard' }),
      netdev('ppp0', ['10.64.0.1/32'], { link_type: 'ppp', kind: 'ppp' }),
      netdev('iot0', ['10.214.2.254/32'], { link_type: 'none', kind: 'tun' }),
      netdev('iotvpn0', ['10.213.0.2/24']),
      zt,
    ],
    networks: ['wg0', 'iot0'],
    named: ['zt0', 'iotvpn0'],
    netdevs: ['br-lan', 'wg0', 'zt0'],
    prefixes: ['10.147.17.0/24', '10.9.0.0/24', '192.168.1.0/24', 'fd00:1::/64'],
    doubtful: ['ppp0', 'wg1'],
  },
  {
    name: 'a tap of another VPN is none by its looks',
    listed: [lo, lan, zt],
    netdevs: ['br-lan'],
    prefixes: ['192.168.1.0/24', 'fd00:1::/64'],
    doubtful: ['zt0'],
  },
  {
    name: 'what leads to the Internet is none though it is named as the house; what is not there is told',
    listed: [lo, lan, wan],
    uplinks: ['wan'],
    named: ['wan', 'br-lam'],
    netdevs: ['br-lan'],
    prefixes: ['192.168.1.0/24', 'fd00:1::/64'],
    doubtful: ['br-lam', 'wan'],
  },
  {
    name: 'what carries PPPoE is none, though the modem has a private address',
    listed: [lo, lan, netdev('eth1', ['192.168.100.2/24'])],
    uplinks: ['pppoe-wan'],
    carriers: ['eth1'],
    netdevs: ['br-lan'],
    prefixes: ['192.168.1.0/24', 'fd00:1::/64'],
    doubtful: ['eth1'],
  },
  {
    name: 'two addresses in one network are one prefix, and all addresses are none',
    listed: [netdev('br-lan', ['192.168.1.1/24', '192.168.1.2/24', '10.0.0.1/8', '10.1.1.1/0'])],
    netdevs: ['br-lan'],
    prefixes: ['10.0.0.0/8', '192.168.1.0/24'],
  },
  { name: 'nothing is nothing', listed: [], netdevs: [], prefixes: [] },
];

for (const { name, listed, netdevs, prefixes, doubtful = [], ...more } of cases) {
  test(name, (t) => {
    const house = look(listed, more);
    t.deepEqual(house.netdevs, netdevs);
    t.deepEqual(house.prefixes, [...prefixes].sort());
    t.deepEqual(
      house.doubtful.map((one) => one.name),
      doubtful,
    );
  });
}

test('recorded: bridges are the house with all their prefixes, tunnels are left out with words', (t) => {
  const house = look(recorded('router'), { uplinks: ['wan'] });
  t.deepEqual(house.listing, [
    { name: 'br-iot', prefixes: ['192.168.8.0/24', '2001:db8:8::/64'] },
    { name: 'br-lan', prefixes: ['192.168.1.0/24', '2001:db8:81::/64', 'fd00:1::/64'] },
    { name: 'mv0', prefixes: ['192.168.31.0/24'] },
  ] satisfies House['listing']);
  const left = house.doubtful.map(({ name }) => name);
  t.deepEqual(left, ['br-vpn', 'ifb7', 'mv1', 'mv2', 'tap7', 'tun7', 'vx0']);
  const tap = house.doubtful.find(({ name }) => name === 'tap7');
  t.is(
    wordsOf(tap!.why),
    'tap7 (tap) may lead out of your home, as a VPN does, so devices do not reach what is behind it; if that is in your home, run "uci add_list iotshaper.main.house=tap7; uci commit iotshaper; reload_config"',
  );
});

test('recorded: one named by the user joins, with its prefixes', (t) => {
  const house = look(recorded('router'), { uplinks: ['wan'], named: ['tap7'] });
  t.true(house.netdevs.includes('tap7'));
  t.true(house.prefixes.includes('10.147.17.0/24'));
  t.false(house.doubtful.some(({ name }) => name === 'tap7'));
});

test('the network of a link between two addresses is that of its far end', (t) => {
  const house = look(recorded('router'), { uplinks: ['wan'], named: ['tun7'] });
  t.deepEqual(house.listing.find(({ name }) => name === 'tun7')?.prefixes, ['10.8.0.5/32']);
});

test('remote access: a WireGuard netdev that is named reaches its peers, and no public prefix', (t) => {
  const wg = netdev('wg0', ['10.9.0.1/32'], { link_type: 'none', kind: 'wireguard' });
  const routes = ['10.9.0.2/32', '192.168.77.0/24', 'fd00:9::2/128', '0.0.0.0/1', '8.8.8.8/32'];
  const sight: HouseSight = {
    listed: [lo, wan, iot, wg],
    uplinks: new Set(['wan']),
    carriers: new Set(),
    networks: ['br-iot'],
    named: ['wg0'],
    routed: new Map([['wg0', routes]]),
    own,
  };
  const { listing } = findHouse(sight);
  t.deepEqual(
    listing.find(({ name }) => name === 'wg0'),
    { name: 'wg0', prefixes: ['10.9.0.1/32', '10.9.0.2/32', '192.168.77.0/24', 'fd00:9::2/128'] },
  );
  // Nobody named it: its kind alone tells nothing.
  t.deepEqual(findHouse({ ...sight, named: [] }).netdevs, ['br-iot']);
  // A default route by it: it is never the house.
  const out = findHouse({ ...sight, uplinks: new Set(['wan', 'wg0']) });
  t.deepEqual(out.netdevs, ['br-iot']);
  t.deepEqual(
    out.doubtful.map(({ name }) => name),
    ['wg0'],
  );
});
