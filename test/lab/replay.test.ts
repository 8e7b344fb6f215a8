// A capture becomes a plan of datagrams: times, sizes and directions kept.
import test from 'ava';
import { planReplay } from '../../src/research/lab/traffic/replay.ts';
import { captured, stream } from './support/packets.ts';

const mac = '02:00:00:00:00:02';
const from = {
  source: '192.168.1.5',
  destination: '203.0.113.9',
  etherSource: mac,
  etherDestination: '02:00:00:00:00:99',
};
const to = {
  source: '203.0.113.9',
  destination: '192.168.1.5',
  etherSource: '02:00:00:00:00:99',
  etherDestination: mac,
};
const capture = [
  captured(100, { ...from, ipBytes: 60 }),
  captured(150, { ...from, ipBytes: 1500 }),
  captured(150.25, { ...to, ipBytes: 400 }),
  captured(151, {
    ...from,
    destination: '239.255.255.250',
    etherDestination: '01:00:5e:7f:ff:fa',
    ipBytes: 300,
  }),
  captured(151.5, { ...to, etherDestination: '02:00:00:00:00:77', ipBytes: 900 }),
];
const options = { device: mac, durationS: 10, offsetS: null, name: 'x.pcap' };

test('the busiest stretch is played; sizes, times and directions kept', async (t) => {
  const replay = await planReplay(stream(capture), options);
  t.is(replay.offsetS, 50);
  t.deepEqual(replay.packets, [
    { id: 1, atS: 0, ipBytes: 1500, direction: 'up' },
    { id: 2, atS: 0.25, ipBytes: 400, direction: 'down' },
  ]);
});

test('an address names the device as well, an offset another stretch', async (t) => {
  const replay = await planReplay(stream(capture), {
    ...options,
    device: '192.168.1.5',
    offsetS: 0,
  });
  t.deepEqual(replay.packets, [{ id: 1, atS: 0, ipBytes: 60, direction: 'up' }]);
});

test('packets no link carries in one piece are cut, and too short ones lengthened', async (t) => {
  const odd = [
    captured(0, { ...from, ipBytes: 3200 }),
    captured(1, { ...from, protocol: 1, ipBytes: 28 }),
  ];
  const replay = await planReplay(stream(odd), options);
  t.deepEqual(
    replay.packets.map(({ ipBytes }) => ipBytes),
    [1500, 1500, 200, 32],
  );
  t.is(replay.cut, 1);
  t.is(replay.lengthened, 1);
});

test('a device the capture does not know, or a stretch without it, is an error that says so', async (t) => {
  await t.throwsAsync(planReplay(stream(capture), { ...options, device: '02:00:00:00:00:55' }), {
    message: /--device 02:00:00:00:00:55: x\.pcap has no packet of it/,
  });
  await t.throwsAsync(planReplay(stream(capture), { ...options, offsetS: 70 }), {
    message: /--offset 70: x\.pcap has no packet/,
  });
});
