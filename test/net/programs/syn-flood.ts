// A device that begins connections without end, each from an address that is not its own.
// What it says to a port of its own is a frame that socat hands to its netdev.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { onesComplementSum } from '../../../src/core/framing/internet-checksum.ts';

const [netdev = '', from = '', to = '', peer = '', perSecond = '1000'] = process.argv.slice(2);
const PORT = 9099;
const TICK_MS = 20;

function macBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** A SYN from somewhere in 198.18.0.0/15, as RFC 2544 has it for tests. */
function drawFrame(): Buffer {
  const frame = Buffer.alloc(54);
  macBytes(to).copy(frame, 0);
  macBytes(from).copy(frame, 6);
  frame.writeUInt16BE(0x0800, 12);
  const ip = frame.subarray(14);
  const random = randomBytes(12);
  ip[0] = 0x45;
  ip.writeUInt16BE(40, 2);
  ip[8] = 64;
  ip[9] = 6;
  Buffer.from([198, 18 + (random[0]! % 2), random[1]!, random[2]!]).copy(ip, 12);
  Buffer.from(peer.split('.').map(Number)).copy(ip, 16);
  ip.writeUInt16BE(~onesComplementSum(ip, 0, 20) & 0xffff, 10);
  const tcp = ip.subarray(20);
  random.copy(tcp, 0, 4, 6);
  tcp.writeUInt16BE(443, 2);
  random.copy(tcp, 4, 6, 10);
  tcp[12] = 0x50;
  tcp[13] = 0x02;
  tcp.writeUInt16BE(0xffff, 14);
  const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.from([0, 6, 0, 20]), tcp]);
  tcp.writeUInt16BE(~onesComplementSum(pseudo) & 0xffff, 16);
  return frame;
}

const socat = spawn('socat', [`UDP4-RECV:${PORT},bind=127.0.0.1`, `INTERFACE:${netdev}`], {
  stdio: 'inherit',
});
process.once('SIGTERM', () => {
  socat.kill('SIGKILL');
  process.exit(0);
});
const socket = createSocket('udp4');
socket.on('error', () => {});
const each = Math.ceil((Number(perSecond) * TICK_MS) / 1000);
setInterval(() => {
  for (let one = 0; one < each; one++) socket.send(drawFrame(), PORT, '127.0.0.1', () => {});
}, TICK_MS);
