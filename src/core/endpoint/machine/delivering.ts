// Once a second, beside which homes may be sent to: whether what their devices send gets on, and what comes back.
import { withCounts } from '../../delivery/passage.ts';
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { findShut, judgeEndpointDelivery } from '../delivery.ts';
import type { EndpointSight } from './events.ts';
import { changeSessions, log, type Turn } from './turn.ts';

/** The way to the Internet is tried so often whether devices say something or not. */
const TRIAL_EVERY_MS = 4000;

/** Takes in what was counted. */
export function deliver(turn: Turn, { passages, received }: EndpointSight): void {
  const { state, now } = turn;
  state.passages = withCounts(state.passages, passages, now.monotonicMs);
  changeSessions(turn, (session) => ({ ...session, received: received.get(session.peer) ?? null }));
  const isShut = findShut(state.passages, now.monotonicMs).length > 0;
  if (!isShut) state.suspects = null;
  else if (state.suspects === null) ask(turn, 'suspects');
  noteTroubles(turn);
  if (now.monotonicMs - state.triedMs < TRIAL_EVERY_MS) return;
  state.triedMs = now.monotonicMs;
  turn.acts.push({ do: 'try-forward' });
}

/** Brings what is known of devices' luck to what was found. */
export function noteTroubles(turn: Turn): void {
  const { state, now } = turn;
  const before = state.troubles;
  state.troubles = judgeEndpointDelivery({
    nowMs: now.monotonicMs,
    passages: state.passages,
    suspects: state.suspects ?? [],
  });
  for (const trouble of state.troubles) {
    if (!before.some((other) => isSame(other, trouble))) log(turn, 'warning', trouble.notice);
  }
}
