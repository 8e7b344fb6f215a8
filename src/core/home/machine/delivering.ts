// Once a second, beside whether devices may send: whether what they send arrives, and what they are answered.

import { withCounts } from '../../delivery/passage.ts';
import { isSame } from '../../equality/equality.ts';
import { ask } from '../../machine/agenda.ts';
import { findShut, judgeDelivery } from '../delivery.ts';
import type { Sight } from './events.ts';
import { desiredOf } from './state.ts';
import type { Turn } from './turn.ts';

/** Takes in what was counted. */
export function deliver(turn: Turn, sight: Sight): void {
  const { state, now } = turn;
  state.passages = withCounts(state.passages, sight.passages, now.monotonicMs);
  const isShut = findShut(state.passages, now.monotonicMs).length > 0;
  if (!isShut) state.suspects = null;
  else if (state.suspects === null) ask(turn, 'suspects');
  noteDelivery(turn);
}

/** Brings what is known of devices' luck to what was found. */
export function noteDelivery({ state, acts, now }: Turn): void {
  const desired = desiredOf(state);
  if (!desired) return;
  const before = state.delivery;
  state.delivery = judgeDelivery({
    nowMs: now.monotonicMs,
    netdev: desired.config.tunnel.interface,
    passages: state.passages,
    suspects: state.suspects ?? [],
    endpointTroubles: state.welcome?.troubles ?? [],
  });
  for (const warning of state.delivery.warnings) {
    if (before.warnings.some((other) => isSame(other, warning))) continue;
    acts.push({ do: 'log', level: 'warning', notice: warning });
  }
}
