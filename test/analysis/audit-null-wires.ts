// Wires that depend on nothing devices do, and devices that depend on the wire as they must: what no audit may call a leak.
import type { ActivitySample } from '../../src/core/analysis/audit-activity.ts';
import type { WirePacket } from '../../src/core/analysis/wire-features.ts';
import { seededRandom } from '../../src/core/random/random.ts';

export interface NullWireOptions {
  seconds: number;
  seed: number;
  mode: 'constant' | 'vit';
  /** How much faster the endpoint's clock runs than the home's. */
  driftPpm?: number;
  meanMs?: number;
  /** Mean pause between two spells of activity. */
  everyS?: number;
  /** A device that asks again, to the tenth of a millisecond, so long after each answer: its questions keep step with slots, too. */
  pollS?: number;
}

export interface NullWire {
  wire: WirePacket[];
  activity: ActivitySample[];
}

const BYTES = 564;
const START_S = 1_780_000_000;
/** Spread of a variable interval, share of its mean. */
const SPREAD = 0.3;
const JITTER_S = 0.12e-3;

/**
 * Both directions' slots are drawn first, from seeds of their own. Then devices live: what they send, they send when they
 * like; what they are sent waits at the endpoint for a slot that is not taken and reaches them 0.2 to 0.5 ms after it;
 * some of it they answer within milliseconds.
 */
export function drawNullWire({
  seconds,
  seed,
  mode,
  driftPpm = 0,
  meanMs = 12.8,
  everyS = 6,
  pollS,
}: NullWireOptions): NullWire {
  const up = drawSlots(seconds, meanMs / 1000, mode, seed * 2);
  const down = drawSlots(seconds, meanMs / 1000 / (1 + driftPpm / 1e6), mode, seed * 2 + 1);
  const wire = [
    ...up.map((timeS): WirePacket => ({ timeS: START_S + timeS, bytes: BYTES, direction: 'up' })),
    ...down.map(
      (timeS): WirePacket => ({ timeS: START_S + timeS, bytes: BYTES, direction: 'down' }),
    ),
  ].sort((a, b) => a.timeS - b.timeS);
  const random = seededRandom(seed, 41);
  const activity: ActivitySample[] = [];
  let nextSlot = 0;
  const send = (timeS: number) => {
    activity.push({ timeS: START_S + timeS, bytes: 60 + random() * 900, direction: 'up' });
  };
  const receive = (askedS: number): number | null => {
    while (nextSlot < down.length && down[nextSlot]! < askedS) nextSlot++;
    const slotS = down[nextSlot++];
    if (slotS === undefined) return null;
    const timeS = slotS + 0.0002 + random() * 0.0003;
    activity.push({ timeS: START_S + timeS, bytes: 900, direction: 'down' });
    return timeS;
  };
  let pollAtS = pollS ?? Number.POSITIVE_INFINITY;
  for (let t = 1; t < seconds; ) {
    t += 0.6 - Math.log(1 - random()) * everyS;
    for (; pollAtS < t; pollAtS += pollS!) {
      send(pollAtS);
      pollAtS = receive(pollAtS + 0.03 + random() * 0.02) ?? Number.POSITIVE_INFINITY;
    }
    const endS = t + 0.05 + random() * 2.5;
    for (let isUp = random() < 0.6; t < endS; isUp = random() < 0.5) {
      if (isUp) send(t);
      else {
        const timeS = receive(t);
        if (timeS !== null && random() < 0.4) send(timeS + 0.001 + random() * 0.003);
      }
      t += 0.005 - Math.log(1 - random()) * 0.12;
    }
  }
  const inside = activity.filter(({ timeS }) => timeS < START_S + seconds - 1);
  return { wire, activity: inside.sort((a, b) => a.timeS - b.timeS) };
}

function drawSlots(seconds: number, meanS: number, mode: NullWireOptions['mode'], seed: number) {
  const random = seededRandom(seed, 42);
  const slots: number[] = [];
  for (let t = random() * meanS; t < seconds; ) {
    slots.push(t - Math.log(1 - random()) * JITTER_S);
    t += mode === 'constant' ? meanS : meanS * Math.max(0.05, 1 + SPREAD * drawNormal(random));
  }
  return slots.sort((a, b) => a - b);
}

function drawNormal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
