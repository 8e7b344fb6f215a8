// The clock behind an endpoint's OpenVPN: which homes pass it, where they are, and what is made again where others broke it.
import { isSame } from '../../equality/equality.ts';
import { wholeBytesOf } from '../../home/delivery/path-size.ts';
import { SlotMeter } from '../../home/slot-meter.ts';
import { meterWindowMs } from '../../home/verification.ts';
import { ask } from '../../machine/agenda.ts';
import type { HomeClockClass, HomePlace, HomesClock, HomesWay } from '../../plan/homes-clock.ts';
import { SMALLEST_PACKET_BYTES } from '../../plan/names.ts';
import { type ClockChains, standingSlots } from '../../plan/outer-clock.ts';
import { isPaced, type Shape, slotsPerSecond } from '../../stream/stream.ts';
import type { EndpointVerdict } from '../judgement.ts';
import { notice } from '../notice.ts';
import type { PlacedHome } from './clock-state.ts';
import type { Outcomes, Work } from './events.ts';
import type { EndpointState, Session } from './state.ts';
import { changeSessions, forbid, log, type Turn } from './turn.ts';

/** What a home is sent before it has asked for a stream are small packets, a few a second. */
export const NOT_THERE_YET: Shape = {
  ...{ rateKBps: 40, packetBytes: SMALLEST_PACKET_BYTES, mode: 'constant', sdPercent: 0 },
};

/** A clock that could not be made is tried again so much later; a home that nothing passed it for, later still. */
const RETRY_MS = 30_000;
const RETRY_BYPASSED_MS = 600_000;
/** One that others take away again and again is made again no more often. */
const MAKE_EVERY_MS = 3000;
/** Seconds in a row in which too little leaves by it, before its home is done without it. */
const DOUBTS_BEFORE_PAST = 5;
/** Share of the slots below which none come there. */
const NONE_SHARE = 0.02;

/** Whether a home's stream is one that the clock can hold. */
function isHoldable({ uplinkMtu }: EndpointState, session: Session, isV6: boolean): boolean {
  const { shape, standingSlots: slots } = session;
  if (!isPaced(shape) || slots === 0) return false;
  // A slot that leaves in two pieces would take two intervals.
  return uplinkMtu === null || wholeBytesOf(uplinkMtu, isV6) >= shape.packetBytes;
}

function placeOf({ homePlaces }: EndpointState, host: number): PlacedHome | null {
  return homePlaces.find((place) => place.host === host) ?? null;
}

/** Homes whose streams are to be held, with where they are. */
function candidates(state: EndpointState, nowMs: number): { host: number; place: PlacedHome }[] {
  return state.sessions.flatMap((session) => {
    const place = placeOf(state, session.host);
    if (!place?.way || nowMs < session.unclockedUntilMs) return [];
    const isV6 = place.address.includes(':');
    return isHoldable(state, session, isV6) ? [{ host: session.host, place }] : [];
  });
}

/** Where the clock has to stand: it stays where it is as long as a home is reached that way. */
function meantWay(state: EndpointState, nowMs: number): HomesWay | null {
  const { port } = state.place.identity;
  const ways = candidates(state, nowMs).map(({ place }): HomesWay => ({ ...place.way!, port }));
  const stands = state.clock?.way;
  return ways.find((way) => stands && isSame(way, stands)) ?? ways[0] ?? null;
}

/** The clock as it has to be; null for none. While no home is there what stands is as good as any. */
export function neededClock(state: EndpointState, nowMs: number): HomesClock | null {
  const { clockTrouble, sessions, clock } = state;
  const way = sessions.length === 0 ? (clock?.way ?? null) : meantWay(state, nowMs);
  if (!way) return null;
  if (clockTrouble && nowMs < clockTrouble.untilMs && isSame(way, clockTrouble.way)) return null;
  const there = candidates(state, nowMs);
  const { index } = way;
  const classes = state.homes.map(({ host }): HomeClockClass => {
    const session = sessions.find((one) => one.host === host);
    if (!session) return { minor: host, shape: NOT_THERE_YET, standing: 1 };
    const { shape, standingSlots: slots } = session;
    const isHeld = there.some(
      ({ host: other, place }) => other === host && place.way?.index === index,
    );
    const standing = isHeld ? standingSlots({ main: { standingSlots: slots } }, shape) : 0;
    return { minor: host, shape, standing };
  });
  const places = sessions.flatMap(({ host }): HomePlace[] => {
    const place = placeOf(state, host);
    if (place?.way?.index !== index) return [];
    return [{ host, address: place.address, port: place.port }];
  });
  return { way, classes, places };
}

/** Slots that ought to stand for a home; 0 where nothing holds its stream behind OpenVPN. */
export function standingOf({ clock }: EndpointState, host: number): number {
  if (!clock?.places.some((place) => place.host === host)) return 0;
  return clock.classes.find(({ minor }) => minor === host)?.standing ?? 0;
}

export function clockWork(turn: Turn): Work | null {
  const { state, now } = turn;
  const { clock: stands, clockBroken: broken, chainsLost } = state;
  const meant = neededClock(state, now.monotonicMs);
  if (meant === null && stands === null) return null;
  state.madeClock = meant;
  state.clockBroken = [];
  if (meant === null || !stands || !isSame(stands.way, meant.way)) {
    state.clockIsRemade = true;
    // For a moment OpenVPN's packets pass none: nobody may send then.
    if (stands !== undefined && stands !== null) forbid(turn);
    return { part: 'clock', clock: meant, rebuild: true, gone: [], come: [], rules: 'none' };
  }
  state.clockIsRemade = false;
  const come = without(meant.classes, stands.classes, broken);
  const gone = without(stands.classes, meant.classes, broken).map(({ minor }) => minor);
  const rules = chainsLost ? 'chains' : isSame(stands.places, meant.places) ? 'none' : 'places';
  state.clockChanges = [...gone, ...come.map(({ minor }) => minor)];
  if (state.clockChanges.length === 0 && rules === 'none') {
    state.clock = meant;
    state.madeClock = null;
    return null;
  }
  return { part: 'clock', clock: meant, rebuild: false, gone, come, rules };
}

/** Those classes that are not among the others as they have to be, or are broken. */
function without(
  classes: readonly HomeClockClass[],
  others: readonly HomeClockClass[],
  broken: readonly number[],
): HomeClockClass[] {
  const isHeld = ({ standing }: HomeClockClass): boolean => standing > 0;
  return classes.filter(
    (one) =>
      broken.includes(one.minor) ||
      !others.some((other) => other.minor === one.minor && isHeld(other) === isHeld(one)),
  );
}

/** It stands, or was taken away; `why` it can't stand, else null. */
export function finishClock(turn: Turn, why: Outcomes['clock']): void {
  const { state, now } = turn;
  const { madeClock: made, clockIsRemade, clockChanges: changes, chainsLost } = state;
  const before = state.clock;
  const trouble = state.clockTrouble;
  state.clock = why === null ? made : null;
  state.madeClock = null;
  state.chainsLost = false;
  // Another place of one home is none of the others' business: one that moves all the time would have nobody judged.
  if (clockIsRemade || changes.length > 0) state.classesSinceMs = now.monotonicMs;
  changeSessions(turn, (session) =>
    clockIsRemade || chainsLost || changes.includes(session.host)
      ? forgetClocked(session)
      : session,
  );
  if (made) {
    const untilMs = now.monotonicMs + RETRY_MS;
    state.clockTrouble = why === null ? null : { way: made.way, why, untilMs };
    if (why !== null && !isSame(why, trouble?.why ?? null)) log(turn, 'warning', why);
  }
  // What may wait before OpenVPN depends on it.
  if ((trouble === null) !== (state.clockTrouble === null)) ask(turn, 'queue');
  // What paces it knows another netdev by that name.
  if (clockIsRemade && (before || state.clock)) state.queueIsNew = true;
  ask(turn, 'streams');
}

/** It is not known how much of it stands. */
export function failClock({ state }: Turn): void {
  state.clock = undefined;
  state.madeClock = null;
}

function forgetClocked(session: Session): Session {
  return { ...session, clocked: SlotMeter.EMPTY, clockDoubts: 0 };
}

/** There is one clock, and the home is reached by another netdev than it stands on. */
function tellElsewhere(turn: Turn, host: number, netdev: string): void {
  const { clock, homes } = turn.state;
  const home = homes.find((one) => one.host === host);
  if (!clock || !home || clock.way.netdev === netdev) return;
  const { name } = home;
  log(turn, 'warning', notice('home-clock-elsewhere', { name, netdev, other: clock.way.netdev }));
}

/** OpenVPN has said where homes are; of one that it does not name what was known last still holds. */
export function notePlaces(turn: Turn, found: Outcomes['places']): void {
  const { state } = turn;
  if (found === null) return;
  const isNamed = ({ host }: PlacedHome): boolean => found.some((place) => place.host === host);
  const places = [...state.homePlaces.filter((place) => !isNamed(place)), ...found]
    .filter(({ host }) => state.homes.some((home) => home.host === host))
    .sort((one, other) => one.host - other.host);
  if (isSame(places, state.homePlaces)) return;
  const moved = places.filter(({ host }, index) => !isSame(placeOf(state, host), places[index]));
  for (const { host, way } of moved) {
    if (way && !isSame(way, placeOf(state, host)?.way)) tellElsewhere(turn, host, way.netdev);
  }
  state.homePlaces = places;
  changeSessions(turn, (session) =>
    moved.some(({ host }) => host === session.host) ? forgetClocked(session) : session,
  );
  ask(turn, 'queue', 'clock', 'streams');
}

/** What is to be done about the clock each second. */
export function tendClock(turn: Turn): void {
  const { state, now } = turn;
  if (!state.up || state.sessions.length === 0) return;
  if (state.sessions.some(({ shape }) => isPaced(shape))) ask(turn, 'places');
  const { clockTrouble } = state;
  const isPast = ({ unclockedUntilMs }: Session): boolean =>
    unclockedUntilMs > 0 && unclockedUntilMs <= now.monotonicMs;
  if (!(clockTrouble && clockTrouble.untilMs <= now.monotonicMs) && !state.sessions.some(isPast))
    return;
  changeSessions(turn, (one) => (isPast(one) ? { ...one, unclockedUntilMs: 0 } : one));
  ask(turn, 'queue', 'clock', 'streams');
}

/** What was judged of it is mended: a home's part of it alone where no more is wrong. */
export function mendClock(turn: Turn, verdict: EndpointVerdict): void {
  const { state, now } = turn;
  const { clockGone, clockBroken, clockDoubted } = verdict;
  if (clockGone) {
    if (now.monotonicMs - state.classesSinceMs < MAKE_EVERY_MS) return;
    state.clock = undefined;
    forbid(turn);
    ask(turn, 'clock', 'streams');
    return;
  }
  if (clockBroken.length > 0) {
    state.clockBroken = clockBroken;
    ask(turn, 'clock');
  }
  changeSessions(turn, (session) => {
    const clockDoubts = clockDoubted.includes(session.host) ? session.clockDoubts + 1 : 0;
    return clockDoubts === session.clockDoubts ? session : { ...session, clockDoubts };
  });
  if (clockDoubted.length > 0) ask(turn, 'chains');
}

function comesNone({ standing, clocked }: Session): boolean {
  if (standing === null) return false;
  const perSecond = clocked.perSecond(meterWindowMs(standing));
  return perSecond !== null && perSecond < NONE_SHARE * slotsPerSecond(standing);
}

/** The chains were looked at, since too little leaves by the clock. */
export function noteChains(turn: Turn, chains: ClockChains | null): void {
  const { state, now } = turn;
  if (!state.clock || chains === null) return;
  if (!chains.intact) {
    log(turn, 'warning', notice('outer-clock-gone'));
    state.chainsLost = true;
    ask(turn, 'clock');
    return;
  }
  const { netdev } = state.clock.way;
  // A server that can't keep up brings some of it there, however little: that is told of, and not done without its clock.
  const past = state.sessions.filter(
    (session) => session.clockDoubts >= DOUBTS_BEFORE_PAST && comesNone(session),
  );
  if (past.length === 0) return;
  for (const { name } of past)
    log(turn, 'warning', notice('home-clock-bypassed', { name, netdev }));
  const unclockedUntilMs = now.monotonicMs + RETRY_BYPASSED_MS;
  changeSessions(turn, (session) =>
    past.includes(session) ? { ...forgetClocked(session), unclockedUntilMs } : session,
  );
  ask(turn, 'queue', 'clock', 'streams');
}
