// Whether OpenVPN should connect again: nothing comes any more, and OpenVPN itself would wait for a minute.
import { isPaced, type Shape, waitPerSlotMs } from '../../stream/stream.ts';
import type { Turn } from './turn.ts';

/** Silence of the endpoint after which OpenVPN is asked to connect again, and how long that may take. */
const RECONNECT_AFTER_MS = 15_000;
/** The same of a stream that came before, by which every slot is missed; the slots of a slow one. */
const STREAM_SILENT_MS = 2500;
const STREAM_SILENT_SLOTS = 20;
/** The endpoint's machine said lately that nobody listens there. */
const REFUSED_WITHIN_MS = 5000;

/** @param download what ought to come. */
export function wantsReconnect({ state, now }: Turn, download: Shape): boolean {
  const isUp = state.tunnelState === 'up';
  const comes = state.received.latestPerSecond > 0;
  if (isUp && comes) state.flows = true;
  if (!isUp || comes) state.silentSinceMs = null;
  else state.silentSinceMs ??= now.monotonicMs;
  const { silentSinceMs } = state;
  if (silentSinceMs === null || now.monotonicMs - silentSinceMs < patienceMs(state, now, download))
    return false;
  state.silentSinceMs = now.monotonicMs;
  // Where nobody is there, asking more often does not help.
  state.flows = false;
  return true;
}

function patienceMs({ flows, refusedMs }: Turn['state'], now: Turn['now'], download: Shape) {
  if (!flows || !isPaced(download)) return RECONNECT_AFTER_MS;
  const slotsMs = STREAM_SILENT_SLOTS * waitPerSlotMs(download);
  const isRefused = now.monotonicMs - refusedMs < REFUSED_WITHIN_MS;
  return Math.max(isRefused ? 0 : STREAM_SILENT_MS, slotsMs);
}
