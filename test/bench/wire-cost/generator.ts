// Sends packets as a stream's schedule draws them, for a plain tunnel to carry: `generator.js ADDRESS KBPS PACKET_BYTES SEED`.
import { createSocket } from 'node:dgram';
import { IntervalSchedule } from '../../../src/core/pacing/schedule.ts';
import { COVER_PORT } from '../../../src/core/plan/names.ts';
import { seededRandom } from '../../../src/core/random/random.ts';
import { slotMs, streamDefaults } from '../../../src/core/stream/stream.ts';

const IP_UDP_BYTES = 28;
/** What is later than this is not made up: it would leave as a burst, which costs OpenVPN less. */
const LATE_MS = 100;

const [address = '', rate = '', bytes = '', seed = ''] = process.argv.slice(2);
const schedule = new IntervalSchedule({
  mode: 'vit',
  meanMs: slotMs(Number(rate), Number(bytes)),
  sdPercent: streamDefaults.intervalSdPercent,
  random: seededRandom(Number(seed)),
});
const payload = Buffer.alloc(Number(bytes) - IP_UDP_BYTES);
const cell = new Int32Array(new SharedArrayBuffer(4));
const socket = createSocket('udp4');
socket.on('error', () => {}); // the tunnel may be down for a moment
let dueMs = performance.now();

/** A timer fires at whole milliseconds, which is a slot at 400 KB/s; waiting on a cell ends when it is to. */
function next(): void {
  const nowMs = performance.now();
  dueMs = Math.max(dueMs + schedule.nextMs(), nowMs - LATE_MS);
  if (dueMs > nowMs) Atomics.wait(cell, 0, 0, dueMs - nowMs);
  socket.send(payload, COVER_PORT, address, next);
}
socket.bind(0, next);
