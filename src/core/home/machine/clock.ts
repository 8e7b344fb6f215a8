// The clock behind OpenVPN: whether there is to be one, on which way, and what follows where there can't be one.
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { CLOCK_HANDLE, HOME_CLASS_MINOR } from '../../plan/names.ts';
import { type ClockChains, type ClockedWay, standingSlots } from '../../plan/outer-clock.ts';
import { classId } from '../../plan/tc.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import { isPaced, shapeOf } from '../../stream/stream.ts';
import { SlotMeter } from '../slot-meter.ts';
import { isStalled, meterWindowMs } from '../verification.ts';
import type { Work } from './events.ts';
import { type DesiredState, desiredOf, type HomeState } from './state.ts';
import type { Turn } from './turn.ts';

/** A clock that could not be made is tried again so much later, one that nothing passed later still. */
const RETRY_MS = 30_000;
const RETRY_BYPASSED_MS = 600_000;

/** The way that a clock is to stand on, whether one can stand there or not; null for no clock. */
function meantWay(state: HomeState, { config, rate }: DesiredState): ClockedWay | null {
  const { way, wholeBytes } = state.house;
  const { remoteAddress: address, remotePort: port } = state;
  const isAsked = isPaced({ rateKBps: rate.uploadKBps }) && config.main.standingSlots !== 0;
  if (!isAsked || !way || address === null || port === null) return null;
  // A slot that leaves in two pieces would take two intervals.
  if (wholeBytes !== null && wholeBytes < config.main.packetBytes) return null;
  return { ...way, address, port };
}

/** The way that a clock has to stand on; null where there is to be none, or can't be. */
export function neededClock(state: HomeState): ClockedWay | null {
  const desired = desiredOf(state);
  const meant = desired && meantWay(state, desired);
  return isSame(meant, state.clockTrouble?.way ?? null) ? null : meant;
}

/** Why there is no clock where one was meant to be; null where there is nothing to tell. */
export function clockWarning(state: HomeState): Notice | null {
  const desired = desiredOf(state);
  const { clockTrouble } = state;
  if (!desired || !clockTrouble) return null;
  return isSame(meantWay(state, desired), clockTrouble.way) ? clockTrouble.why : null;
}

export function clockWork(desired: DesiredState, { state, acts, now }: Turn): Work | null {
  const { clock, clockTrouble, tunnel, again } = state;
  const meant = tunnel || clock ? meantWay(state, desired) : null;
  const isInVain =
    clockTrouble !== null &&
    isSame(meant, clockTrouble.way) &&
    now.monotonicMs < clockTrouble.untilMs;
  const way = isInVain ? null : meant;
  if (isSame(way, clock) && !again.includes('clock')) return null;
  // For a moment OpenVPN's packets pass none: nobody may send then.
  acts.push({ do: 'gate', open: false });
  state.madeClock = way;
  const { config, rate } = desired;
  const shape = shapeOf(config, rate.uploadKBps);
  const standing = standingSlots(config, shape);
  return { part: 'clock', way, minor: HOME_CLASS_MINOR, shape, standing };
}

/**
 * It could not be made or taken away. Tried again at once like all else; where that fails, too, one clock has to do.
 *
 * @returns whether that is to be done without
 */
export function failClock(turn: Turn, fault: Notice): boolean {
  const { state } = turn;
  const isGivenUp = state.clockFailed && state.madeClock !== null;
  if (isGivenUp) finishClock(turn, notice('outer-clock-failed', { why: fault }));
  else {
    state.clock = null;
    state.madeClock = null;
    forgetClock(turn);
  }
  state.clockFailed = !isGivenUp;
  state.again = [...state.again, 'clock'];
  return isGivenUp;
}

/** It stands, or was taken away; `why` it can't stand, else null. */
export function finishClock(turn: Turn, why: Notice | null): void {
  const { state, now } = turn;
  const { madeClock: way } = state;
  const before = state.clock;
  state.clock = why === null ? way : null;
  state.madeClock = null;
  state.clockFailed = false;
  const untilMs = now.monotonicMs + RETRY_MS;
  const hadTrouble = state.clockTrouble !== null;
  if (way) state.clockTrouble = why === null ? null : { way, why, untilMs };
  // What may wait before OpenVPN depends on it.
  if (hadTrouble !== (state.clockTrouble !== null)) ask(turn, 'queue', 'streams');
  if (before === null && state.clock === null) return;
  forgetClock(turn);
  state.queueSinceMs = now.monotonicMs;
  state.listing = null;
}

/** What paces knows another clock, and nothing was counted there yet. */
export function forgetClock({ state }: Turn): void {
  state.queueIsNew = true;
  state.clocked = SlotMeter.EMPTY;
}

/** Counts what has left by the clock. */
export function noteClock({ state }: Turn, listing: TcListing | null, takenMs: number): void {
  const slots = classId(HOME_CLASS_MINOR, CLOCK_HANDLE);
  const listed = listing?.clock?.classes.find(({ id }) => id === slots);
  state.clocked = state.clocked.with(listed?.packets ?? null, takenMs);
}

/** Whether too little leaves by it: only then is it worth a look whether its chains still lead there. */
export function doubtsClock(state: HomeState): boolean {
  const desired = desiredOf(state);
  if (!desired || !state.clock) return false;
  const upload = shapeOf(desired.config, desired.rate.uploadKBps);
  const clocked = state.clocked.perSecond(meterWindowMs(upload));
  return clocked !== null && isStalled(upload, clocked);
}

/**
 * Rules that led there were deleted, and the chains looked at: what no longer leads there is made anew before it shows.
 *
 * @returns whether it does not
 */
export function loseChains(turn: Turn, chains: ClockChains | null): boolean {
  const { state } = turn;
  if (!state.clock || chains === null || chains.intact) return false;
  state.clock = null;
  state.again = [...state.again, 'clock'];
  ask(turn, 'queue', 'clock', 'streams');
  return true;
}

/** OpenVPN's packets leave by another netdev than the one that leads to its far end: one clock has to do. */
export function giveUpClock(turn: Turn): void {
  const { state, now } = turn;
  const { clock: way } = state;
  if (!way) return;
  const why = notice('outer-clock-bypassed', { netdev: way.netdev });
  state.clockTrouble = { way, why, untilMs: now.monotonicMs + RETRY_BYPASSED_MS };
  ask(turn, 'queue', 'clock', 'streams');
}
