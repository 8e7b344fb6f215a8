// A frame that waits for others before it may be read.

import { FIRST, FULLER, frameEdition, frameSequence } from './frame.ts';
import { OVERTAKEN_MS } from './standing.ts';

export interface HeldFrame {
  sequence: number;
  frame: Uint8Array;
  sinceMs: number;
  /** Of one that went ahead: the number of the first one of those that did so in a row. */
  aheadFrom: number | null;
  /** How many frames had come before it. */
  ordinal: number;
}

/** A copy of the frame, to be held. */
export function heldFrame(frame: Uint8Array, sinceMs: number, ordinal: number): HeldFrame {
  const sequence = frameSequence(frame);
  const behind = frameEdition(frame) - FULLER;
  const aheadFrom = behind < 0 ? null : (sequence - behind) >>> 0;
  return { sequence, frame: Uint8Array.from(frame), sinceMs, aheadFrom, ordinal };
}

/** Of two of one number keeps the fuller one; false where they are the same. */
export function keepFuller(kept: HeldFrame, other: HeldFrame): boolean {
  const isFuller = frameEdition(kept.frame) === FIRST && frameEdition(other.frame) === FULLER;
  if (isFuller) kept.frame = other.frame;
  if (other.aheadFrom === null && kept.aheadFrom !== null) {
    // Only now has come what left behind the frames that it overtook.
    kept.aheadFrom = null;
    kept.sinceMs = other.sinceMs;
  }
  return isFuller;
}

/** When the first one of these has waited long enough for `next` and what follows that; Infinity for none. */
export function heldUntilMs(frames: Iterable<HeldFrame>, next: number, reorderMs: number): number {
  let untilMs = Infinity;
  for (const { sinceMs, aheadFrom } of frames) {
    const hasOvertaken = aheadFrom !== null && ((aheadFrom - next) | 0) >= 0;
    untilMs = Math.min(untilMs, sinceMs + reorderMs + (hasOvertaken ? OVERTAKEN_MS : 0));
  }
  return untilMs;
}
