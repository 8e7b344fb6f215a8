// Does planned things at their times.
import { monotonicMs } from './traffic-log.ts';

/** Calls `play` for each item at its time, with one timer for all. */
export function playOnTime<T extends { atS: number }>(
  items: readonly T[],
  startMs: number,
  play: (item: T, index: number) => void,
): void {
  let next = 0;
  const step = () => {
    while (next < items.length) {
      const item = items[next]!;
      const waitMs = startMs + item.atS * 1000 - monotonicMs();
      if (waitMs > 0.5) {
        setTimeout(step, waitMs);
        return;
      }
      play(item, next++);
    }
  };
  step();
}
