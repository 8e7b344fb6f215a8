// Whether OpenVPN should connect again: nothing comes any more, and OpenVPN itself would wait for a minute.
import { isPaced, type Shape, waitPerSlotMs } from '../../stream/stream.ts';
import { refusalOf } from './refused.ts';
import type { Turn } from './turn.ts';

/** Silence of the endpoint after which OpenVPN is asked to connect again, and how long that may take. */
const RECONNECT_AFTER_MS = 15_000;
/** The same of a stream that came before, by which every slot is missed; the slots of a slow one. */
const STREAM_SILENT_MS = 2500;
const STREAM_SILENT_SLOTS = 20;
/** Another machine has the tunnel by the same profile, or may have: whoever came later waits, so that the first has it. */
const LATER_MS = 10_000;
const SHARED_LATER_MS = 60_000;
/** The endpoint's machine said lately that nobody listens there. */
const REFUSED_WITHIN_MS = 5000;

/** What comes by the tunnel since OpenVPN connected. */
export interface Flow {
  /** Since when nothing has come, or OpenVPN was asked last; null while something does. */
  silentSinceMs: number | null;
  /** Whether anything has come, and OpenVPN was not asked since. */
  flows: boolean;
  /** When was last looked whether something comes. */
  lookedMs: number | null;
  /** When the endpoint's machine last said that nobody listens there. */
  refusedMs: number;
}

export const NO_FLOW: Flow = {
  silentSinceMs: null,
  flows: false,
  lookedMs: null,
  refusedMs: Number.NEGATIVE_INFINITY,
};

/** @param download what ought to come. */
export function wantsReconnect({ state, now }: Turn, download: Shape): boolean {
  const { flow, received, tunnelState } = state;
  const isUp = tunnelState === 'up';
  const comes = received.latestPerSecond > 0;
  const flows = flow.flows || (isUp && comes);
  const { monotonicMs: lookedMs } = now;
  // Nothing has come since the look before.
  const silentSinceMs = !isUp || comes ? null : (flow.silentSinceMs ?? flow.lookedMs ?? lookedMs);
  state.flow = { ...flow, flows, silentSinceMs, lookedMs };
  if (silentSinceMs === null || lookedMs - silentSinceMs < patienceMs(state, now, download))
    return false;
  // One that refuses is there, and says so by this very tunnel.
  if (refusalOf(state, now.monotonicMs)) return false;
  // Where nobody is there, asking more often does not help.
  state.flow = { ...flow, flows: false, silentSinceMs: lookedMs, lookedMs };
  return true;
}

function patienceMs({ flow, welcome }: Turn['state'], now: Turn['now'], download: Shape): number {
  const told = welcome?.troubles ?? [];
  if (told.includes('later') && told.includes('shared')) return SHARED_LATER_MS;
  if (!flow.flows || !isPaced(download)) return RECONNECT_AFTER_MS;
  const slotsMs = STREAM_SILENT_SLOTS * waitPerSlotMs(download);
  const isRefused = now.monotonicMs - flow.refusedMs < REFUSED_WITHIN_MS;
  const leastMs = told.includes('later') ? LATER_MS : STREAM_SILENT_MS;
  return Math.max(isRefused ? 0 : leastMs, slotsMs);
}
