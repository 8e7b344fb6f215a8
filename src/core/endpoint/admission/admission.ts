// Whether a home gets what it asks for: by what its operator allows it, and by what is left beside those that are there. Pure.
import type { Refusal } from '../../control/refusal.ts';
import { sdOf } from '../../pacing/modes.ts';
import { topRateKBps } from '../../pacing/top-rate.ts';
import { isPaced, PLAIN_KBPS, type Shape, slotsPerSecond } from '../../stream/stream.ts';
import type { Capacity, Limits } from './limits.ts';

/** What comes of a home by which it may pass its rate: chance, and what its own messages take. */
const UP_SHARE = 1.1;

/** What is known of a home that asks, and of the others. */
export interface AdmissionEvidence {
  limits: Limits;
  capacity: Capacity;
  /** What it asks for. */
  shape: Shape;
  /** What comes of it, over some seconds; null while that was not counted for long enough. */
  coming: { kBps: number; slots: number } | null;
  /** GB that went and came in this month. */
  usedGB: number;
  /** What it has already; null where it is not there. */
  has: Shape | null;
  /** Whether it is the only home there is. */
  isAlone: boolean;
  /** What the others have that are there. */
  others: readonly Shape[];
  /** Those that are there get less than what they were promised. */
  isShort: boolean;
  /** How late the server's timers are, in ms; null where that was not measured. */
  lateMs: number | null;
}

/** Why it does not get it; null where it does. */
export function findRefusal(evidence: AdmissionEvidence): Refusal | null {
  return findOwnRefusal(evidence) ?? findFull(evidence);
}

/** What its operator does not allow it, however much is left. */
export function findOwnRefusal(evidence: AdmissionEvidence): Refusal | null {
  const { limits, shape, coming, usedGB } = evidence;
  if (limits.monthGB !== null && usedGB >= limits.monthGB)
    return refusal('month', usedGB, limits.monthGB);
  // A plain tunnel keeps no rate: it has what its class lets pass.
  const downKBps = isPaced(shape) ? shape.rateKBps : PLAIN_KBPS;
  if (isMore(downKBps, limits.downKBps)) return refusal('down', downKBps, limits.downKBps!);
  const held = topRate(evidence);
  if (downKBps > held) return refusal('timers', downKBps, held);
  const slots =
    isPaced(shape) || limits.slots !== null ? slotsPerSecond({ ...shape, rateKBps: downKBps }) : 0;
  const most = mostSlots(evidence);
  if (isMore(slots, most)) return refusal('slots', slots, most!);
  if (coming === null) return null;
  if (isMore(coming.kBps, limits.upKBps, UP_SHARE))
    return refusal('up', coming.kBps, limits.upKBps!);
  return isMore(coming.slots, most, UP_SHARE) ? refusal('slots', coming.slots, most!) : null;
}

/** Intervals that its timers would blur are promised to nobody. */
function topRate({ shape, lateMs }: AdmissionEvidence): number {
  if (lateMs === null || !isPaced(shape)) return Number.POSITIVE_INFINITY;
  return topRateKBps({ ...shape, sdPercent: sdOf(shape.mode, shape.sdPercent) }, lateMs);
}

/** Without a figure of its operator's a home leaves half of the machine to the others there may be. */
export function mostSlots({
  limits,
  capacity,
  isAlone,
}: Pick<AdmissionEvidence, 'limits' | 'capacity' | 'isAlone'>): number | null {
  if (limits.slots !== null || capacity.slots === null) return limits.slots;
  return isAlone ? capacity.slots : capacity.slots / 2;
}

/** Nobody who is there gives way: who comes, or asks for more, has what is left. */
function findFull({ capacity, shape, has, others, isShort }: AdmissionEvidence): Refusal | null {
  const slots = slotsPerSecond(shape);
  const before = has === null ? 0 : slotsPerSecond(has);
  const isGrowing = slots > before || (has === null ? 0 : has.rateKBps) < shape.rateKBps;
  if (!isGrowing) return null;
  if (isShort) return refusal('full', slots, before);
  const left = leftOf(capacity, others.map(loadOf));
  if (isMore(slots, left.slots)) return refusal('full', slots, left.slots!);
  if (!isMore(shape.rateKBps, left.kBps)) return null;
  return refusal('full', slots, slotsPerSecond({ ...shape, rateKBps: left.kBps! }));
}

/** What homes have of a machine, each way. */
export interface Load {
  slots: number;
  kBps: number;
}

export function loadOf(shape: Pick<Shape, 'rateKBps' | 'packetBytes'>): Load {
  return { slots: slotsPerSecond(shape), kBps: shape.rateKBps };
}

/** What is left of a machine beside those that are there. */
export function leftOf({ slots, kBps }: Capacity, taken: readonly Load[]): Capacity {
  const roomOf = (most: number | null, figure: keyof Load): number | null =>
    most === null ? null : Math.max(0, most - taken.reduce((sum, one) => sum + one[figure], 0));
  return { slots: roomOf(slots, 'slots'), kBps: roomOf(kBps, 'kBps') };
}

export function isMore(figure: number, most: number | null, share = 1): boolean {
  return most !== null && figure > most * share;
}

/** Figures as a person reads them: what is asked for never looks like what is allowed. */
function refusal(code: Refusal['code'], asked: number, allowed: number): Refusal {
  return { code, asked: rounded(asked, Math.ceil), allowed: rounded(allowed, Math.floor) };
}

/** To three digits. */
function rounded(value: number, round: (value: number) => number): number {
  if (value === 0) return 0;
  const step = 10 ** Math.max(-2, Math.floor(Math.log10(value)) - 2);
  return Number((round(Number((value / step).toFixed(6))) * step).toFixed(2));
}
