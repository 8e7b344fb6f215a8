// Puts frames back into the order they were sent in, and notices loss, duplicates and restarts.

import { FIRST, FULLER, frameEdition, frameSequence } from './frame.ts';
import { type HeldFrame, heldFrame, heldUntilMs, keepFuller } from './held-frame.ts';

/** How far back duplicates are known. */
const HISTORY_FRAMES = 1024;
/** A jump ahead by at most this is believed at once; one further off has to be confirmed. */
const NEAR_FRAMES = 64;
/** A confirmed jump ahead by at most this is counted as loss, a longer one as a restart. */
const OUTAGE_FRAMES = 65_536;
/** Frames held that fit nowhere in the current stream. */
const MAX_STRAYS = 8;

export interface SequencerStats {
  /** Sequence numbers given up. */
  lost: number;
  /** Frames that came behind a later one, in time or not. */
  reordered: number;
  /** Frames that came after their number had been given up; they stay counted as lost. */
  late: number;
  duplicates: number;
  /** Changes to another stream of sequence numbers: the sender restarted. */
  resyncs: number;
}

export interface SequencerOptions {
  /** A missing frame is given up when one this many numbers later than it, plus one, has come. */
  reorderFrames: number;
  /** A missing frame is given up when a later one has waited this long. */
  reorderMs: number;
  /** Called with frames in order; the array is the caller's own again after it returns. */
  deliver(frame: Uint8Array): void;
  /** Called with a fuller edition of the frame delivered last. */
  deliverFuller(frame: Uint8Array): void;
  /** Called between two deliveries whose frames don't follow each other. */
  skip(): void;
}

/**
 * Orders frames by 32-bit sequence numbers, which wrap.
 *
 * A frame far from the expected number is a *stray*: garbage, or the first one after the sender
 * restarted. It is held. A second stray next to it, or `reorderMs` without a frame that fits the
 * current stream, moves the stream there (the probation of RFC 3550 A.1, without losing the
 * frames under probation); otherwise it is thrown away. So is a frame whose number was already
 * received with other content, which only a restarted sender produces.
 *
 * A first edition may be overtaken at the sender by a fuller one of its number: whichever comes first is delivered. Of the fuller one,
 * where it comes second, what it has more is; the first is a duplicate then.
 *
 * First editions leave in the order of their numbers, so one that comes tells that those before it have, but for what the network
 * did. One that went ahead tells that only of those that did so right before it: what it overtook is waited for until one comes
 * that left behind that, or until {@link heldUntilMs}.
 *
 * The first frame ever pushed starts the stream without probation, so that it costs no wait; frames
 * it overtook on the way are late. Numbers are believed: a forged or damaged number up to 64 ahead
 * of the stream makes the frames it skips late. The tunnel's authenticated encryption guards that.
 */
export class Sequencer {
  readonly stats: SequencerStats = { lost: 0, reordered: 0, late: 0, duplicates: 0, resyncs: 0 };
  readonly #options: SequencerOptions;
  readonly #held = new Map<number, HeldFrame>();
  #strays: HeldFrame[] = [];
  readonly #seenSequence = new Uint32Array(HISTORY_FRAMES);
  readonly #seenDigest = new Uint32Array(HISTORY_FRAMES);
  readonly #seenEdition = new Uint8Array(HISTORY_FRAMES);
  /** How many numbers behind `#next` belong to this stream, at most HISTORY_FRAMES; -1: no stream. */
  #streamFrames = -1;
  #next = 0;
  #ordinal = 0;
  #lastFitOrdinal = 0;

  constructor(options: SequencerOptions) {
    this.#options = options;
    // Slot 0 must not look as if number 0 had been seen.
    this.#seenSequence[0] = 1;
  }

  /** Takes a frame that came; delivers it and others as far as order allows. */
  push(frame: Uint8Array, nowMs: number): void {
    const sequence = frameSequence(frame);
    this.#ordinal += 1;
    if (this.#streamFrames < 0) this.#startAt(sequence);
    const ahead = (sequence - this.#next) | 0;
    if (ahead === 0) {
      this.#fit();
      if (this.#held.size > 0) this.stats.reordered += 1;
      this.#deliverNext(frame);
      this.#drain();
    } else if (ahead > 0 && ahead <= NEAR_FRAMES) {
      this.#fit();
      this.#hold(heldFrame(frame, nowMs, this.#ordinal));
    } else if (ahead < 0 && -ahead <= this.#streamFrames) {
      this.#judgeOld(frame, sequence, nowMs);
    } else {
      this.#judgeStray(frame, sequence, nowMs);
    }
    this.flush(nowMs);
  }

  /** Gives up missing frames, and strays, whose time is over by `nowMs`. */
  flush(nowMs: number): void {
    const { reorderMs } = this.#options;
    while (this.#heldUntilMs() <= nowMs) this.#skipToHeld();
    while (this.#strays.length > 0 && this.#strays[0]!.sinceMs + reorderMs <= nowMs) {
      const stray = this.#strays.shift()!;
      if (stray.ordinal > this.#lastFitOrdinal) this.#resync([stray]);
    }
  }

  /** When {@link flush} has something to do, on the clock of `nowMs`; null when never. */
  nextDeadlineMs(): number | null {
    const strayMs = this.#strays[0]?.sinceMs ?? Infinity;
    const untilMs = Math.min(this.#heldUntilMs(), strayMs + this.#options.reorderMs);
    return untilMs === Infinity ? null : untilMs;
  }

  #heldUntilMs(): number {
    return heldUntilMs(this.#held.values(), this.#next, this.#options.reorderMs);
  }

  #startAt(sequence: number): void {
    this.#next = sequence;
    // Frames of this stream's very start may come late; they belong to it all the same.
    this.#streamFrames = this.#options.reorderFrames;
  }

  #fit(): void {
    this.#lastFitOrdinal = this.#ordinal;
  }

  #hold(frame: HeldFrame): void {
    const { sequence } = frame;
    const same = this.#held.get(sequence);
    if (same) {
      if (!keepFuller(same, frame)) this.stats.duplicates += 1;
      return;
    }
    const isPassed = [...this.#held.keys()].some((other) => ((other - sequence) | 0) > 0);
    if (isPassed) this.stats.reordered += 1;
    if (frame.aheadFrom === null)
      this.#giveUpBefore((sequence - this.#options.reorderFrames) >>> 0);
    this.#held.set(sequence, frame);
    this.#drain();
  }

  #giveUpBefore(oldest: number): void {
    while (((oldest - this.#next) | 0) > 0) {
      const lowest = this.#lowestHeld();
      if (lowest !== null && ((oldest - lowest) | 0) > 0) this.#skipToHeld();
      else this.#skipTo(oldest);
    }
  }

  #judgeOld(frame: Uint8Array, sequence: number, nowMs: number): void {
    const slot = sequence % HISTORY_FRAMES;
    const seen = this.#seenEdition[slot];
    const edition = frameEdition(frame);
    const isOvertaken = edition === FIRST && seen === FULLER;
    if (this.#seenSequence[slot] !== sequence) {
      this.stats.late += 1;
      this.stats.reordered += 1;
    } else if (this.#seenDigest[slot] === digest(frame) || isOvertaken) {
      this.stats.duplicates += 1;
    } else if (edition === FULLER && seen === FIRST) {
      this.#judgeFuller(frame, sequence);
    } else {
      // What was begun must not be completed from a stream that counts alike.
      this.#options.skip();
      this.#judgeStray(frame, sequence, nowMs);
    }
  }

  /** What is read once a later frame was can't be put in order any more. */
  #judgeFuller(frame: Uint8Array, sequence: number): void {
    if (sequence !== (this.#next - 1) >>> 0) {
      this.stats.late += 1;
      return;
    }
    this.#fit();
    this.#see(frame, sequence);
    this.#options.deliverFuller(frame);
  }

  #judgeStray(frame: Uint8Array, sequence: number, nowMs: number): void {
    const neighbours = this.#strays.filter(
      (stray) => Math.abs((stray.sequence - sequence) | 0) <= NEAR_FRAMES,
    );
    const stray = heldFrame(frame, nowMs, this.#ordinal);
    const same = neighbours.find((other) => other.sequence === sequence);
    if (same) {
      if (!keepFuller(same, stray)) this.stats.duplicates += 1;
      return;
    }
    if (neighbours.length > 0) {
      this.#strays = this.#strays.filter((other) => !neighbours.includes(other));
      this.#resync([...neighbours, stray]);
      return;
    }
    this.#strays.push(stray);
    if (this.#strays.length > MAX_STRAYS) this.#strays.shift();
  }

  /** Leaves the numbers expected so far for those of these frames, which are near each other. */
  #resync(frames: HeldFrame[]): void {
    while (this.#held.size > 0) this.#skipToHeld();
    frames.sort((a, b) => (a.sequence - b.sequence) | 0);
    const first = frames[0]!.sequence;
    const ahead = (first - this.#next) | 0;
    if (ahead > 0 && ahead <= OUTAGE_FRAMES) {
      this.#skipTo(first);
    } else {
      this.stats.resyncs += 1;
      this.#options.skip();
      this.#startAt(first);
    }
    this.#fit();
    for (const frame of frames) this.#hold(frame);
  }

  #deliverNext(frame: Uint8Array): void {
    this.#see(frame, this.#next);
    this.#advance(1);
    this.#options.deliver(frame);
  }

  #see(frame: Uint8Array, sequence: number): void {
    const slot = sequence % HISTORY_FRAMES;
    this.#seenSequence[slot] = sequence;
    this.#seenDigest[slot] = digest(frame);
    this.#seenEdition[slot] = frameEdition(frame);
  }

  #drain(): void {
    while (this.#held.size > 0) {
      const held = this.#held.get(this.#next);
      if (!held) return;
      this.#held.delete(this.#next);
      this.#deliverNext(held.frame);
    }
  }

  #skipToHeld(): void {
    this.#skipTo(this.#lowestHeld()!);
    this.#drain();
  }

  #skipTo(sequence: number): void {
    const missing = (sequence - this.#next) >>> 0;
    if (missing === 0) return;
    this.stats.lost += missing;
    this.#advance(missing);
    this.#options.skip();
  }

  #advance(frames: number): void {
    this.#next = (this.#next + frames) >>> 0;
    this.#streamFrames = Math.min(HISTORY_FRAMES, this.#streamFrames + frames);
  }

  #lowestHeld(): number | null {
    let lowest: number | null = null;
    for (const sequence of this.#held.keys()) {
      if (lowest === null || ((sequence - lowest) | 0) < 0) lowest = sequence;
    }
    return lowest;
  }
}

/** 32-bit FNV-1a: tells a duplicate from another frame of the same number; no guard against forgers. */
function digest(frame: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < frame.length; i++) hash = Math.imul(hash ^ frame[i]!, 0x01000193);
  return hash >>> 0;
}
