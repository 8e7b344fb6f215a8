// A home that is connected rightly but sends packets from another home's address.
import { createSocket, type Socket } from 'node:dgram';
import { decodeControl, encodeControl } from '../../../src/control/message.ts';
import { Packer } from '../../../src/framing/packer.ts';
import { DeviceQueues } from '../../../src/framing/queues.ts';
import { CONTROL_PORT, FRAME_PORT } from '../../../src/plan/names.ts';

const [own = '', peer = ''] = process.argv.slice(2);
const PACKET_BYTES = 512;

function bound(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.bind(port, own, () => resolve(socket));
  });
}

/** An IPv4 packet with a valid header and nothing in it. */
function packetFrom(source: string): Uint8Array {
  const packet = Buffer.alloc(40);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = 17;
  Buffer.from(source.split('.').map(Number)).copy(packet, 12);
  Buffer.from([198, 18, 0, 99]).copy(packet, 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.writeUInt16BE(~sum & 0xffff, 10);
  return packet;
}

const control = await bound(CONTROL_PORT);
const frames = await bound(FRAME_PORT);
const queues = new DeviceQueues();
const packer = new Packer({ packetBytes: PACKET_BYTES, queues });

const hello = encodeControl(
  {
    kind: 'hello',
    sequence: 1,
    version: 'test',
    download: { rateKBps: 5, packetBytes: PACKET_BYTES, sdPercent: 0 },
    maxDelayMs: 1000,
  },
  PACKET_BYTES,
);
const repeat = setInterval(() => control.send(hello, CONTROL_PORT, peer), 300);
control.once('message', (datagram) => {
  clearInterval(repeat);
  const welcome = decodeControl(datagram);
  for (const source of ['10.214.2.11', '10.213.0.2', '192.168.8.11']) {
    queues.enqueue(source, packetFrom(source), performance.now());
    frames.send(packer.nextFrame(performance.now())!, FRAME_PORT, peer);
  }
  const welcomed = welcome?.kind === 'welcome' ? welcome.inner.prefix4 : null;
  process.stdout.write(`${JSON.stringify({ welcomed })}\n`);
  setTimeout(() => process.exit(0), 500); // so that the frames are read before the sockets go
});
