// One stream that is paced and covered, and the lines of tc that give its clocks the rate drawn last.
import type { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { renderClockChange } from '../../core/plan/outer-clock.ts';
import { renderClassChange } from '../../core/plan/tc.ts';
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
export function bent({ rate, bend }: RunningStream): number {
  return Math.max(1, Math.round(rate * (1 + bend)));
}

/** What was drawn, for every clock there is: the same interval at both, in one go. */
export function renderRates(running: RunningStream): string {
  const { stream, rate } = running;
  const { minor, shape } = stream;
  const inner = renderClassChange(minor, bent(running), shape);
  return hasOuter(stream) ? renderClockChange(minor, rate, shape) + inner : inner;
}
