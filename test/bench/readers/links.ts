// Every way a captured packet can begin: the same IP packets behind each.
import { linkTypes } from '../../../src/core/capture/link-layer.ts';
import { drawIndex, type Random } from '../../../src/core/random/random.ts';
import {
  deviceMac,
  ipv4Packet,
  ipv6Packet,
  macBytes,
  routerMac,
  udpPacket,
  udpSegment,
  uint16,
} from '../../capture/packets.ts';

/** A link's name, its number, and how it carries an IP packet. */
export type Link = [name: string, linkType: number, wrap: (ip: Uint8Array) => number[]];

const device = macBytes(deviceMac);
const router = macBytes(routerMac);
const accessPoint = macBytes('02:00:00:00:00:aa');
const isV6 = (ip: Uint8Array) => ip[0]! >> 4 === 6;
const etherType = (ip: Uint8Array) => (isV6(ip) ? [0x86, 0xdd] : [0x08, 0x00]);
const pppType = (ip: Uint8Array) => (isV6(ip) ? [0x00, 0x57] : [0x00, 0x21]);
const snap = (ip: Uint8Array) => [0xaa, 0xaa, 3, 0, 0, 0, ...etherType(ip), ...ip];
const little = (value: number) => uint16(value).reverse();

const ethernet = (type: number[], rest: number[]) => [...router, ...device, ...type, ...rest];
const pppoe = (ip: Uint8Array) => [
  ...[0x11, 0, 0, 1],
  ...uint16(ip.length + 2),
  ...pppType(ip),
  ...ip,
];
const cooked = (ip: Uint8Array) => [0, 4, 0, 1, 0, 6, ...device, 0, 0, ...etherType(ip), ...ip];
const cooked2 = (ip: Uint8Array) => [
  ...[...etherType(ip), 0, 0, 0, 0, 0, 2, 0, 1, 4, 6],
  ...[...device, 0, 0, ...ip],
];
/** Through an access point: 1 to it, 2 from it. */
const wifi = (flags: 1 | 2, ip: Uint8Array, head = 0x08, extra: number[] = []) => [
  ...[head, flags, 0, 0],
  ...(flags === 1
    ? [...accessPoint, ...device, ...router]
    : [...device, ...accessPoint, ...router]),
  ...[0, 0, ...extra, ...snap(ip)],
];
const attribute = (type: number, data: number[]) => [
  ...little(4 + data.length),
  ...little(type),
  ...data,
  ...new Array<number>((4 - (data.length % 4)) % 4).fill(0),
];

export const links: Link[] = [
  ['Ethernet', linkTypes.ethernet, (ip) => ethernet(etherType(ip), [...ip])],
  [
    'Ethernet, VLAN',
    linkTypes.ethernet,
    (ip) => ethernet([0x81, 0], [0, 7, ...etherType(ip), ...ip]),
  ],
  [
    'Ethernet, two VLANs',
    linkTypes.ethernet,
    (ip) => ethernet([0x88, 0xa8], [0, 9, 0x81, 0, 0, 7, ...etherType(ip), ...ip]),
  ],
  ['Ethernet, PPPoE', linkTypes.ethernet, (ip) => ethernet([0x88, 0x64], pppoe(ip))],
  ['Ethernet, LLC and SNAP', linkTypes.ethernet, (ip) => ethernet(uint16(ip.length + 8), snap(ip))],
  ['PPP', linkTypes.ppp, (ip) => [...pppType(ip), ...ip]],
  ['PPP, HDLC’s address', linkTypes.ppp, (ip) => [0xff, 3, ...pppType(ip), ...ip]],
  ['PPP, short protocol', linkTypes.ppp, (ip) => [pppType(ip)[1]!, ...ip]],
  ['PPP in HDLC', linkTypes.pppHdlc, (ip) => [0xff, 3, ...pppType(ip), ...ip]],
  ['Cisco HDLC', linkTypes.pppHdlc, (ip) => [0x0f, 0, ...etherType(ip), ...ip]],
  ['PPPoE alone', linkTypes.pppoe, pppoe],
  ['raw IP', linkTypes.raw, (ip) => [...ip]],
  ['BSD loopback', linkTypes.null, (ip) => [isV6(ip) ? 24 : 2, 0, 0, 0, ...ip]],
  ['OpenBSD loopback', linkTypes.loop, (ip) => [0, 0, 0, isV6(ip) ? 24 : 2, ...ip]],
  ['Linux cooked', linkTypes.linuxCooked, cooked],
  ['Linux cooked 2', linkTypes.linuxCooked2, cooked2],
  ['Wi-Fi, to the access point', linkTypes.wifi, (ip) => wifi(1, ip)],
  ['Wi-Fi, from it', linkTypes.wifi, (ip) => wifi(2, ip)],
  ['Wi-Fi, QoS', linkTypes.wifi, (ip) => wifi(1, ip, 0x88, [0, 0])],
  [
    'Wi-Fi, radiotap',
    linkTypes.radiotap,
    (ip) => [0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...wifi(1, ip)],
  ],
  [
    'NFLOG',
    linkTypes.nflog,
    (ip) => [
      ...[isV6(ip) ? 10 : 2, 0, 0, 1],
      ...attribute(8, [0, 6, 0, 0, ...device, 0, 0]),
      ...attribute(9, [...ip]),
    ],
  ],
];

/** A packet of any kind: UDP and TCP with both versions of IP, ICMP, a later fragment, extension headers. */
export function drawPacket(random: Random): Uint8Array {
  const payload = Uint8Array.from({ length: drawIndex(random, 1200) }, () =>
    drawIndex(random, 256),
  );
  const ports = {
    sourcePort: 40_000 + drawIndex(random, 9000),
    destinationPort: 20_000 + drawIndex(random, 9000),
  };
  const tcp = [
    ...[...uint16(ports.sourcePort), ...uint16(ports.destinationPort)],
    ...[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0, ...payload],
  ];
  const udp = udpSegment({ ...ports, payload });
  const draws = [
    () => udpPacket({ ...ports, payload }),
    () => udpPacket({ source: '203.0.113.9', destination: '192.168.8.11', ...ports, payload }),
    () => ipv4Packet(6, tcp),
    () => ipv4Packet(1, [8, 0, 0, 0, 0, 1, 0, 1, ...payload]),
    () => ipv4Packet(17, [...payload, 0, 0, 0, 0, 0, 0, 0, 0], { fragment: 185 }),
    () => ipv6Packet(17, udp),
    () => ipv6Packet(6, tcp),
    () => ipv6Packet(0, [17, 0, 1, 4, 0, 0, 0, 0, ...udp]),
  ];
  return draws[drawIndex(random, draws.length)]!();
}
