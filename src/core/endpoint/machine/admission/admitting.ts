// Who is let in, and with which stream: what a home may not have it is told, with the reason.
import type { Hello } from '../../../control/message.ts';
import { type Refusal, reasonOf } from '../../../control/refusal.ts';
import type { Notice } from '../../../notices/notice.ts';
import { tunnelAddress } from '../../../plan/nft/nft-endpoint.ts';
import type { Shape } from '../../../stream/stream.ts';
import { type AdmissionEvidence, findOwnRefusal, findRefusal } from '../../admission/admission.ts';
import { capacityOf, limitsOf } from '../../admission/limits.ts';
import { usedEverywhereGB } from '../../admission/usage.ts';
import type { StoredHome } from '../../identity.ts';
import { notice } from '../../notice.ts';
import { closeSessions } from '../sessions.ts';
import type { EndpointState, Session } from '../state.ts';
import { changeSessions, log, type Turn } from '../turn.ts';
import { comingOf } from './counting.ts';
import { goesMs } from './draining.ts';

/** What a home is told again and again stands in the log so often. */
const TOLD_EVERY_MS = 600_000;
/** The same of another reason than before, or where it was let in meanwhile. */
const OTHER_TOLD_EVERY_MS = 60_000;
/** Share of a month's data. */
const NEARLY = 0.9;
/** Hellos of the slowest stream are two minutes apart. */
const ASKED_WITHIN_MS = 180_000;

/** A home that was refused. */
export interface Refused {
  /** Why; null where it is not any more. */
  refusal: Refusal | null;
  atMs: number;
  /** When that was logged. */
  toldMs: number;
  /** From when on it is sent to another endpoint, if this one has no room for it. */
  goesMs: number;
}

/**
 * Refuses what a home asks for, where it may not have it; then it is told so. What it has goes on, unless it may not have that either.
 *
 * @returns whether it was refused.
 */
export function refuse(turn: Turn, home: StoredHome, hello: Hello, known: Session | null): boolean {
  const { state, acts, now } = turn;
  const { host } = home;
  const refusal = findRefusal(evidenceOf(turn, home, hello.download, known));
  const before = state.refusals.get(host);
  if (!refusal) {
    // When that was logged last is known on: one that asks for too much by turns fills no log.
    if (before?.refusal) note(turn, host, { ...before, refusal: null });
    return false;
  }
  const peer = tunnelAddress(state.place.identity, host);
  const slotBytes = known?.standing?.packetBytes ?? null;
  acts.push({ do: 'refuse', host, peer, hello, refusal, slotBytes });
  const nowMs = now.monotonicMs;
  const pauseMs = before?.refusal?.code === refusal.code ? TOLD_EVERY_MS : OTHER_TOLD_EVERY_MS;
  const isTold = before !== undefined && nowMs - before.toldMs < pauseMs;
  const toldMs = isTold ? before.toldMs : nowMs;
  note(turn, host, { refusal, atMs: nowMs, toldMs, goesMs: goesMs(before, nowMs) });
  if (!isTold) log(turn, 'warning', refusedNotice(home, refusal));
  if (!known) return true;
  if (findOwnRefusal(evidenceOf(turn, home, known.shape, known)))
    closeSessions(turn, ({ host: other }) => other === host);
  else changeSessions(turn, (one) => (one.host === host ? { ...one, heardMs: nowMs } : one));
  return true;
}

function note({ state }: Turn, host: number, refused: Refused): void {
  state.refusals = new Map(state.refusals).set(host, refused);
}

/** What is not asked for any more is refused no more. */
export function forgetRefusals({ state, now }: Turn): void {
  const isOver = ({ atMs }: { atMs: number }): boolean => now.monotonicMs - atMs > ASKED_WITHIN_MS;
  if (![...state.refusals.values()].some(isOver)) return;
  state.refusals = new Map([...state.refusals].filter(([, refused]) => !isOver(refused)));
}

function evidenceOf(
  turn: Turn,
  { name, host }: StoredHome,
  shape: Shape,
  known: Session | null,
): AdmissionEvidence {
  const { limits, sessions, homes } = turn.state;
  return {
    limits: limitsOf(limits, name),
    capacity: capacityOf(limits, homes.length),
    shape,
    coming: comingOf(turn.state, host),
    usedGB: usedEverywhereGB(turn.state, name),
    has: known?.shape ?? null,
    isAlone: homes.length === 1,
    others: sessions.filter((other) => other.host !== host).map((other) => other.shape),
    isShort: turn.state.isServerShort,
    lateMs: turn.state.place.lateMs,
  };
}

/** Told before a home is refused for it. */
export function isMonthNearlyUsed(state: EndpointState, name: string): boolean {
  const { monthGB } = limitsOf(state.limits, name);
  return monthGB !== null && usedEverywhereGB(state, name) >= NEARLY * monthGB;
}

/** As the endpoint's own log and status have it. */
export function refusedNotice({ name }: Pick<StoredHome, 'name'>, refusal: Refusal): Notice {
  const code = refusal.code === 'timers' ? 'home-over-timers' : 'home-over-limit';
  return notice(code, { name, why: reasonOf(refusal) });
}
