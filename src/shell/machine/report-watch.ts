// Notices a second in which what shapes has reported nothing.
import type { System } from '../system/system.ts';

/** A second without a report is told no sooner. */
const UNREPORTED_MS = 1500;
/** A second that is looked at so late was one in which this process was held up. */
const LATE_MS = 2000;

/** Asked once a second. */
export class ReportWatch {
  readonly #clock: System['clock'];
  #heardMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.POSITIVE_INFINITY;
  #wasLate = false;

  constructor({ clock }: Pick<System, 'clock'>) {
    this.#clock = clock;
  }

  /** A report has come. */
  hear(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /** Whether none came. What was reported while this process was held up is read after the timer that asks: it is waited for once. */
  isMissing(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#wasLate = !this.#wasLate && nowMs - this.#askedMs > LATE_MS;
    this.#askedMs = nowMs;
    return !this.#wasLate && nowMs - this.#heardMs >= UNREPORTED_MS;
  }
}
