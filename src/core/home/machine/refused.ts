// The endpoint serves nothing of what is wanted, and says why: what a person is told of it, and for how long that holds.
import { type Refusal, reasonOf, refusedRates } from '../../control/refusal.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { rateBounds, type Shape, shapeOf, waitPerSlotMs } from '../../stream/stream.ts';
import { rateCommand } from '../verification.ts';
import { desiredOf, type HomeState } from './state.ts';
import type { Turn } from './turn.ts';

/** It is said again with each answer. */
const HOLDS_MS = 30_000;
const HOLDS_SLOTS = 80;

export function noteRefused({ state, now }: Turn, refusal: Refusal): void {
  const download = downloadOf(state);
  if (download) state.refused = { why: refusedNotice(refusal, download), atMs: now.monotonicMs };
}

/** Null where it has not said so lately. */
export function refusalOf(state: HomeState, nowMs: number): Notice | null {
  const { refused } = state;
  const download = downloadOf(state);
  if (!refused || !download) return null;
  const holdsMs = Math.max(HOLDS_MS, HOLDS_SLOTS * waitPerSlotMs(download));
  return nowMs - refused.atMs < holdsMs ? refused.why : null;
}

function downloadOf(state: HomeState): Shape | null {
  const desired = desiredOf(state);
  return desired && shapeOf(desired.config, desired.rate.downloadKBps);
}

function refusedNotice(refusal: Refusal, { packetBytes }: Shape): Notice {
  const { code, allowed } = refusal;
  const why = reasonOf(refusal);
  const fits = refusedRates.includes(code)
    ? allowed
    : Math.floor(allowed * packetBytes * 0.01) / 10;
  if (code === 'month' || code === 'other' || fits < rateBounds.least)
    return notice('refused-wait', { why });
  const command = rateCommand(code === 'up' ? 'upload_rate' : 'download_rate', fits);
  return notice('refused', { why, command });
}
