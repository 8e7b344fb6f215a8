// Homes that are sent on to the next endpoints of their profiles: all, where this one is taken out of service, else those it has no room for.
import { ask } from '../../../machine/agenda.ts';
import type { Notice } from '../../../notices/notice.ts';
import type { HomeConnection, SentOn } from '../../fleet/drain.ts';
import type { StoredHome } from '../../identity.ts';
import { notice } from '../../notice.ts';
import { closeSessions } from '../sessions.ts';
import type { EndpointState } from '../state.ts';
import { log, type Turn } from '../turn.ts';
import type { Refused } from './admitting.ts';

/** Homes that are served go so far apart: those that are gone meet endpoints that have not all of them at once. */
const EVERY_MS = 2000;
/** A home that nobody took is back by then: it knows sixteen endpoints, which have four seconds each to answer. */
const ROUND_MS = 90_000;
/** Most of those are back sooner; one that is not is told of as gone. */
const GONE_MS = 15_000;

/**
 * A home that finds no room is told so, and goes on so long after that. Where no other endpoint has room either it is back
 * soon, and tried again so often: one reconnect a minute, by which it finds whoever has room first.
 */
const FULL_AFTER_MS = 2000;
const FULL_EVERY_MS = 60_000;
/** Who has not asked for so long may be elsewhere already. */
const ASKED_MS = 5000;

/** What is to be done about homes, as somebody has said. Said again, those that had to stay are tried again. */
export function noteDrained({ state }: Turn, drained: string | null): void {
  if (drained === state.drained) return;
  state.drained = drained;
  state.sentOn = new Map();
}

/** Once a second. */
export function tendDrain(turn: Turn): void {
  const { drained, sessions, sentOn, refusals } = turn.state;
  const isDrained = drained !== null && sessions.length + sentOn.size > 0;
  if (isDrained || [...refusals.keys()].some((host) => isLooking(turn, host)))
    ask(turn, 'connections');
}

/** @param before what it was refused last, if it was */
export function goesMs(before: Refused | undefined, nowMs: number): number {
  return before?.goesMs ?? nowMs + FULL_AFTER_MS;
}

/** Whether a home has found no room here, and is to look elsewhere now. */
function isLooking({ state, now }: Turn, host: number): boolean {
  const refused = state.refusals.get(host);
  if (!state.place.isOfFleet || refused?.refusal?.code !== 'full') return false;
  const { atMs, goesMs: dueMs } = refused;
  if (now.monotonicMs < dueMs || now.monotonicMs - atMs > ASKED_MS) return false;
  return !state.sessions.some((session) => session.host === host);
}

function sendRefused(turn: Turn, found: readonly HomeConnection[]): void {
  const { state, acts, now } = turn;
  const nowMs = now.monotonicMs;
  for (const [host, refused] of state.refusals) {
    const connected = found.find((one) => one.host === host);
    if (!connected || !isLooking(turn, host)) continue;
    state.refusals = new Map(state.refusals).set(host, {
      ...refused,
      goesMs: nowMs + FULL_EVERY_MS,
    });
    acts.push({ do: 'send-on', connection: connected.connection });
    const home = state.homes.find((other) => other.host === host);
    // As often as it is logged that it was refused.
    if (home && nowMs - refused.toldMs < FULL_AFTER_MS + ASKED_MS)
      log(turn, 'notice', notice('home-sent-on', { name: home.name }));
  }
}

/** Whether a home that comes is not to be served; then it is sent on. */
export function isSentAway(turn: Turn, host: number): boolean {
  const { drained, sentOn } = turn.state;
  if (drained === null || sentOn.get(host)?.stays) return false;
  ask(turn, 'connections');
  return true;
}

/** Takes in who is connected; sends on whoever has just come, and of those that are served one at a time. */
export function noteConnections(turn: Turn, found: readonly HomeConnection[] | null): void {
  const { state, now } = turn;
  if (found === null) return;
  sendRefused(turn, found);
  if (state.drained === null) return;
  noteGone(turn, found);
  noteBack(turn, found);
  const due = found.filter(({ host, connection }) => {
    const sent = state.sentOn.get(host);
    return !sent?.stays && sent?.connection !== connection;
  });
  const isServed = ({ host }: HomeConnection): boolean =>
    !state.sentOn.has(host) && state.sessions.some((session) => session.host === host);
  const mayGo = now.monotonicMs - state.sentOnMs >= EVERY_MS;
  const [next] = mayGo ? due.filter(isServed) : [];
  if (next) state.sentOnMs = now.monotonicMs;
  for (const one of due) if (one === next || !isServed(one)) sendOn(turn, one);
}

function sendOn(turn: Turn, { host, connection, family }: HomeConnection): void {
  const { state, acts, now } = turn;
  const home = state.homes.find((other) => other.host === host);
  // Who is none any more is let go as it is.
  if (!home) return;
  const { monotonicMs } = now;
  const families = [...(state.sentOn.get(host)?.families ?? []), family];
  change(turn, host, {
    ...{ connection, families, stays: false },
    ...{ atMs: monotonicMs, seenMs: monotonicMs },
  });
  acts.push({ do: 'send-on', connection });
  log(turn, 'notice', notice('home-sent-on', { name: home.name }));
}

function change({ state }: Turn, host: number, sent: SentOn): void {
  state.sentOn = new Map(state.sentOn).set(host, sent);
}

/** Those that have left: nothing is sent to them any more. */
function noteGone(turn: Turn, found: readonly HomeConnection[]): void {
  const { state, now } = turn;
  const isHere = (host: number): boolean => found.some((one) => one.host === host);
  closeSessions(turn, ({ host }) => {
    const sent = state.sentOn.get(host);
    return sent !== undefined && !sent.stays && !isHere(host);
  });
  const kept = [...state.sentOn].filter(
    ([host, { seenMs }]) => isHere(host) || now.monotonicMs - seenMs <= ROUND_MS,
  );
  state.sentOn = new Map(kept);
}

/** Those that are back, by a way that they were sent on from already. */
function noteBack(turn: Turn, found: readonly HomeConnection[]): void {
  const { state, now } = turn;
  for (const { host, connection, family } of found) {
    const sent = state.sentOn.get(host);
    if (!sent) continue;
    const isBack = connection !== sent.connection && sent.families.includes(family);
    change(turn, host, { ...sent, seenMs: now.monotonicMs, stays: sent.stays || isBack });
    const home = state.homes.find((other) => other.host === host);
    if (isBack && !sent.stays && home) log(turn, 'warning', stayingNotice(home));
  }
}

/** As log and status have it. */
export function stayingNotice({ name }: Pick<StoredHome, 'name'>): Notice {
  return notice('home-stays', { name });
}

/** What the status says of it; null while the endpoint serves. */
export interface Drain {
  /** ISO 8601. */
  since: string;
  /** Names of homes that have still to go, or may yet be back. */
  leaving: string[];
  /** Names of those that nobody else takes. */
  staying: string[];
}

export function drainOf(state: EndpointState, nowMs: number): Drain | null {
  const { drained: since, homes, sessions, sentOn } = state;
  if (since === null) return null;
  const stays = ({ host }: StoredHome): boolean => sentOn.get(host)?.stays === true;
  const isLeaving = (home: StoredHome): boolean => {
    const sent = sentOn.get(home.host);
    const isServed = sessions.some(({ host }) => host === home.host);
    return !stays(home) && (isServed || (sent !== undefined && nowMs - sent.atMs < GONE_MS));
  };
  return {
    since,
    leaving: homes.filter(isLeaving).map(({ name }) => name),
    staying: homes.filter(stays).map(({ name }) => name),
  };
}
