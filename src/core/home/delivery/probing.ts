// The service's own questions inside the stream: when one is due, and what missing answers mean. Values only.
import type { Answer } from '../../delivery/probe-packets.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { type Shape, waitPerSlotMs } from '../../stream/stream.ts';

/** A question takes a slot that leaves anyway, drawn so that it keeps no time with anything. */
const EVERY_MS = 15_000;
const EVERY_SLOTS = 60;
/** Drawn evenly from so much less to so much more. */
const SPREAD = 1 / 3;
/** While anything is doubtful. */
const SOON_MS = 1000;
/** A question waits for a slot at both ends, behind others. */
const WAIT_MS = 4000;
const WAIT_SLOTS = 12;
/** So many in a row are no chance. */
const MISSES = 3;
/** How many pauses an answer is good for. */
const GOOD_FOR = 3;

/** What is known of the questions so far. */
export interface Probes {
  /** When the next question is due. */
  dueMs: number;
  /** When the open one was asked; null where none is open. */
  askedMs: number | null;
  /** Answers that the open one still wants. */
  wanted: readonly ('echo' | 'names')[];
  /** Questions in a row without this answer. */
  missedEcho: number;
  missedNames: number;
  /** Whether names were refused, not left unanswered. */
  isRefused: boolean;
  /** When a question was answered in full last. */
  answeredMs: number;
}

export const NO_PROBES: Probes = {
  dueMs: Number.NEGATIVE_INFINITY,
  askedMs: null,
  wanted: [],
  missedEcho: 0,
  missedNames: 0,
  isRefused: false,
  answeredMs: Number.NEGATIVE_INFINITY,
};

/** The two streams that a question and its answer take. */
export interface Streams {
  upload: Shape;
  download: Shape;
}

function slowestSlotMs({ upload, download }: Streams): number {
  return Math.max(waitPerSlotMs(upload), waitPerSlotMs(download));
}

function pauseMs(streams: Streams): number {
  return Math.max(EVERY_MS, EVERY_SLOTS * slowestSlotMs(streams));
}

/**
 * What a second brings.
 *
 * @param chance 0…1, drawn.
 * @returns what is known then, and whether a question is to be asked now.
 */
export function passSecond(
  before: Probes,
  streams: Streams,
  nowMs: number,
  chance: number,
): { probes: Probes; ask: boolean } {
  let probes = before;
  if (probes.askedMs !== null) {
    if (probes.wanted.length === 0) {
      const drawn = pauseMs(streams) * (1 + SPREAD * (2 * chance - 1));
      const isGood = probes.missedNames === 0;
      probes = { ...probes, askedMs: null, dueMs: nowMs + (isGood ? drawn : SOON_MS) };
    } else if (nowMs - probes.askedMs > Math.max(WAIT_MS, WAIT_SLOTS * slowestSlotMs(streams))) {
      const { wanted, missedEcho, missedNames } = probes;
      probes = {
        ...probes,
        askedMs: null,
        dueMs: nowMs,
        missedEcho: wanted.includes('echo') ? missedEcho + 1 : 0,
        missedNames: wanted.includes('names') ? missedNames + 1 : missedNames,
        isRefused: wanted.includes('names') ? false : probes.isRefused,
      };
    }
  }
  if (probes.askedMs !== null || nowMs < probes.dueMs) return { probes, ask: false };
  return { probes: { ...probes, askedMs: nowMs, wanted: ['echo', 'names'] }, ask: true };
}

/** Takes in an answer. */
export function hearAnswer(before: Probes, answer: Answer, nowMs: number): Probes {
  const kind = answer === 'echo' ? 'echo' : 'names';
  if (!before.wanted.includes(kind)) return before;
  const wanted = before.wanted.filter((other) => other !== kind);
  const probes = { ...before, wanted };
  if (answer === 'echo') probes.missedEcho = 0;
  if (answer === 'names') Object.assign(probes, { missedNames: 0, isRefused: false });
  if (answer === 'names-refused') {
    Object.assign(probes, { missedNames: before.missedNames + 1, isRefused: true });
  }
  const isWhole = wanted.length === 0 && probes.missedNames === 0;
  return isWhole ? { ...probes, answeredMs: nowMs } : probes;
}

/** Whether a question was answered in full lately. */
export function isAnswered({ answeredMs }: Probes, streams: Streams, nowMs: number): boolean {
  return nowMs - answeredMs < GOOD_FOR * pauseMs(streams);
}

/** Why devices would get no answers, as the service itself gets none. */
export function findUnanswered({ missedEcho, missedNames, isRefused }: Probes): Notice[] {
  if (missedEcho >= MISSES) return [notice('probe-unanswered')];
  if (missedNames < MISSES) return [];
  return [isRefused ? notice('names-refused') : notice('names-unanswered')];
}
