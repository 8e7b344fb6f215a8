// What comes to the port from outside, whoever sends it: where nothing does, somebody before this server stops it. Pure.
import type { Notice } from '../notices/notice.ts';
import { notice } from './notice.ts';

/** A home that can't connect tries again after half a minute at most. */
const QUIET_MS = 120_000;
const MINUTE_MS = 60_000;

/** Packets that came to the port. */
export interface Knocks {
  /** Since the rules were loaded; null before they were read. */
  count: number | null;
  /** When the last one came; before the first, when they were first read. */
  sinceMs: number;
}

export const NO_KNOCKS: Knocks = { count: null, sinceMs: 0 };

/** With one reading more. */
export function withKnocks(before: Knocks, count: number, nowMs: number): Knocks {
  return count === before.count ? before : { count, sinceMs: nowMs };
}

export interface KnockEvidence {
  knocks: Knocks;
  port: number;
  /** Homes there are, and those that are there. */
  homes: number;
  online: number;
  nowMs: number;
}

/** What to say of a port to which nothing has come for long, though a home is to; null where there is nothing to say. */
export function findQuiet({ knocks, port, homes, online, nowMs }: KnockEvidence): Notice | null {
  const quietMs = nowMs - knocks.sinceMs;
  if (knocks.count === null || homes === 0 || online > 0 || quietMs < QUIET_MS) return null;
  const minutes = Math.floor(quietMs / MINUTE_MS);
  const span =
    minutes < 120
      ? notice('span-minutes', { count: minutes })
      : notice('span-hours', { count: Math.floor(minutes / 60) });
  return notice('endpoint-port-quiet', { port: `${port}`, span });
}
