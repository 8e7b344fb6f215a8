// Which netdevs are the house: nothing that might lead out, everything private that does not.
import test from 'ava';
import { findHouse, type ListedNetdev } from '../../src/system/home-facts.ts';

function netdev(ifname: string, addresses: string[], link_type = 'ether'): ListedNetdev {
  return {
    ifname,
    link_type,
    addr_info: addresses.map((cidr) => {
      const [local = '', length] = cidr.split('/');
      return {
        family: local.includes(':') ? 'inet6' : 'inet',
        local,
        prefixlen: Number(length),
        scope: /^(fe80:|169\.254\.)/.test(local) ? 'link' : 'global',
      };
    }),
  };
}

const lo = netdev('lo', ['127.0.0.1/8', '::1/128'], 'loopback');
const lan = netdev('br-lan', ['192.168.1.1/24', 'fd00:1::1/64', 'fe80::1/64']);
const iot = netdev('br-iot', ['192.168.8.1/24']);
const wan = netdev('wan', ['203.0.113.7/24', '2001:db8::7/64']);
const own = new Set(['iot0', 'iotvpn0']);

const cases: {
  name: string;
  listed: ListedNetdev[];
  uplinks: string[];
  networks?: string[];
  netdevs: string[];
  prefixes: string[];
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
    uplinks: [],
    netdevs: ['br-iot'],
    prefixes: ['192.168.8.0/24'],
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
    uplinks: [],
    netdevs: [],
    prefixes: [],
  },
  {
    name: 'a named network is one even without any address',
    listed: [lo, netdev('br-iot', ['fe80::2/64']), netdev('eth3', [])],
    uplinks: [],
    networks: ['br-iot', 'eth3'],
    netdevs: ['br-iot', 'eth3'],
    prefixes: [],
  },
  {
    name: 'a named network keeps its delegated, public prefix; others do not',
    listed: [
      lo,
      netdev('br-iot', ['192.168.8.1/24', '2001:db8:8::1/64']),
      netdev('br-lan', ['192.168.1.1/24', '2001:db8:1::1/64']),
    ],
    uplinks: [],
    networks: ['br-iot'],
    netdevs: ['br-iot', 'br-lan'],
    prefixes: ['192.168.1.0/24', '192.168.8.0/24', '2001:db8:8::/64'],
  },
  {
    name: 'tunnels and our own netdevs are none',
    listed: [
      lo,
      lan,
      netdev('wg0', ['10.9.0.2/24'], 'none'),
      netdev('ppp0', ['10.64.0.1/32'], 'ppp'),
      netdev('iot0', ['10.214.2.254/32'], 'none'),
      netdev('iotvpn0', ['10.213.0.2/24'], 'ether'),
    ],
    uplinks: [],
    networks: ['wg0', 'iot0'],
    netdevs: ['br-lan', 'wg0'],
    prefixes: ['10.9.0.0/24', '192.168.1.0/24', 'fd00:1::/64'],
  },
  {
    name: 'two addresses in one network are one prefix',
    listed: [netdev('br-lan', ['192.168.1.1/24', '192.168.1.2/24', '10.0.0.1/8'])],
    uplinks: [],
    netdevs: ['br-lan'],
    prefixes: ['10.0.0.0/8', '192.168.1.0/24'],
  },
  { name: 'nothing is nothing', listed: [], uplinks: [], netdevs: [], prefixes: [] },
];

for (const { name, listed, uplinks, networks = [], netdevs, prefixes } of cases) {
  test(name, (t) => {
    t.deepEqual(findHouse(listed, new Set(uplinks), networks, own), { netdevs, prefixes });
  });
}
