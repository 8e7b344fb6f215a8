// Plays a planned replay: the device opens the way through the NAT, then both sides send their datagrams on time.
import { createSocket } from 'node:dgram';
import type { ReplaySide } from '../bed/process-config.ts';
import { messageKey } from './message.ts';
import { playOnTime } from './play-on-time.ts';
import type { ReplayPacket } from './replay.ts';
import type { TrafficRecorder } from './traffic-log.ts';

const IP_UDP_BYTES = 28;
const openEveryMs = 250;
/** Numbers no exchange of the emulators has, in one log with them. */
const REPLAY_PART = 65_535;

/** The device's side; says hello until the cloud has answered, so that downloads find their way. */
export function openReplayDevice(
  side: ReplaySide,
  startMs: number,
  recorder: TrafficRecorder,
): void {
  const socket = createSocket('udp4');
  socket.on('error', (error) => recorder.fault(`replay: ${error.message}`));
  const send = (datagram: Buffer) =>
    socket.send(datagram, side.port, side.address, (error) => {
      if (error) recorder.fault(`replay: ${error.message}`);
    });
  const hello = setInterval(() => send(encodeReplay(0, 4)), openEveryMs);
  socket.on('message', (datagram) => {
    clearInterval(hello);
    const id = datagram.readUInt32BE(0);
    if (id > 0) record(recorder, 'received', id, datagram.length);
  });
  socket.bind(0, side.deviceIp, () => {
    send(encodeReplay(0, 4));
    playOnTime(side.packets, startMs, (packet) => sendPacket(packet, send, recorder));
  });
}

/** The cloud's side; `side.packets` are its downloads. */
export function openReplayServer(
  side: ReplaySide,
  startMs: number,
  recorder: TrafficRecorder,
): void {
  const socket = createSocket('udp4');
  let device: { port: number; address: string } | null = null;
  socket.on('error', (error) => recorder.fault(`replay: ${error.message}`));
  const send = (datagram: Buffer) => {
    if (device) socket.send(datagram, device.port, device.address, () => {});
  };
  socket.on('message', (datagram, from) => {
    if (datagram.length < 4) return;
    device = from;
    const id = datagram.readUInt32BE(0);
    if (id > 0) record(recorder, 'received', id, datagram.length);
    else send(encodeReplay(0, 4));
  });
  socket.bind(side.port, side.address, () => {
    playOnTime(side.packets, startMs, (packet) => sendPacket(packet, send, recorder));
  });
}

function sendPacket(
  { id, ipBytes }: ReplayPacket,
  send: (datagram: Buffer) => void,
  recorder: TrafficRecorder,
): void {
  record(recorder, 'sent', id, ipBytes - IP_UDP_BYTES);
  send(encodeReplay(id, ipBytes - IP_UDP_BYTES));
}

function record(
  recorder: TrafficRecorder,
  what: 'sent' | 'received',
  id: number,
  payloadBytes: number,
): void {
  recorder[what]({
    key: messageKey(id, REPLAY_PART),
    bytes: payloadBytes + IP_UDP_BYTES,
    device: 'replay',
    protocol: 'udp',
  });
}

function encodeReplay(id: number, bytes: number): Buffer {
  const datagram = Buffer.alloc(Math.max(bytes, 4), id & 0xff);
  datagram.writeUInt32BE(id, 0);
  return datagram;
}
