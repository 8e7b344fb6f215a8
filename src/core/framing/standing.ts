// What of a sender's frames stands in the kernel's queue, and whether the next one goes behind it or ahead.

import { companyMs } from './company.ts';
import { FIRST, FULLER } from './frame.ts';

/** Frames that the kernel's smallest send buffer holds, about. */
export const BUFFER_FRAMES = 4;

/** Longest slot with which any overtakes another. */
const MOST_SLOT_MS = 150;
/**
 * Right after a fuller edition what is made in so many milliseconds' slots goes ahead as well, so that what was overtaken delays no
 * burst but a long one. No longer: what was taken for gone, and is not, waits as long, and the far end hands over at once what waited for that.
 */
const AHEAD_MS = 100;
const MOST_AHEAD = 8;

/**
 * What one that went ahead has overtaken comes within so long: each that the buffer holds may have been followed by as many as there are.
 * Twice that, for OpenVPN may pause meanwhile, and kernels differ.
 */
export const OVERTAKEN_MS = 2 * BUFFER_FRAMES * (AHEAD_MS + MOST_SLOT_MS);

/**
 * Frames leave in order, but for a fuller edition of one that stands alone and some behind that. What stands is counted by what has
 * left, which is known late, and cover counts for a frame then. So this may be wrong, either way, which costs a slot and
 * loses nothing: a fuller edition has all that the first one has, and the far end waits for what else it may have overtaken.
 */
export class StandingFrames {
  /** All of them; a fraction where time alone tells. */
  #frames = 0;
  /** Edition of the one made last, while any stands. */
  #last = 0;

  /** Those that leave before the next one: not the first edition that a fuller one has overtaken, for as long as all go ahead. */
  get before(): number {
    return this.#last < FULLER ? this.#frames : this.#frames - 1;
  }

  /** Whether any does. */
  get any(): boolean {
    return this.#frames > 0.5;
  }

  /**
   * The edition that is to be made next.
   *
   * @param roomBytes what the one made last has room for.
   * @param waitMs how long a fuller edition would wait for more; 0 where the far end reads none, or there is no time.
   */
  next(roomBytes: number, waitMs: number): number {
    if (waitMs < 1 || waitMs > companyMs(MOST_SLOT_MS)) return FIRST;
    if (this.#last === FIRST) return roomBytes > 0 && this.#frames <= 1 ? FULLER : FIRST;
    const most = Math.min(MOST_AHEAD, companyMs(AHEAD_MS) / waitMs);
    return this.#last >= FULLER && this.#last < FULLER + most ? this.#last + 1 : FIRST;
  }

  made(edition: number): void {
    this.#frames++;
    this.#last = edition;
  }

  /** So many have left, of whatever band: those that go ahead do so first, and cover last. */
  left(frames: number): void {
    this.#frames = Math.max(0, this.#frames - frames);
    if (!this.any) this.#last = 0;
  }

  /** Where it is not counted what leaves: so many slots have passed, and no more can stand than the buffer holds. */
  passed(slots: number): void {
    this.#frames = Math.min(this.#frames, BUFFER_FRAMES);
    this.left(slots);
  }
}
