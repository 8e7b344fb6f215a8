// A million random and mutated inputs through the ubus codec: `node build/test/bench/ubus-codec.js [COUNT]`.

import { exerciseCodec, generateInput } from '../ubus/mutation.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const mebibyte = 2 ** 20;
const outcomes = { sound: 0, refused: 0 };
let slowestMs = 0;
let slowestSeed = 0;
let peakHeapMiB = 0;
let bytes = 0;

const started = performance.now();
for (let seed = 0; seed < count; seed++) {
  const input = generateInput(seed);
  bytes += input.length;
  const before = performance.now();
  outcomes[exerciseCodec(input)]++;
  const took = performance.now() - before;
  if (took > slowestMs) [slowestMs, slowestSeed] = [took, seed];
  if (seed % 1000 === 0) {
    peakHeapMiB = Math.max(peakHeapMiB, process.memoryUsage().heapUsed / mebibyte);
  }
}
const seconds = (performance.now() - started) / 1000;
console.log(`${count} inputs, ${(bytes / mebibyte).toFixed(0)} MiB, ${seconds.toFixed(1)} s`);
console.log(`${outcomes.sound} held something sound, ${outcomes.refused} were refused whole`);
console.log(
  `slowest ${slowestMs.toFixed(1)} ms (seed ${slowestSeed}, pauses of the machine included)`,
);
console.log(
  `heap at most ${peakHeapMiB.toFixed(0)} MiB, process at most ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
);
