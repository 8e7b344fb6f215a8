// Measures what packing and unpacking cost: `node build/test/bench/framing.js [FRAMES]`.

import { Packer } from '../../src/core/framing/packer.ts';
import { DeviceQueues } from '../../src/core/framing/queues.ts';
import { Unpacker } from '../../src/core/framing/unpacker.ts';
import { buildIpv4, buildIpv6 } from '../framing/ip-packets.ts';

const frames = Number(process.argv[2] ?? 200_000);
const packetBytes = 512;
const framesPerSecond = 10_000;

const sizes = [80, 1400, 40, 600, 1400, 120];
const packets = sizes.map((size, i) =>
  i % 3 === 0
    ? buildIpv6(new Array(16).fill(i + 1), new Array(16).fill(9), new Uint8Array(size).fill(i + 1))
    : buildIpv4([10, 0, 0, i], [1, 1, 1, 1], new Uint8Array(size).fill(i + 1)),
);

/** Keeps eight devices' queues filled and sends each frame on, with one in `lossEvery` lost. */
function run(title: string, lossEvery: number): void {
  const queues = new DeviceQueues();
  const packer = new Packer({ packetBytes, queues });
  const unpacker = new Unpacker();
  let packMs = 0;
  let unpackMs = 0;
  let packet = 0;
  for (let done = 0; done < frames; done += 1000) {
    const nowMs = (done / framesPerSecond) * 1000;
    const startMs = performance.now();
    const batch: Uint8Array[] = [];
    for (let i = 0; i < 1000; i++) {
      while (queues.totals.depthBytes < 20_000) {
        queues.enqueue(`device ${packet % 8}`, packets[packet % packets.length]!, nowMs);
        packet += 1;
      }
      batch.push(packer.nextFrame(nowMs)!);
    }
    const packedMs = performance.now();
    batch.forEach((frame, i) => {
      if (lossEvery === 0 || (done + i) % lossEvery !== lossEvery - 1) unpacker.push(frame, nowMs);
    });
    packMs += packedMs - startMs;
    unpackMs += performance.now() - packedMs;
  }
  const percent = (ms: number): string =>
    `${(ms / frames).toFixed(5)} ms a frame, ${(((ms / frames) * framesPerSecond) / 10).toFixed(2)} % of a core`;
  const { stats } = unpacker;
  console.log(`${title}: ${frames} frames of ${packetBytes - 28} bytes, ${stats.packets} packets`);
  console.log(`  pack   ${percent(packMs)} at ${framesPerSecond} frames/s`);
  console.log(`  unpack ${percent(unpackMs)} at ${framesPerSecond} frames/s`);
}

run('no loss', 0);
run('2 % loss', 50);
