// Headers of every link and network layer.
import test from 'ava';
import fc from 'fast-check';
import { formatIpv6, isLocalAddress, parseMac } from '../../src/core/capture/addresses.ts';
import { type Decoded, decodePacket } from '../../src/core/capture/decode.ts';
import { linkTypes, unreadLink } from '../../src/core/capture/link-layer.ts';
import { runs } from '../property-runs.ts';
import {
  deviceMac,
  ethernetFrame,
  ipv4Packet,
  ipv6Packet,
  routerMac,
  udpPacket,
  udpSegment,
  uint16,
} from './packets.ts';

function decode(
  data: Uint8Array,
  linkType: number = linkTypes.ethernet,
  originalBytes = data.length,
) {
  return decodePacket({ index: 0, timeS: 0, linkType, data, originalBytes });
}

const payload = Uint8Array.of(9, 8, 7);
const udp = udpPacket({ payload });
const plain: Omit<Decoded, 'etherSource' | 'etherDestination'> = {
  version: 4,
  source: '192.168.8.11',
  destination: '198.51.100.7',
  protocol: 17,
  sourcePort: 40000,
  destinationPort: 443,
  ipBytes: 31,
  payload,
  fragment: null,
};
const cooked = (type: number, length = 6) =>
  Uint8Array.from([
    0,
    4,
    0,
    1,
    0,
    length,
    0x18,
    0xb4,
    0x30,
    0,
    0,
    1,
    0,
    0,
    ...uint16(type),
    ...udp,
  ]);

const links: Record<
  string,
  [data: Uint8Array, linkType: number, source: string | null, destination: string | null]
> = {
  Ethernet: [ethernetFrame(udp), linkTypes.ethernet, deviceMac, routerMac],
  'Ethernet padded to 60 bytes': [
    ethernetFrame([...udp, ...new Array(15).fill(0)]),
    1,
    deviceMac,
    routerMac,
  ],
  VLAN: [ethernetFrame(udp, { type: [0x81, 0, 0, 7, 8, 0] }), 1, deviceMac, routerMac],
  QinQ: [
    ethernetFrame(udp, { type: [0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0] }),
    1,
    deviceMac,
    routerMac,
  ],
  PPPoE: [
    ethernetFrame(udp, { type: [0x88, 0x64, 0x11, 0, 0, 1, 0, 33, 0, 0x21] }),
    1,
    deviceMac,
    routerMac,
  ],
  'raw IP': [udp, linkTypes.raw, null, null],
  'raw IPv4': [udp, linkTypes.ipv4, null, null],
  'loopback, little-endian': [Uint8Array.from([2, 0, 0, 0, ...udp]), linkTypes.null, null, null],
  'loopback, big-endian': [Uint8Array.from([0, 0, 0, 2, ...udp]), linkTypes.loop, null, null],
  'Linux cooked': [cooked(0x0800), linkTypes.linuxCooked, deviceMac, null],
  'Linux cooked, address of no Ethernet': [cooked(0x0800, 0), linkTypes.linuxCooked, null, null],
  'Linux cooked v2': [
    Uint8Array.from([8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 0x18, 0xb4, 0x30, 0, 0, 1, 0, 0, ...udp]),
    linkTypes.linuxCooked2,
    deviceMac,
    null,
  ],
};

for (const [name, [data, linkType, etherSource, etherDestination]] of Object.entries(links)) {
  test(`decodes ${name}`, (t) => {
    const decoded = decode(data, linkType);
    t.deepEqual({ ...decoded, payload: [...decoded!.payload] } as object, {
      ...plain,
      payload: [...payload],
      etherSource,
      etherDestination,
    });
  });
}

const snap = [0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00];
const macOf = (mac: string) => mac.split(':').map((part) => Number.parseInt(part, 16));
const accessPoint = '02:00:00:00:00:aa';
/** A data frame from the device through the access point to the router, or back. */
const wifi = (flags: number, head = 0x08, extra: number[] = []) => {
  const toDs = (flags & 1) !== 0;
  const addresses = toDs
    ? [accessPoint, deviceMac, routerMac]
    : [deviceMac, accessPoint, routerMac];
  return Uint8Array.from([
    head,
    flags,
    0,
    0,
    ...addresses.flatMap(macOf),
    0,
    0,
    ...extra,
    ...snap,
    ...udp,
  ]);
};
const radiotap = (frame: Uint8Array) =>
  Uint8Array.from([0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...frame]);
const lengthOf = udp.length + 8;

const lessUsual: [string, Uint8Array, number, string | null, string | null][] = [
  ['Wi-Fi to the access point', wifi(1), linkTypes.wifi, deviceMac, routerMac],
  ['Wi-Fi from the access point', wifi(2), linkTypes.wifi, routerMac, deviceMac],
  ['Wi-Fi with QoS', wifi(1, 0x88, [0, 0]), linkTypes.wifi, deviceMac, routerMac],
  [
    'Wi-Fi with QoS and HT control',
    wifi(0x81, 0x88, [0, 0, 0, 0, 0, 0]),
    linkTypes.wifi,
    deviceMac,
    routerMac,
  ],
  [
    'Wi-Fi, several packets in one frame',
    wifi(1, 0x88, [0x80, 0, ...macOf(routerMac), ...macOf(deviceMac), ...uint16(lengthOf)]),
    linkTypes.wifi,
    deviceMac,
    routerMac,
  ],
  ['radiotap', radiotap(wifi(1)), linkTypes.radiotap, deviceMac, routerMac],
  ['PPP', Uint8Array.from([0x00, 0x21, ...udp]), linkTypes.ppp, null, null],
  [
    'PPP with HDLC’s address',
    Uint8Array.from([0xff, 3, 0x00, 0x21, ...udp]),
    linkTypes.ppp,
    null,
    null,
  ],
  ['PPP, protocol compressed', Uint8Array.from([0x21, ...udp]), linkTypes.ppp, null, null],
  ['PPP in HDLC', Uint8Array.from([0xff, 3, 0x00, 0x21, ...udp]), linkTypes.pppHdlc, null, null],
  ['Cisco HDLC', Uint8Array.from([0x0f, 0, 0x08, 0x00, ...udp]), linkTypes.pppHdlc, null, null],
  [
    'PPPoE alone',
    Uint8Array.from([0x11, 0, 0, 1, 0, 33, 0x00, 0x21, ...udp]),
    linkTypes.pppoe,
    null,
    null,
  ],
  [
    'NFLOG',
    Uint8Array.from([
      2,
      0,
      0,
      1,
      5,
      0,
      10,
      0,
      65,
      0,
      0,
      0,
      16,
      0,
      8,
      0,
      0,
      6,
      0,
      0,
      ...macOf(deviceMac),
      0,
      0,
      udp.length + 4,
      0,
      9,
      0,
      ...udp,
    ]),
    linkTypes.nflog,
    deviceMac,
    null,
  ],
  [
    'IEEE 802.3 with LLC and SNAP',
    Uint8Array.from([
      ...macOf(routerMac),
      ...macOf(deviceMac),
      ...uint16(lengthOf),
      ...snap,
      ...udp,
    ]),
    linkTypes.ethernet,
    deviceMac,
    routerMac,
  ],
];

for (const [name, data, linkType, etherSource, etherDestination] of lessUsual) {
  test(`less usual links: ${name}`, (t) => {
    const decoded = decode(data, linkType)!;
    t.deepEqual({ ...decoded, payload: [...decoded.payload] } as object, {
      ...plain,
      payload: [...payload],
      etherSource,
      etherDestination,
    });
    t.is(unreadLink(data, linkType), null);
  });
}

test('links that cannot be read are named, encrypted Wi-Fi among them', (t) => {
  t.is(unreadLink(udp, 147), 'link type 147 (USER0)');
  t.is(unreadLink(udp, 299), 'link type 299');
  t.is(unreadLink(wifi(0x41), linkTypes.wifi), 'encrypted Wi-Fi');
  t.is(decode(wifi(0x41), linkTypes.wifi), null);
  t.is(unreadLink(radiotap(wifi(0x41)), linkTypes.radiotap), 'encrypted Wi-Fi');
  // A beacon holds no packet, and none is missed.
  const beacon = Uint8Array.from([0x80, 0, ...new Array(40).fill(0)]);
  t.is(unreadLink(beacon, linkTypes.wifi), null);
  t.is(decode(beacon, linkTypes.wifi), null);
});

test('what is no IP is null', (t) => {
  t.is(decode(ethernetFrame(new Uint8Array(28), { type: [8, 6] })), null);
  t.is(decode(ethernetFrame(new Uint8Array(28), { type: [0, 28] })), null);
  t.is(decode(cooked(0x0806), linkTypes.linuxCooked), null);
  t.is(decode(udp, 105), null);
  t.is(decode(udp, 147), null);
});

test('ipBytes is what the header says, also of a packet captured in part', (t) => {
  const long = ipv4Packet(17, udpSegment({ payload: new Uint8Array(1000) }));
  const decoded = decode(ethernetFrame(long).subarray(0, 60), 1, 14 + 1028)!;
  t.is(decoded.ipBytes, 1028);
  t.is(decoded.payload.length, 60 - 14 - 28);
  t.is(decoded.sourcePort, 40000);
});

test('a length of 0, left by segmentation offload, is what was on the wire', (t) => {
  const big = ipv4Packet(6, new Uint8Array(80), { length: 0 });
  t.is(decode(ethernetFrame(big), 1, 14 + 70_000)!.ipBytes, 70_000);
});

test('TCP payload begins behind the options', (t) => {
  const segment = [
    ...uint16(443),
    ...uint16(50000),
    ...new Array(8).fill(0),
    0x80,
    0x18,
    ...new Array(18).fill(0),
    5,
    6,
  ];
  const decoded = decode(ethernetFrame(ipv4Packet(6, segment)))!;
  t.deepEqual(
    [decoded.sourcePort, decoded.destinationPort, [...decoded.payload]],
    [443, 50000, [5, 6]],
  );
});

test('fragments say so, and only the first has ports', (t) => {
  const first = decode(
    ethernetFrame(ipv4Packet(17, udpSegment({ payload }), { fragment: 0x2000 })),
  )!;
  t.deepEqual([first.fragment, first.sourcePort], [{ offsetBytes: 0, more: true }, 40000]);
  const last = decode(ethernetFrame(ipv4Packet(17, [1, 2, 3, 4], { fragment: 185 })))!;
  t.deepEqual(
    [last.fragment, last.sourcePort, last.destinationPort, [...last.payload]],
    [{ offsetBytes: 1480, more: false }, null, null, [1, 2, 3, 4]],
  );
  const v6 = decode(
    ipv6Packet(44, [17, 0, ...uint16(0x05c9), 0, 0, 0, 1, 1, 2, 3, 4]),
    linkTypes.raw,
  )!;
  t.deepEqual(
    [v6.fragment, v6.protocol, v6.sourcePort],
    [{ offsetBytes: 1480, more: true }, 17, null],
  );
});

test('IPv6, plain and behind extension headers', (t) => {
  const segment = udpSegment({ payload });
  const hopByHop = [43, 0, 0, 0, 0, 0, 0, 0];
  const routing = [17, 1, ...new Array(14).fill(0)];
  for (const [next, before] of [
    [17, []],
    [0, [...hopByHop, ...routing]],
  ] as const) {
    const decoded = decode(ipv6Packet(next, [...before, ...segment]), linkTypes.ipv6)!;
    t.deepEqual({ ...decoded, payload: [...decoded.payload] } as object, {
      etherSource: null,
      etherDestination: null,
      version: 6,
      source: '2001:db8::1',
      destination: '2001:db8::2',
      protocol: 17,
      sourcePort: 40000,
      destinationPort: 443,
      ipBytes: 40 + before.length + segment.length,
      payload: [...payload],
      fragment: null,
    });
  }
});

test('any bytes on any link are decoded or refused, never thrown at', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(...Object.values(linkTypes), 12, 14, 105),
        fc.constantFrom(
          [],
          [...new Array(12).fill(1), 8, 0, 0x45],
          [...new Array(12).fill(1), 0x86, 0xdd, 0x60],
        ),
        (bytes, linkType, prefix) => {
          const data = Uint8Array.from([...prefix, ...bytes]);
          const decoded = decode(data, linkType);
          return decoded === null || decoded.payload.length <= data.length;
        },
      ),
      { numRuns: runs(3000) },
    ),
  );
});

test('every cut of a packet is decoded alike or refused', (t) => {
  const packet = ipv6Packet(0, [17, 0, 0, 0, 0, 0, 0, 0, ...udpSegment({ payload })]);
  const whole = ethernetFrame(packet, { type: [0x86, 0xdd] });
  const decoded = Array.from(whole, (_, length) =>
    decode(whole.subarray(0, length), 1, whole.length),
  );
  t.true(decoded.slice(0, 54).every((one) => one === null));
  t.true(decoded.slice(54).every((one) => one?.ipBytes === packet.length));
  t.deepEqual(
    decoded.slice(54).map((one) => one!.sourcePort),
    decoded.slice(54).map((_, i) => (i < 12 ? null : 40000)),
  );
});

const ipv6Texts: [groups: string, text: string][] = [
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['0000:0000:0000:0000:0000:0000:0000:0000', '::'],
  ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
  ['fe80:0000:0000:0000:0001:0000:0000:0000', 'fe80::1:0:0:0'],
  ['2001:0db8:0000:0001:0001:0001:0001:0001', '2001:db8:0:1:1:1:1:1'],
  ['2001:0000:0000:0001:0000:0000:0000:0001', '2001:0:0:1::1'],
];

test('IPv6 addresses as RFC 5952 writes them', (t) => {
  for (const [groups, text] of ipv6Texts) {
    t.is(formatIpv6(Uint8Array.from(Buffer.from(groups.replaceAll(':', ''), 'hex')), 0), text);
  }
});

test('which addresses stay in the home', (t) => {
  const local = [
    '10.1.2.3',
    '172.16.0.1',
    '172.31.9.9',
    '192.168.1.1',
    '169.254.1.1',
    '224.0.0.251',
  ];
  local.push(
    '255.255.255.255',
    '127.0.0.1',
    '0.0.0.0',
    'fe80::1',
    'fd00::2',
    'ff02::fb',
    '::',
    '::1',
  );
  for (const address of local) t.true(isLocalAddress(address), address);
  const remote = [
    '8.8.8.8',
    '172.32.0.1',
    '172.15.0.1',
    '192.169.0.1',
    '100.64.8.2',
    '2001:db8::1',
    '198.51.100.1',
  ];
  for (const address of remote) t.false(isLocalAddress(address), address);
});

test('MAC addresses as people write them', (t) => {
  for (const text of [
    '18:B4:30:00:00:01',
    '18-b4-30-00-00-01',
    '18b430000001',
    ' 18:b4:30:00:00:01 ',
  ]) {
    t.is(parseMac(text), '18:b4:30:00:00:01');
  }
  for (const text of ['', '18:b4:30:00:00', '18:b4:30:00:00:0g', '18:b4-30:00:00:01'])
    t.is(parseMac(text), null);
});
