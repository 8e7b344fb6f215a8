// Which device is which: configuration, neighbours, leases and traffic joined.
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import {
  type AddressTraffic,
  listDevices,
  type Neighbour,
} from '../../src/core/home/devices/device-table.ts';
import { namesOf, parseDnsmasqLeases } from '../../src/core/home/devices/leases.ts';

const camera = "config device\n\toption name 'camera'\n\toption mac '18:B4:30:00:00:01'\n";
const printer =
  "config device\n\toption name 'printer'\n\tlist ip '192.168.1.50'\n\toption policy 'block'\n";
const plug =
  "config device\n\toption name 'plug'\n\tlist ip '192.168.1.51'\n\tlist ip 'fd00::51'\n";
const rest =
  "config device\n\toption name 'rest'\n\tlist ip '192.168.7.0/24'\n\tlist ip 'fd00:7::/64'\n";
const network = "config network\n\toption device 'br-iot'\n";

const leases = namesOf(
  parseDnsmasqLeases(
    [
      '1763855512 18:b4:30:00:00:09 192.168.8.9 Echo-Dot 01:18:b4:30:00:00:09',
      '1763855512 00:11:22:33:44:55 192.168.8.10 * *',
      'duid 00:01',
      '',
    ].join('\n'),
  ),
);

function neighbour(dst: string, lladdr?: string, dev = 'br-lan', state = 'REACHABLE'): Neighbour {
  return { dst, dev, ...(lladdr ? { lladdr } : {}), state: [state] };
}

function sent(address: string, more: Partial<AddressTraffic> = {}): AddressTraffic {
  const none = { txBytes: 0, rxBytes: 0, txKBps: 0, rxKBps: 0, dropped: 0, recent: false };
  return { address, ...none, ...more };
}

function devices(text: string, neighbours: Neighbour[] = [], traffic: AddressTraffic[] = []) {
  return listDevices(parseConfig(text).config, neighbours, leases, traffic);
}

test('leases name addresses and hardware', (t) => {
  t.deepEqual(
    [...leases],
    [
      ['18:b4:30:00:00:09', 'Echo-Dot'],
      ['192.168.8.9', 'Echo-Dot'],
    ],
  );
});

test('configured devices are listed though nothing was seen of them', (t) => {
  const unseen = { online: false, kBps: 0, tx_bytes: 0, rx_bytes: 0, dropped: 0 };
  t.deepEqual(devices(camera + printer), [
    { name: 'camera', mac: '18:b4:30:00:00:01', ip: [], policy: 'shape', ...unseen },
    { name: 'printer', mac: '', ip: ['192.168.1.50'], policy: 'block', ...unseen },
  ]);
});

test('a device named by hardware gets its addresses, one by address its hardware', (t) => {
  const [first, second] = devices(camera + plug, [
    neighbour('192.168.1.77', '18:B4:30:00:00:01'),
    neighbour('fe80::1ab4:30ff:fe00:1', '18:b4:30:00:00:01'),
    neighbour('fd00::77', '18:b4:30:00:00:01'),
    neighbour('192.168.1.51', '00:11:22:33:44:51'),
    neighbour('192.168.1.52', undefined),
    neighbour('192.168.1.53', '00:11:22:33:44:53', 'br-lan', 'FAILED'),
  ]);
  t.deepEqual(first?.ip, ['192.168.1.77', 'fd00::77']);
  t.is(second?.mac, '00:11:22:33:44:51');
  t.deepEqual(second?.ip, ['192.168.1.51', 'fd00::51']);
});

test('a device of a network is named by its lease, or else by its hardware; others are none', (t) => {
  const found = devices(network, [
    neighbour('192.168.8.9', '18:b4:30:00:00:09', 'br-iot'),
    neighbour('fd00:8::9', '18:b4:30:00:00:09', 'br-iot'),
    neighbour('192.168.8.10', '00:11:22:33:44:55', 'br-iot'),
    neighbour('192.168.1.20', '00:11:22:33:44:66'),
  ]);
  t.deepEqual(
    found.map(({ name, ip, policy }) => [name, ip, policy]),
    [
      ['Echo-Dot', ['192.168.8.9', 'fd00:8::9'], 'shape'],
      ['00:11:22:33:44:55', ['192.168.8.10'], 'shape'],
    ],
  );
});

test('all behind a prefix are one device, without one hardware address', (t) => {
  const [only, ...others] = devices(
    rest,
    [
      neighbour('192.168.7.3', '00:11:22:33:44:03'),
      neighbour('192.168.7.4', '00:11:22:33:44:04'),
      neighbour('fd00:7::3', '00:11:22:33:44:03'),
      neighbour('192.168.6.4', '00:11:22:33:44:05'),
    ],
    [
      sent('192.168.7.4', { txBytes: 10, recent: true }),
      // Behind a router of its own, where no neighbour tells of it.
      sent('192.168.7.77', { txBytes: 5 }),
    ],
  );
  t.deepEqual(others, []);
  t.is(only?.mac, '');
  t.deepEqual(only?.ip.slice(2), ['192.168.7.3', '192.168.7.4', 'fd00:7::3']);
  t.true(only?.online);
  t.is(only?.tx_bytes, 15);
});

test('traffic of a device’s addresses is its own, and nobody else’s who looks like it', (t) => {
  const [first, second] = devices(
    camera + plug,
    [
      neighbour('192.168.1.77', '18:b4:30:00:00:01'),
      neighbour('fd00:1::1:77', '18:b4:30:00:00:01'),
    ],
    [
      sent('192.168.1.77', { txBytes: 100, rxBytes: 10, txKBps: 1.234, recent: true, dropped: 2 }),
      sent('fd00:1::1:77', { txBytes: 1000, rxKBps: 2.5, dropped: 1 }),
      sent('192.168.1.51', { rxBytes: 7 }),
      sent('192.168.2.77', { txBytes: 9999, recent: true }),
      sent('fd00:2::1:77', { txBytes: 9999 }),
    ],
  );
  t.like(first, { tx_bytes: 1100, rx_bytes: 10, kBps: 3.73, online: true, dropped: 3 });
  t.like(second, { tx_bytes: 0, rx_bytes: 7, online: false, dropped: 0 });
});

test('in a /22 a silent device is offline, whatever others of its last byte send', (t) => {
  const found = devices(
    network,
    [8, 9, 10].map((third) =>
      neighbour(`192.168.${third}.11`, `00:11:22:33:${third + 10}:11`, 'br-iot'),
    ),
    [
      sent('192.168.8.11', { txBytes: 1920, recent: true }),
      sent('192.168.9.11', { txBytes: 2000, recent: true }),
    ],
  );
  t.deepEqual(
    found.map(({ ip, tx_bytes, online }) => [ip[0], tx_bytes, online]),
    [
      ['192.168.8.11', 1920, true],
      ['192.168.9.11', 2000, true],
      ['192.168.10.11', 0, false],
    ],
  );
});

test('what is not shaped has no traffic of ours', (t) => {
  const [only] = devices(printer, [], [sent('192.168.1.50', { txBytes: 5, recent: true })]);
  t.like(only, { tx_bytes: 0, online: false });
});

test('a followed device is met under what was learned of it', (t) => {
  const { config } = parseConfig(camera + plug);
  const seen = [
    neighbour('192.168.1.77', 'da:a1:19:12:34:56'),
    neighbour('192.168.1.90', '00:11:22:33:44:90'),
  ];
  const [first, second, ...others] = listDevices(
    config,
    seen,
    leases,
    [],
    [
      { section: '@device[0]', macs: ['da:a1:19:12:34:56'], addresses: [] },
      { section: '@device[1]', macs: [], addresses: ['192.168.1.90'] },
    ],
  );
  t.deepEqual(others, []);
  t.like(first, { mac: '18:b4:30:00:00:01', ip: ['192.168.1.77'] });
  t.deepEqual(second?.ip, ['192.168.1.51', 'fd00::51', '192.168.1.90']);
});
