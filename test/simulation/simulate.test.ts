// The simulator against what can be known without it: queueing theory, conservation, the traces' own sums.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import { seededRandom } from '../../src/core/random/random.ts';
import { RecordedClock } from '../../src/core/simulation/link.ts';
import { PATH_MS, PackedLink } from '../../src/core/simulation/packed-link.ts';
import { fragmentCount } from '../../src/research/simulation/padded-link.ts';
import { simulate } from '../../src/research/simulation/simulate.ts';
import {
  defaultVariantOptions,
  type VariantName,
  type VariantOptions,
  variantNames,
  variantOf,
} from '../../src/research/simulation/variants.ts';
import type { DeviceSample } from '../../src/shell/simulation/trace.ts';
import { fixtures, poisson, readAll } from './traces.ts';

const options = { ...defaultVariantOptions, maxDelayMs: Infinity };
const variant = (name: VariantName, changes: Partial<VariantOptions> = {}) =>
  variantOf(name, { ...options, ...changes });
const slotMs = 12.8;
/** Two slots stand in the clock behind OpenVPN. */
const BEHIND_MS = 2 * slotMs;

test('a lone small packet waits half a slot on average, a slot at most', async (t) => {
  const trace = [...poisson(seededRandom(7), { packets: 20_000, perSecond: 0.5, bytes: 100 })];
  for (const name of ['padded-constant', 'packed-constant'] as const) {
    const [result] = await simulate(trace, [variant(name)]);
    const { meanMs, p50Ms, maxMs } = result!.up.latency;
    const expected = slotMs / 2 + (name === 'packed-constant' ? PATH_MS + BEHIND_MS : 0);
    t.true(Math.abs(meanMs / expected - 1) < 0.03, `${name}: mean ${meanMs}`);
    t.true(Math.abs(p50Ms / expected - 1) < 0.05, `${name}: median ${p50Ms}`);
    // Rarely two packets meet in one slot.
    t.true(maxMs > 0.99 * slotMs && maxMs < 3 * slotMs + BEHIND_MS, `${name}: max ${maxMs}`);
  }
});

test('a packet that comes too shortly before a slot misses it; slots may be recorded ones', (t) => {
  const waits: number[] = [];
  const link = new PackedLink({
    packetBytes: 512,
    clock: new RecordedClock([10, 20, 30, 40, 50]),
    maxDelayMs: 10_000,
    pathMs: 1,
    onDelivered: (_, delayMs) => waits.push(Math.round(delayMs * 1e6) / 1e6),
  });
  // In time, too late for one slot, two of one turn, and one of the next turn in a frame of its own.
  for (const timeMs of [8.5, 19.5, 32, 32.1, 32.4]) {
    link.advance(timeMs);
    link.arrive(timeMs, 100, 'device');
  }
  link.advance(50);
  t.deepEqual(waits, [1.5, 10.5, 8, 7.9, 17.6]);
  t.is(link.totals.wirePackets, 5);
  t.is(link.totals.coverBytes, 512);
});

test('a control packet takes a slot of its own, behind frames that stand and before those to come', (t) => {
  const waits: number[] = [];
  const link = new PackedLink({
    packetBytes: 512,
    clock: new RecordedClock([10, 20, 30, 40, 50, 60]),
    maxDelayMs: 10_000,
    pathMs: 0,
    controlEveryMs: 50,
    controlFromMs: 25,
    onDelivered: (_, delayMs) => waits.push(Math.round(delayMs * 1e6) / 1e6),
  });
  // Control packets come at 25 and 75: one frame stands by then, one does not.
  for (const timeMs of [22, 26]) {
    link.advance(timeMs);
    link.arrive(timeMs, 100, 'device');
  }
  link.finish(60);
  t.deepEqual(waits, [8, 24]);
  t.is(link.totals.wirePackets, 6);
  t.is(link.totals.coverBytes, 4 * 512);
});

test('varying slots delay a lone packet by the rest of an interval: (1 + cv²) / 2 of its mean', async (t) => {
  const trace = [...poisson(seededRandom(8), { packets: 40_000, perSecond: 0.5, bytes: 100 })];
  const [result] = await simulate(trace, [variant('packed-vit')]);
  const expected = (slotMs / 2) * 1.09 + PATH_MS + BEHIND_MS;
  t.true(Math.abs(result!.up.latency.meanMs / expected - 1) < 0.03);
});

test('the ideal packer waits for nothing but slots, and takes all that came by then into one frame', async (t) => {
  const lone = [...poisson(seededRandom(8), { packets: 40_000, perSecond: 0.5, bytes: 100 })];
  const [result] = await simulate(lone, [variant('packed-ideal')]);
  t.true(Math.abs(result!.up.latency.meanMs / ((slotMs / 2) * 1.09) - 1) < 0.03);
  // Four packets a millisecond apart: one slot is enough, where a packer that forms ahead needs up to three.
  const bursts = lone.flatMap((sample) =>
    [0, 1, 2, 3].map((ms) => ({ ...sample, timeS: sample.timeS + ms / 1000 })),
  );
  const names = ['packed-vit', 'packed-ideal'] as const;
  const [real, ideal] = await simulate(
    bursts,
    names.map((name) => variant(name)),
  );
  t.true(ideal!.up.latency.meanMs < 0.6 * real!.up.latency.meanMs);
  t.is(ideal!.up.dropped, 0);
});

test('packets of one slot at random moments wait as an M/D/1 queue with slots says', async (t) => {
  for (const load of [0.3, 0.6, 0.8]) {
    const perSecond = (load * 1000) / slotMs;
    const trace = [...poisson(seededRandom(9), { packets: 200_000, perSecond, bytes: 500 })];
    const [result] = await simulate(trace, [variant('padded-constant')]);
    // Half a slot until the next departure, and the Pollaczek–Khinchine wait behind others.
    const expected = slotMs / 2 + (load * slotMs) / (2 * (1 - load));
    const { meanMs } = result!.up.latency;
    t.true(Math.abs(meanMs / expected - 1) < 0.05, `load ${load}: ${meanMs}, not ${expected}`);
  }
});

test('fragments of a packet', (t) => {
  const cases = [
    [20, 512, 1],
    [512, 512, 1],
    [513, 512, 2],
    [1500, 512, 4],
    [1500, 1400, 2],
    [1500, 256, 7],
  ] as const;
  for (const [ipBytes, packetBytes, count] of cases) {
    t.is(fragmentCount(ipBytes, packetBytes), count, `${ipBytes} in ${packetBytes}`);
  }
});

const sample = fc.record({
  gapMs: fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.integer({ min: 0, max: 60_000 })),
  bytes: fc.integer({ min: 20, max: 1500 }),
  direction: fc.constantFrom('up' as const, 'down' as const),
  device: fc.constantFrom('a', 'b', 'c'),
});
const randomTrace = fc.array(sample, { minLength: 1, maxLength: 200 }).map((samples) => {
  let timeS = 1e9;
  return samples.map(({ gapMs, ...rest }): DeviceSample => {
    timeS += gapMs / 1000;
    return { ...rest, timeS };
  });
});

test('nothing is lost or made up: packets and bytes add up in every variant', async (t) => {
  const rate = fc.double({ min: 1, max: 200, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      randomTrace,
      rate,
      fc.integer({ min: 256, max: 1400 }),
      fc.constantFrom(200, 10_000, Infinity),
      async (trace, uploadKBps, packetBytes, maxDelayMs) => {
        const variants = variantNames.map((name) =>
          variant(name, { uploadKBps, packetBytes, maxDelayMs }),
        );
        const bytes = trace.reduce((sum, packet) => sum + packet.bytes, 0);
        for (const { variant: ran, total, up, down } of await simulate(trace, variants)) {
          t.is(total.packets + total.dropped, trace.length, ran.name);
          if (total.dropped === 0) t.is(total.realBytes, bytes, ran.name);
          t.is(up.latency.packets + down.latency.packets, total.packets);
          t.true(total.paddingBytes >= 0 && total.coverBytes >= 0);
          const perPacket = ran.packetBytes + 52;
          if (/^pa/.test(ran.name)) t.is(total.wireBytes, total.wirePackets * perPacket, ran.name);
          if (ran.name === 'none') t.is(total.wireBytes, bytes);
          if (ran.name === 'vpn') t.is(total.wireBytes, bytes + 52 * trace.length);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('the wire shows packets of one size, in order of time, cover included', async (t) => {
  const trace = await readAll([fixtures.echo]);
  for (const name of ['packed-constant', 'packed-vit', 'padded-vit'] as const) {
    const wire: { timeS: number; bytes: number; direction: string }[] = [];
    const [shown] = await simulate(trace, [variant(name)], {
      onWire: (_variant, timeS, bytes, direction) => wire.push({ timeS, bytes, direction }),
    });
    t.is(wire.length, shown!.total.wirePackets);
    t.true(wire.every(({ bytes }) => bytes === 564));
    for (const way of ['up', 'down']) {
      const times = wire.filter(({ direction }) => direction === way).map(({ timeS }) => timeS);
      t.true(times.every((timeS, i) => i === 0 || timeS > times[i - 1]!));
    }
    t.true(wire.every(({ timeS }, i) => i === 0 || timeS >= wire[i - 1]!.timeS));
    // Without a listener idle slots are skipped, to the same end.
    const [silent] = await simulate(trace, [variant(name)]);
    t.deepEqual(silent, shown);
  }
});

test('the schedule of slots does not depend on what devices send', async (t) => {
  const trace = await readAll([fixtures.camera]);
  const ends = [trace[0]!, { ...trace.at(-1)!, bytes: 40 }];
  const timesOf = async (samples: DeviceSample[]): Promise<number[]> => {
    const times: number[] = [];
    await simulate(samples, [variant('packed-vit', { uploadKBps: 100, downloadKBps: 100 })], {
      onWire: (_variant, timeS, _bytes, direction) => {
        if (direction === 'up') times.push(timeS);
      },
    });
    return times;
  };
  const idle = await timesOf(ends);
  const busy = await timesOf(trace);
  t.true(idle.length > 1000);
  t.deepEqual(busy.slice(0, idle.length - 5), idle.slice(0, -5));
});

test('packing needs fewer slots than padding and delivers sooner, on real traces', async (t) => {
  for (const [path, rate, times] of [
    [fixtures.echo, 10, 2],
    [fixtures.echo, 20, 2],
    [fixtures.camera, 40, 2],
  ] as const) {
    const rates = { uploadKBps: rate, downloadKBps: rate };
    const names = ['padded-constant', 'packed-constant', 'padded-vit', 'packed-vit'] as const;
    const results = await simulate(
      await readAll([path]),
      names.map((name) => variant(name, rates)),
    );
    for (const [padded, packed] of [results.slice(0, 2), results.slice(2)]) {
      const label = `${path} at ${rate} KB/s, ${packed!.variant.name}`;
      t.true(packed!.up.latency.meanMs * times < padded!.up.latency.meanMs, label);
      t.true(packed!.total.paddingBytes < padded!.total.paddingBytes, label);
      t.true(packed!.total.wirePackets <= padded!.total.wirePackets, label);
    }
  }
});

test("the paper's figures fix its own variant", async (t) => {
  const [result] = await simulate(await readAll([fixtures.echo]), [variant('paper')]);
  t.is(result!.variant.packetBytes, 512);
  t.is(512 / result!.variant.uploadKBps, 1000);
  t.is((1000 * result!.variant.sdPercent) / 100, 10);
});

test('same seed, same result; another seed, another', async (t) => {
  const trace = await readAll([fixtures.echo, fixtures.camera]);
  const variants = variantNames.map((name) => variant(name));
  const first = await simulate(trace, variants, { seed: 5 });
  t.deepEqual(await simulate(trace, variants, { seed: 5 }), first);
  const vit = first.find((result) => result.variant.name === 'packed-vit')!;
  const [other] = await simulate(trace, [variant('packed-vit')], { seed: 6 });
  t.notDeepEqual(other, vit);
});

test('packets too late are dropped and counted', async (t) => {
  const trace = await readAll([fixtures.camera]);
  const slow = { uploadKBps: 5, downloadKBps: 5, maxDelayMs: 500 };
  const [result] = await simulate(trace, [variant('packed-vit', slow)]);
  t.true(result!.up.dropped > 100);
  // A packet is dropped before its first byte leaves: its tail may still take the slots it needs.
  t.true(result!.up.latency.maxMs < 500 + 6 * (512 / 5) * 1.79);
});

test('stochastic padding: mostly off without activity, on with it', async (t) => {
  const quiet = [...poisson(seededRandom(3), { packets: 200, perSecond: 0.5, bytes: 100 })];
  const cost = (
    await simulate(quiet, [variant('stp'), variant('vpn'), variant('padded-constant')])
  ).map(({ total }) => total.wireBytes);
  t.true(cost[0]! > cost[1]! && cost[0]! < 0.5 * cost[2]!);
  const [busy] = await simulate(await readAll([fixtures.echo]), [variant('stp')]);
  t.true(busy!.total.coverBytes > 0 && busy!.up.latency.maxMs > 0);
});

test('memory stays flat over two million packets', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 1e6;
  };
  const before = used();
  let highest = 0;
  const trace = poisson(seededRandom(4), { packets: 2_000_000, perSecond: 100, bytes: 200 });
  const [result] = await simulate(trace, [variant('packed-vit'), variant('padded-vit')], {
    onProgress: (packets) => {
      if (packets % (65_536 * 8) === 0) highest = Math.max(highest, used());
      return true;
    },
  });
  t.is(result!.up.packets, 2_000_000);
  t.true(highest > 0 && highest - before < 16, `${highest - before} MB more`);
});
