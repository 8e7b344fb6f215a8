// Which stretches of an alternating run are active: one of every two, in an order drawn from the seed.
import { seededRandom } from '../../../core/random/random.ts';

/** One stretch after the other, each so long; true where devices are active. */
export interface Turns {
  stretchS: number;
  active: readonly boolean[];
}

/** Drawn apart from what devices do in their turns. */
const STREAM = 90;

/**
 * Of every two stretches one is active, and a coin says which: what else goes on in the machine, at whatever beat, keeps step with it by
 * chance alone.
 */
export function drawTurns(seed: number, durationS: number, stretchS: number): Turns {
  const random = seededRandom(seed, STREAM);
  const active: boolean[] = [];
  const stretches = Math.ceil(durationS / stretchS);
  while (active.length < stretches) {
    const first = random() < 0.5;
    active.push(first, !first);
  }
  return { stretchS, active: active.slice(0, stretches) };
}

/** From when to when devices are active, a stretch each. */
export function activeStretches(
  { stretchS, active }: Turns,
  durationS: number,
): { startS: number; endS: number }[] {
  return active.flatMap((isActive, k) =>
    isActive ? [{ startS: k * stretchS, endS: Math.min((k + 1) * stretchS, durationS) }] : [],
  );
}
