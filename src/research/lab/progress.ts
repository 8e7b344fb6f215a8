// Shows how far a run is: one line that is written over on a terminal, a few plain lines elsewhere.
import type { LabProgress } from './options.ts';

export interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Without a terminal a line is written at the start, and then after every so many seconds. */
const plainEveryS = 10;

/** @param name what is running, first on its line */
export function createProgress(screen: Screen, name: string): LabProgress & { end(): void } {
  let open = false;
  const label = name.padEnd(12);
  const show = (words: string, plain: boolean) => {
    if (screen.isTTY) {
      screen.write(`\r\x1b[K${label} ${words}`);
      open = true;
    } else if (plain) {
      screen.write(`${label} ${words}\n`);
    }
  };
  return {
    step: (words) => show(words, true),
    tick(elapsedS, totalS) {
      const done = Math.round((elapsedS / totalS) * 20);
      const bar = '#'.repeat(done).padEnd(20, '.');
      const left = Math.ceil(totalS - elapsedS);
      show(`devices talk [${bar}] ${left} s left`, elapsedS % plainEveryS === 0 && left > 0);
    },
    warn(words) {
      if (open) screen.write('\r\x1b[K');
      open = false;
      screen.write(`${label} ${words}\n`);
    },
    end() {
      if (open) screen.write('\r\x1b[K');
      open = false;
    },
  };
}
