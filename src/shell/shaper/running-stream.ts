// One stream that is paced and covered, and what gives its clocks their rates.
import { encodeClassChange, encodeFifoLimit } from '../../core/netlink/tc-messages.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { modes } from '../../core/pacing/modes.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import type { SlotPlan } from '../../core/pacing/slot-plan.ts';
import { ROOT_HANDLE } from '../../core/plan/names.ts';
import { clockLeaf, clockLimit, clockRate } from '../../core/plan/outer-clock.ts';
import { clockClasses, slotRate } from '../../core/plan/spacers.ts';
import { classBytesPerSecond, classId, drawnRate } from '../../core/plan/tc.ts';
import type { Random } from '../../core/random/random.ts';
import { isPaced, slotsPerSecond } from '../../core/stream/stream.ts';
import type { System } from '../system/system.ts';
import { Cover, type KernelCount } from './cover.ts';
import type { ShapedStream } from './messages.ts';
import { encodeNoSpacers, encodeWholeRate, SpacedSlots } from './spaced-slots.ts';
import type { ClockIndexes } from './traffic-control.ts';

/** How often cover is told to go on where each draw does. */
const DRAWN_BEAT_MS = 16;

export interface RunningStream {
  stream: ShapedStream;
  pacer: RatePacer | SlotPlan | null;
  cover: Cover | null;
  /** What makes its intervals in the clock behind OpenVPN, if it is not that clock's rate. */
  spaced: SpacedSlots | null;
  /** Of the inner clock before it is bent, bytes a second. */
  rate: number;
  /** Share by which the inner rate differs from that. */
  bend: number;
  /** When the clock's count was taken last. */
  observedMs: number;
}

export interface StreamOptions {
  system: System;
  random: Random;
  kernel: () => KernelCount;
  onFault: (fault: Notice) => void;
}

/** One that has not begun. @param old the one that it takes the place of */
export function makeStream(
  stream: ShapedStream,
  old: RunningStream | null,
  { system, random, kernel, onFault }: StreamOptions,
): RunningStream {
  const { shape, local, peer } = stream;
  const { varies } = modes[shape.mode];
  const { packetBytes } = shape;
  const spaced = hasOuter(stream) && varies ? new SpacedSlots(stream, random) : null;
  const nowMs = system.clock.monotonicMs();
  const packetsPerS = slotsPerSecond(shape);
  const beatMs = spaced?.plan.beatMs ?? (varies ? DRAWN_BEAT_MS : 0);
  const isCovered = isPaced(shape);
  return {
    ...{ stream, spaced, rate: classBytesPerSecond(shape) },
    pacer: spaced?.plan ?? (isCovered ? new RatePacer(shape, random, nowMs) : null),
    cover: isCovered
      ? new Cover({ system, local, peer, packetBytes, packetsPerS, beatMs, kernel, onFault })
      : null,
    bend: (hasOuter(stream) && old?.bend) || 0,
    observedMs: Number.NEGATIVE_INFINITY,
  };
}

/** Has its intervals made by rates, where no spacers get through: as exact where nothing is busy, at a cost. */
export function paceByRate(
  running: RunningStream,
  { system, random }: Pick<StreamOptions, 'system' | 'random'>,
): void {
  running.spaced?.close();
  running.spaced = null;
  running.pacer = new RatePacer(running.stream.shape, random, system.clock.monotonicMs());
}

export function closeStream({ cover, spaced }: RunningStream): void {
  cover?.close();
  spaced?.close();
}

/** Whether there is a clock behind OpenVPN. */
export function hasOuter({ standing }: ShapedStream): boolean {
  return standing > 0;
}

/** The inner clock's rate, bytes a second. */
function bent({ rate, bend }: RunningStream): number {
  return Math.max(1, Math.round(rate * (1 + bend)));
}

/** What was drawn, for every clock whose rate makes intervals: the same at both. */
export function encodeRates(running: RunningStream, indexes: ClockIndexes): Uint8Array[] {
  const inner = encodeInnerRate(running, indexes);
  return running.spaced ? inner : [...encodeOuterRate(running, indexes), ...inner];
}

/** The same for the clock behind OpenVPN alone. */
function encodeOuterRate({ stream, rate }: RunningStream, indexes: ClockIndexes): Uint8Array[] {
  const { minor, shape } = stream;
  return hasOuter(stream) ? encodeWholeRate(minor, clockRate(rate, shape), indexes) : [];
}

/** The same for the inner clock alone. */
export function encodeInnerRate(running: RunningStream, { tunnel }: ClockIndexes): Uint8Array[] {
  if (tunnel === null) return [];
  const { minor, shape } = running.stream;
  const place = { index: tunnel, parent: ROOT_HANDLE, id: classId(minor) };
  return [encodeClassChange(place, drawnRate(bent(running), shape))];
}

/** Gives all clocks what this stream has at its start, whatever they were made with: until the first draw cover leaves at this. */
export function encodeStart(running: RunningStream, indexes: ClockIndexes): Uint8Array[] {
  const inner = encodeInnerRate({ ...running, bend: 0 }, indexes);
  return [...encodeOuterStart(running, indexes), ...inner];
}

/** The same for the clock behind OpenVPN alone: slots that stand there stay, spacers do not. */
export function encodeOuterStart(running: RunningStream, indexes: ClockIndexes): Uint8Array[] {
  const { outer } = indexes;
  const { stream } = running;
  if (!hasOuter(stream) || outer === null) return [];
  const { minor, shape, standing } = stream;
  const { whole, slots } = clockClasses(minor);
  const limit = clockLimit(standing, shape);
  return [
    encodeFifoLimit({ index: outer, parent: slots, handle: clockLeaf(minor), limit }),
    encodeClassChange({ index: outer, parent: whole, id: slots }, slotRate(shape)),
    ...encodeNoSpacers(stream, indexes),
    ...encodeOuterRate({ ...running, rate: classBytesPerSecond(shape) }, indexes),
  ];
}
