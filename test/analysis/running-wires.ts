// Days of wires and of devices, drawn fast: what an audit without end is given in a simulation, ten minutes at a time.

import { normalQuantile } from '../../src/core/analysis/statistics/normal.ts';
import { type Random, seededRandom } from '../../src/core/random/random.ts';
import type { RunningBatch } from '../../src/research/analysis/running/running-audit.ts';

export interface RunningWireOptions {
  mode: 'constant' | 'vit';
  seed: number;
  /** How much faster the endpoint's clock runs than the home's. */
  driftPpm?: number;
  meanMs?: number;
  /** Mean pause between spells of activity, seconds. */
  everyS?: number;
  /** A device that asks again so long after each answer. */
  pollS?: number;
  /** Leak: of all slots up this share, all of them with devices' packets, leaves so much later. */
  planted?: { share: number; laterMs: number };
}

const TABLE = 1 << 11;
const normals = Float64Array.from({ length: TABLE }, (_, i) => normalQuantile((i + 0.5) / TABLE));
const waits = Float64Array.from({ length: TABLE }, (_, i) => -Math.log((i + 0.5) / TABLE));
const SPREAD = 0.3;
const JITTER_S = 0.12e-3;

/** Draws batch after batch of one home; clocks and schedules go on from one to the next. */
export class RunningWire {
  readonly #options: Required<Omit<RunningWireOptions, 'planted' | 'pollS'>> & RunningWireOptions;
  readonly #up: Random;
  readonly #down: Random;
  readonly #devices: Random;
  #nowS = 0;
  #nextUpS = 0;
  #nextDownS = 0.004;
  #nextSpellS = 1;
  #nextPollS: number;

  constructor(options: RunningWireOptions) {
    this.#options = { driftPpm: 0, meanMs: 12.8, everyS: 60, ...options };
    this.#up = seededRandom(options.seed, 61);
    this.#down = seededRandom(options.seed, 62);
    this.#devices = seededRandom(options.seed, 63);
    this.#nextPollS = options.pollS ?? Number.POSITIVE_INFINITY;
  }

  next(batchS: number): RunningBatch {
    const { meanMs, driftPpm, planted } = this.#options;
    const endS = this.#nowS + batchS;
    const meanS = meanMs / 1000;
    const upSlotS = this.#drawSlots(this.#nextUpS, endS, meanS, this.#up, (nextS) => {
      this.#nextUpS = nextS;
    });
    const downMeanS = meanS / (1 + driftPpm / 1e6);
    const downSlotS = this.#drawSlots(this.#nextDownS, endS, downMeanS, this.#down, (nextS) => {
      this.#nextDownS = nextS;
    });
    const { sentS, receivedS } = this.#live(endS, downSlotS);
    if (planted) this.#plant(upSlotS, sentS, planted);
    this.#nowS = endS;
    return { upSlotS, downSlotS, sentS, receivedS };
  }

  #drawSlots(
    startS: number,
    endS: number,
    meanS: number,
    random: Random,
    onEnd: (nextS: number) => void,
  ): Float64Array {
    const isConstant = this.#options.mode === 'constant';
    const slots = new Float64Array(Math.ceil(((endS - startS) / meanS) * 1.2) + 100);
    let count = 0;
    let t = startS;
    for (; t < endS && count < slots.length; ) {
      const bits = random() * TABLE;
      const place = bits | 0;
      slots[count] = t + waits[place]! * JITTER_S;
      // No slot overtakes another.
      if (count > 0 && slots[count]! < slots[count - 1]!) slots[count] = slots[count - 1]!;
      count++;
      t += isConstant
        ? meanS
        : meanS * Math.max(0.05, 1 + SPREAD * normals[((bits - place) * TABLE) | 0]!);
    }
    onEnd(t);
    return slots.slice(0, count);
  }

  /** What devices send, they send when they like; what they are sent comes after a slot, and some of it they answer. */
  #live(endS: number, downSlotS: Float64Array): { sentS: Float64Array; receivedS: Float64Array } {
    const random = this.#devices;
    const { everyS, pollS } = this.#options;
    const sent: number[] = [];
    const received: number[] = [];
    let place = 0;
    const receive = (askedS: number): number | null => {
      while (place < downSlotS.length && downSlotS[place]! < askedS) place++;
      const slotS = downSlotS[place++];
      if (slotS === undefined) return null;
      const timeS = slotS + 0.0002 + random() * 0.0003;
      received.push(timeS);
      return timeS;
    };
    while (Math.min(this.#nextSpellS, this.#nextPollS) < endS) {
      if (this.#nextPollS < this.#nextSpellS) {
        const askedS = this.#nextPollS;
        sent.push(askedS);
        const answerS = receive(askedS + 0.03 + random() * 0.02);
        this.#nextPollS = (answerS ?? askedS) + pollS!;
        continue;
      }
      let t = this.#nextSpellS;
      const spellEndS = Math.min(endS, t + 0.05 + random() * 2.5);
      for (let isUp = random() < 0.6; t < spellEndS; isUp = random() < 0.5) {
        if (isUp) sent.push(t);
        else {
          const timeS = receive(t);
          if (timeS !== null && random() < 0.4) sent.push(timeS + 0.001 + random() * 0.003);
        }
        t += 0.005 - Math.log(1 - random()) * 0.12;
      }
      this.#nextSpellS = t + 0.6 - Math.log(1 - random()) * everyS;
    }
    return {
      sentS: Float64Array.from(sent).sort(),
      receivedS: Float64Array.from(received).sort(),
    };
  }

  #plant(
    slotS: Float64Array,
    sentS: Float64Array,
    { share, laterMs }: { share: number; laterMs: number },
  ): void {
    const carrying: number[] = [];
    let place = 0;
    for (const timeS of sentS) {
      while (place < slotS.length && slotS[place]! < timeS) place++;
      if (place < slotS.length && carrying.at(-1) !== place) carrying.push(place);
    }
    const chance = Math.min(1, (share * slotS.length) / Math.max(1, carrying.length));
    for (const slot of carrying) if (this.#devices() < chance) slotS[slot]! += laterMs / 1000;
  }
}
