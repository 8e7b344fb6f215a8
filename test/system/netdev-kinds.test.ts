// What lies behind a netdev: the home's own links, or what may lead out.
import test from 'ava';
import { findDoubt, type ListedNetdev } from '../../src/core/home/netdev-kinds.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { netdev, recorded } from './netdevs.ts';

const outwards = 'which may lead out of your home, as a VPN does';

function doubtOf(name: string, listed: ListedNetdev[], outward: string[] = ['wan']): string | null {
  const doubt = findDoubt(listed.find(({ ifname }) => ifname === name)!, listed, new Set(outward));
  return doubt && wordsOf(doubt);
}

const router: [string, string | null][] = [
  ['wan', null],
  ['lan1', null],
  ['br-lan', null],
  ['br-iot', null],
  ['mv0', null],
  ['tap7', 'tap7 (tap) may lead out of your home, as a VPN does'],
  ['tun7', 'tun7 (tun) may lead out of your home, as a VPN does'],
  ['vx0', 'vx0 (vxlan) may lead out of your home, as a VPN does'],
  ['ifb7', 'ifb7 (ifb) may lead out of your home, as a VPN does'],
  ['br-vpn', `br-vpn has the port tap8 (tap), ${outwards}`],
  ['mv1', `mv1 lies over vx0 (vxlan), ${outwards}`],
  ['mv2', `mv2 lies over wan, ${outwards}`],
];

for (const [name, words] of router) {
  test(`recorded: ${name} is ${words === null ? 'ordinary' : 'doubtful'}`, (t) => {
    t.is(doubtOf(name, recorded('router')), words);
  });
}

test('a lower netdev in another namespace is not known to be ordinary', (t) => {
  const words = `mv3 lies over another that cannot be seen from here, ${outwards}`;
  t.is(doubtOf('mv3', recorded('container')), words);
});

const port = (ifname: string, master: string, kind?: string, link?: string) =>
  netdev(ifname, [], { master, ...(kind ? { kind } : {}), ...(link ? { link } : {}) });

const made: { name: string; listed: ListedNetdev[]; doubt: RegExp | null }[] = [
  { name: 'hardware', listed: [netdev('x')], doubt: null },
  { name: 'a switch port', listed: [netdev('x', [], { kind: 'dsa', link: 'eth0' })], doubt: null },
  {
    name: 'a mobile modem',
    listed: [netdev('x', [], { link_type: 'rawip' })],
    doubt: /^x \(rawip\)/,
  },
  ...[
    'gretap',
    'ip6gretap',
    'geneve',
    'bareudp',
    'l2tpeth',
    'wireguard',
    'xfrm',
    'batadv',
    'new',
  ].map((kind) => ({
    name: kind,
    listed: [netdev('x', [], { kind })],
    doubt: new RegExp(`^x \\(${kind}\\) may`),
  })),
  {
    name: 'a vlan over hardware, though the wire below leads out',
    listed: [netdev('x', [], { kind: 'vlan', link: 'wan' }), netdev('wan')],
    doubt: null,
  },
  {
    name: 'a vlan over a tap',
    listed: [netdev('x', [], { kind: 'vlan', link: 'zt0' }), netdev('zt0', [], { kind: 'tun' })],
    doubt: /^x lies over zt0 \(tun\), which may/,
  },
  {
    name: 'a bridge of switch ports, radios and a tagged uplink of the switch',
    listed: [
      netdev('x', [], { kind: 'bridge' }),
      port('lan1', 'x', 'dsa'),
      port('phy0-ap0', 'x'),
      port('eth0.1', 'x', 'vlan', 'eth0'),
      netdev('eth0'),
    ],
    doubt: null,
  },
  {
    name: 'a bridge with a vlan over a tunnel as one of its ports',
    listed: [
      netdev('x', [], { kind: 'bridge' }),
      port('lan1', 'x', 'dsa'),
      port('vx0.3', 'x', 'vlan', 'vx0'),
      netdev('vx0', [], { kind: 'vxlan' }),
    ],
    doubt: /^x has the port vx0\.3, which lies over vx0 \(vxlan\), which may/,
  },
  {
    name: 'a vlan over a bridge with a tunnel as a port',
    listed: [
      netdev('x', [], { kind: 'vlan', link: 'br0' }),
      netdev('br0', [], { kind: 'bridge' }),
      port('gt0', 'br0', 'gretap'),
    ],
    doubt: /^x lies over br0, which has the port gt0 \(gretap\), which may/,
  },
  {
    name: 'a bond of hardware',
    listed: [netdev('x', [], { kind: 'bond' }), port('eth0', 'x'), port('eth1', 'x')],
    doubt: null,
  },
  {
    name: 'an empty bridge',
    listed: [netdev('x', [], { kind: 'bridge' })],
    doubt: null,
  },
  {
    name: 'what lies over itself is not looked at for ever',
    listed: [
      netdev('x', [], { kind: 'vlan', link: 'y' }),
      netdev('y', [], { kind: 'vlan', link: 'x' }),
    ],
    doubt: null,
  },
];

for (const { name, listed, doubt } of made) {
  test(name, (t) => {
    const found = doubtOf('x', listed);
    if (doubt === null) t.is(found, null);
    else t.regex(found ?? '', doubt);
  });
}
