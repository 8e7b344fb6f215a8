// One stream that is paced and covered, and what gives its clocks the rate drawn last.
import { encodeClassChange, encodeFifoLimit } from '../../core/netlink/tc-messages.ts';
import type { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { CLOCK_HANDLE, ROOT_HANDLE } from '../../core/plan/names.ts';
import { clockLeaf, clockLimit, clockRate } from '../../core/plan/outer-clock.ts';
import { classId, drawnRate } from '../../core/plan/tc.ts';
import type { Cover } from './cover.ts';
import type { ShapedStream } from './messages.ts';

export interface RunningStream {
  stream: ShapedStream;
  pacer: RatePacer | null;
  cover: Cover | null;
  /** Drawn last, bytes a second. */
  rate: number;
  /** Share by which the inner rate differs from what was drawn. */
  bend: number;
  /** When the clock's count was taken last. */
  observedMs: number;
}

/** Whether there is a clock behind OpenVPN. */
export function hasOuter({ standing }: ShapedStream): boolean {
  return standing > 0;
}

/** The inner clock's rate, bytes a second. */
function bent({ rate, bend }: RunningStream): number {
  return Math.max(1, Math.round(rate * (1 + bend)));
}

/** Netdevs by their index; null where there is none. */
export interface ClockIndexes {
  tunnel: number | null;
  outer: number | null;
}

/** What was drawn, for every clock there is: the same interval at both. */
export function encodeRates(running: RunningStream, indexes: ClockIndexes): Uint8Array[] {
  const { stream, rate } = running;
  const { minor, shape } = stream;
  const { outer } = indexes;
  const inner = encodeInnerRate(running, indexes);
  if (!hasOuter(stream) || outer === null) return inner;
  return [encodeClassChange(outer, CLOCK_HANDLE, minor, clockRate(rate, shape)), ...inner];
}

/** The same for the inner clock alone. */
export function encodeInnerRate(running: RunningStream, { tunnel }: ClockIndexes): Uint8Array[] {
  if (tunnel === null) return [];
  const { minor, shape } = running.stream;
  return [encodeClassChange(tunnel, ROOT_HANDLE, minor, drawnRate(bent(running), shape))];
}

/** What bounds the clock behind OpenVPN; what stands there stays. */
export function encodeLimit(stream: ShapedStream, { outer }: ClockIndexes): Uint8Array[] {
  if (!hasOuter(stream) || outer === null) return [];
  const { minor, shape, standing } = stream;
  const [parent, leaf] = [classId(minor, CLOCK_HANDLE), clockLeaf(minor)];
  return [encodeFifoLimit(outer, parent, leaf, clockLimit(standing, shape))];
}
