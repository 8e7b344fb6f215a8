// Synthetic wires for the audit's tests: a clean VIT stream, and the same with a leak planted.
import type { ActivitySample } from '../../src/core/analysis/audit-activity.ts';
import { binOf } from '../../src/core/analysis/statistics/sample.ts';
import type { WirePacket } from '../../src/core/analysis/wire-features.ts';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { seededRandom } from '../../src/core/random/random.ts';

export const LEAKS = [
  'off schedule',
  'one in 50 a byte short',
  'cover pauses 200 ms',
  'one extra slot',
  'sd shrunk by a tenth',
] as const;
export type Leak = (typeof LEAKS)[number];

export interface SyntheticOptions {
  seconds: number;
  seed: number;
  leak?: Leak | null;
  /** `alternate`: all devices on and off in turn, `events`: bursts at random times. */
  pattern?: 'events' | 'alternate';
  sdPercent?: number;
  meanMs?: number;
  /** Mean time between bursts (`events`) or length of a phase (`alternate`). */
  everyS?: number;
}

export interface SyntheticTrace {
  wire: WirePacket[];
  activity: ActivitySample[];
  events: number[];
}

const BYTES = 564;
const START_S = 1_700_000_000;

/** Both directions of a shaped tunnel and what devices did meanwhile; downloads reach devices right after a slot. */
export function synthesize({
  seconds,
  seed,
  leak = null,
  pattern = 'events',
  sdPercent = 30,
  meanMs = 12.8,
  everyS = 6,
}: SyntheticOptions): SyntheticTrace {
  const activityRandom = seededRandom(seed, 1);
  const phases: { from: number; to: number }[] = [];
  if (pattern === 'alternate') {
    for (let t = everyS; t < seconds; t += 2 * everyS) phases.push({ from: t, to: t + everyS });
  } else {
    for (let t = 1; t < seconds; ) {
      t += 0.8 - Math.log(1 - activityRandom()) * everyS;
      const length = 0.05 + activityRandom() * 2.5;
      phases.push({ from: t, to: t + length });
      t += length;
    }
  }
  const inside = phases.filter(({ to }) => to < seconds - 1);
  const wire = (['up', 'down'] as const).flatMap((direction, side) =>
    lane(direction, inside, leak, seconds, sdPercent, meanMs, seed * 2 + side),
  );
  const downS = wire.filter(({ direction }) => direction === 'down').map(({ timeS }) => timeS);
  const activity: ActivitySample[] = [];
  for (const { from, to } of inside) {
    const startsUp = activityRandom() < 0.7;
    for (let t = from, first = true; t < to; first = false) {
      const up = first ? startsUp : activityRandom() < 0.5;
      if (up) activity.push({ timeS: START_S + t, bytes: 200, direction: 'up' });
      else {
        const slot = downS[binOf(downS, START_S + t)];
        if (slot) activity.push({ timeS: slot + 0.0004, bytes: 900, direction: 'down' });
      }
      t += 0.005 + activityRandom() * 0.3;
    }
  }
  activity.sort((a, b) => a.timeS - b.timeS);
  wire.sort((a, b) => a.timeS - b.timeS);
  return { wire, activity, events: inside.map(({ from }) => START_S + from) };
}

function lane(
  direction: 'up' | 'down',
  phases: readonly { from: number; to: number }[],
  leak: Leak | null,
  seconds: number,
  sdPercent: number,
  meanMs: number,
  seed: number,
): WirePacket[] {
  const random = seededRandom(seed, 2);
  const mode = sdPercent === 0 ? 'constant' : 'vit';
  const idle = new IntervalSchedule({ mode, meanMs, sdPercent, random });
  const active = new IntervalSchedule({ mode, meanMs, sdPercent: sdPercent * 0.9, random });
  const leaking = direction === 'up' ? leak : null;
  const packets: WirePacket[] = [];
  let phase = 0;
  let paused = -1;
  let departures = 0;
  for (let t = random() * 0.0128; t < seconds; ) {
    while (phase < phases.length && t > phases[phase]!.to) phase++;
    const now = phases[phase];
    const isActive = now !== undefined && t >= now.from;
    departures++;
    const short = leaking === 'one in 50 a byte short' && isActive && departures % 50 === 0;
    // The kernel's jitter, some tens of µs, is not the schedule's.
    const jitterS = (random() + random() - 1) * 60e-6;
    packets.push({ timeS: START_S + t + jitterS, bytes: short ? BYTES - 1 : BYTES, direction });
    const schedule = leaking === 'sd shrunk by a tenth' && isActive ? active : idle;
    let next = t + schedule.nextMs() / 1000;
    const begins = phases[phase + (isActive ? 1 : 0)];
    if (begins && begins.from > t && begins.from <= next) {
      if (leaking === 'one extra slot') {
        const extraS = begins.from + 0.0003;
        packets.push({ timeS: START_S + extraS, bytes: BYTES, direction });
      }
      // A class with tokens of its own sends at once, and the schedule goes on from there.
      if (leaking === 'off schedule') next = begins.from + 0.0003;
      if (leaking === 'cover pauses 200 ms' && paused !== phase) {
        paused = phase;
        next += 0.2;
      }
    }
    t = next;
  }
  return packets;
}
