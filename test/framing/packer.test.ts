// What the packer puts on the wire, and when.

import test from 'ava';
import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { buildIpv4, hex } from './ip-packets.ts';
import { cameraPacket, fromHex, plugPacket, wireCases } from './wire-frames.ts';

for (const { title, packetBytes, firstSequence, packets, frames } of wireCases) {
  test(`encodes: ${title}`, (t) => {
    const queues = new DeviceQueues();
    const packer = new Packer({ packetBytes, queues, firstSequence });
    for (const packet of packets) queues.enqueue('device', fromHex(packet), 0);
    for (const frame of frames) {
      t.true(packer.hasData(0));
      t.is(hex(packer.nextFrame(0)!), frame.replaceAll(' ', ''));
    }
    t.false(packer.hasData(0));
    t.is(packer.nextFrame(0), null);
    const { dataBytes, padBytes, ...stats } = packer.stats;
    t.deepEqual(stats, { frames: frames.length, packets: packets.length, malformed: 0 });
    t.is(dataBytes, packets.join('').length / 2);
    t.is(dataBytes + padBytes, frames.length * (packetBytes - 36));
  });
}

test('what comes later shares the next frame', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 128, queues });
  const big = buildIpv4([10, 0, 0, 1], [10, 0, 0, 2], new Uint8Array(90));
  queues.enqueue('camera', big, 0);
  packer.nextFrame(0);
  queues.enqueue('plug', fromHex(plugPacket), 1);
  const frame = hex(packer.nextFrame(2)!);
  t.is(frame.slice(8, 16), '00000012', 'the rest: 110 - 92 bytes');
  t.is(frame.slice(16 + 36, 16 + 36 + 56), plugPacket);
});

test('the tail of a packet in flight outlives max_delay; what only waits does not', (t) => {
  const queues = new DeviceQueues({ maxDelayMs: 100 });
  const packer = new Packer({ packetBytes: 56, queues });
  queues.enqueue('camera', fromHex(cameraPacket), 0);
  queues.enqueue('camera', fromHex(plugPacket), 0);
  const head = packer.nextFrame(50)!;
  t.true(packer.hasData(5000));
  const tail = packer.nextFrame(5000)!;
  t.is(hex(head).slice(16) + hex(tail).slice(16), cameraPacket);
  t.false(packer.hasData(5000));
  t.is(queues.totals.droppedLate, 1);
});

test('a new packet size takes hold with the next frame, in the middle of a packet too', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 56, queues });
  queues.enqueue('camera', fromHex(cameraPacket), 0);
  t.is(packer.nextFrame(0)!.length, 28);
  packer.setPacketBytes(46);
  t.is(hex(packer.nextFrame(0)!), `0000000100000014${cameraPacket.slice(40, 60)}`);
  packer.setPacketBytes(68);
  t.is(hex(packer.nextFrame(0)!), `000000020000000a${cameraPacket.slice(60)}${'00'.repeat(22)}`);
});

test('packets that would derail the far end are left out and counted', (t) => {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes: 68, queues, maxPacketBytes: 40 });
  const tooLong = hex(buildIpv4([1, 2, 3, 4], [5, 6, 7, 8], new Uint8Array(21)));
  const wrong = [
    '',
    '00',
    `${plugPacket}00`,
    plugPacket.slice(2),
    `45000029${cameraPacket.slice(8)}`,
  ];
  for (const text of [...wrong, tooLong, plugPacket]) queues.enqueue('x', fromHex(text), 0);
  t.is(hex(packer.nextFrame(0)!), `0000000000000000${plugPacket}00000000`);
  t.is(packer.stats.malformed, wrong.length + 1);
  t.is(packer.stats.packets, 1);
  queues.enqueue('x', fromHex(tooLong), 0);
  t.is(packer.nextFrame(0), null, 'no frame, and no number, spent on nothing');
  queues.enqueue('x', fromHex(plugPacket), 0);
  t.is(hex(packer.nextFrame(0)!).slice(0, 8), '00000001');
});

for (const packetBytes of [0, 36, 300.5, Number.NaN]) {
  test(`a packet size without room for data is refused: ${packetBytes}`, (t) => {
    const message = `packetBytes: must be a whole number from 37, got ${packetBytes}`;
    const queues = new DeviceQueues();
    t.throws(() => new Packer({ packetBytes, queues }), { instanceOf: RangeError, message });
    const packer = new Packer({ packetBytes: 37, queues });
    t.throws(() => packer.setPacketBytes(packetBytes), { instanceOf: RangeError, message });
    queues.enqueue('x', fromHex(plugPacket), 0);
    t.is(packer.nextFrame(0)?.length, 9);
  });
}
