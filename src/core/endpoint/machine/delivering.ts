// Once a second, beside which homes may be sent to: whether what their devices send gets on, and what comes back.
import { findShut, withCounts } from '../../delivery/passage.ts';
import { ask } from '../../machine/agenda.ts';
import type { Notice } from '../../notices/notice.ts';
import { judgeEndpointDelivery, type ResolverFault } from '../delivery.ts';
import { findQuiet, withKnocks } from '../knocks.ts';
import { countReceived, keepUsage } from './admission/counting.ts';
import type { EndpointSight } from './events.ts';
import type { EndpointState } from './state.ts';
import { changeSessions, log, type Turn, warnOfNew } from './turn.ts';

/** The way to the Internet is tried so often whether devices say something or not. */
const TRIAL_EVERY_MS = 2000;
/** A resolver that has only just been started does not listen yet. */
const RESOLVER_AFTER_MS = 3000;
const RESOLVER_EVERY_MS = 5000;

function isLasting(resolver: EndpointState['resolver'], nowMs: number): boolean {
  return resolver !== null && nowMs - resolver.sinceMs >= RESOLVER_AFTER_MS;
}

/** Takes in what was counted. */
export function deliver(
  turn: Turn,
  { takenMs, passages, received, resolver, uplinkMtu, knocks }: EndpointSight,
): void {
  const { state, now } = turn;
  state.passages = withCounts(state.passages, passages, takenMs);
  changeSessions(turn, (session) => ({
    ...session,
    received: received.get(session.peer)?.packets ?? null,
  }));
  countReceived(turn, received, takenMs);
  keepUsage(turn);
  const isShut = findShut(state.passages, now.monotonicMs).length > 0;
  if (!isShut) state.suspects = null;
  else if (state.suspects === null) ask(turn, 'suspects');
  if (uplinkMtu !== state.uplinkMtu && state.sessions.length > 0) ask(turn, 'clock', 'streams');
  state.uplinkMtu = uplinkMtu;
  followResolver(turn, resolver);
  followKnocks(turn, knocks);
  noteTroubles(turn);
  if (now.monotonicMs - state.triedMs < TRIAL_EVERY_MS) return;
  state.triedMs = now.monotonicMs;
  turn.acts.push({ do: 'try-forward' });
}

/** A resolver that can't have its port goes on without and never tries again: it is started anew until it listens. */
function followResolver(turn: Turn, fault: ResolverFault | null): void {
  const { state, now } = turn;
  if (!state.hasResolver) return;
  const sinceMs = state.resolver?.sinceMs ?? now.monotonicMs;
  state.resolver = fault && { fault, sinceMs };
  if (!fault || now.monotonicMs - Math.max(state.resolverMs, sinceMs) < RESOLVER_EVERY_MS) return;
  state.resolverMs = now.monotonicMs;
  state.hasResolver = false;
  ask(turn, 'resolver');
}

/** Told once, however long it lasts. */
function followKnocks(turn: Turn, count: number): void {
  const { state, now } = turn;
  const nowMs = now.monotonicMs;
  state.knocks = withKnocks(state.knocks, count, nowMs);
  const { port } = state.place.identity;
  const [homes, online] = [state.homes.length, state.sessions.length];
  const quiet = findQuiet({ knocks: state.knocks, port, homes, online, nowMs });
  if (quiet && !state.quiet) log(turn, 'warning', quiet);
  state.quiet = quiet;
}

/** Brings what is known of devices' luck to what was found. */
export function noteTroubles(turn: Turn): void {
  const { state, now } = turn;
  const before = state.troubles.map((trouble) => trouble.notice);
  state.troubles = judgeEndpointDelivery({
    nowMs: now.monotonicMs,
    passages: state.passages,
    suspects: state.suspects ?? [],
    resolver: isLasting(state.resolver, now.monotonicMs) ? state.resolver!.fault : null,
  });
  warnOfNew(
    turn,
    before,
    state.troubles.map((trouble) => trouble.notice),
  );
}

/** The machine was looked at; what was not found before is told. */
export function hearExamined(turn: Turn, faults: readonly Notice[]): void {
  warnOfNew(turn, turn.state.findings, faults);
  turn.state.findings = faults;
}
