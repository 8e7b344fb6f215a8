// Frames that overtake others, on a machine whose counts are late and wrong: nothing may be lost by them.
import test from 'ava';
import { EDITION_AT, FULLER, frameEdition, SOLE } from '../../src/core/framing/frame.ts';
import { drawIndex, seededRandom } from '../../src/core/random/random.ts';
import { runs } from '../property-runs.ts';
import { BusyKernel, goesAhead, type KernelOptions } from './busy-kernel.ts';

const DEVICES = 4;
const PACKET_BYTES = 512;
const SLOTS = 300;

/** A life of a link: bursts at random, and what becomes of them. */
async function live(seed: number, change: Partial<KernelOptions> = {}) {
  const random = seededRandom(seed);
  const slotMs = [4.2, 12.8, 12.8, 12.8, 51.2, 102.4, 145][drawIndex(random, 7)]!;
  const kernel = await BusyKernel.start({
    shape: {
      rateKBps: PACKET_BYTES / slotMs,
      packetBytes: PACKET_BYTES,
      mode: 'constant',
      sdPercent: 0,
    },
    random,
    bufferFrames: 2 + drawIndex(random, 3),
    isCounted: random() < 0.7,
    bandOf: goesAhead,
    ...change,
  });
  const { time } = kernel;
  const sent = Array.from({ length: DEVICES }, () => 0);
  const load = 0.05 + 1.1 * random();
  const smallest = 28 + 200 * random();
  const endMs = time.nowMs + SLOTS * slotMs;
  while (time.nowMs < endMs) {
    const device = drawIndex(random, DEVICES);
    const packets = 1 + drawIndex(random, 6);
    let bytes = 0;
    for (let k = 0; k < packets; k++) {
      const size = Math.round(smallest + (1450 - smallest) * random() ** 4);
      bytes += size;
      kernel.send(device, sent[device]!++, size);
      time.pass(time.nowMs + (random() < 0.5 ? 0 : 0.3 * slotMs * random()));
    }
    time.pass(time.nowMs + ((2 * random() * bytes) / PACKET_BYTES / load) * slotMs);
  }
  time.pass(time.nowMs + 3 * SLOTS * slotMs + 10_000);
  const received = sent.map((_count, device) => kernel.received.get(`${device}`) ?? []);
  const wrong = received.some(
    (places, device) => places.length !== sent[device] || places.some((place, at) => place !== at),
  );
  const { lost, late, incomplete, damaged, resyncs } = kernel.far.unpackerStats;
  const bad = {
    lost,
    late,
    incomplete,
    damaged,
    resyncs,
    dropped: kernel.link.queues.totals.droppedFull,
  };
  const atOnceFrames = kernel.mostAtOnceBytes / PACKET_BYTES;
  return { received, wrong, bad, seen: kernel.seen, slotMs, atOnceFrames };
}

const none = { lost: 0, late: 0, incomplete: 0, damaged: 0, resyncs: 0, dropped: 0 };

test('each packet arrives once and in its device’s order, whatever is believed of what stands in the kernel', async (t) => {
  const all = { fuller: 0, tooLate: 0, overtaken: 0 };
  for (let seed = 1; seed <= runs(2000); seed++) {
    const { wrong, bad, seen, slotMs, atOnceFrames } = await live(seed);
    // Nine tiny packets each: more at once than socat's buffer holds would be lost there.
    t.true(atOnceFrames < 16, `seed ${seed}: ${atOnceFrames} frames at once`);
    t.deepEqual({ wrong, ...bad }, { wrong: false, ...none }, `seed ${seed}, ${slotMs} ms`);
    for (const key of ['fuller', 'tooLate', 'overtaken'] as const) all[key] += seen[key];
  }
  // Belief was wrong in either way, and others were overtaken by it.
  for (const count of Object.values(all)) t.true(count > 0);
});

/** How many of some lives went wrong. */
async function harmed(change: Partial<KernelOptions>): Promise<number> {
  let count = 0;
  for (let seed = 1; seed <= 60; seed++) if ((await live(seed, change)).wrong) count++;
  return count;
}

test('where all that has no room goes ahead of what has, packets are lost', async (t) => {
  const bandOf = (frame: Uint8Array) => (frame.at(-1) === 0 ? 1 : 0);
  t.true((await harmed({ bandOf })) > 0);
});

test('where the far end does not know which frames went ahead, packets are lost', async (t) => {
  const comes = (frame: Uint8Array) => {
    if (frameEdition(frame) >= FULLER) frame[EDITION_AT] = SOLE;
    return true;
  };
  t.true((await harmed({ comes })) > 0);
});

test('what comes where the network loses frames does so once and in order', async (t) => {
  for (let seed = 1; seed <= runs(300); seed++) {
    const random = seededRandom(seed, 1);
    let frames = 0;
    const comes = () => frames++ < 8 || random() > 0.1;
    const { received, bad } = await live(seed, { comes });
    for (const places of received) {
      t.true(
        places.every((place, at) => at === 0 || place > places[at - 1]!),
        `seed ${seed}`,
      );
    }
    t.deepEqual([bad.damaged, bad.resyncs], [0, 0], `seed ${seed}`);
  }
});
