// One step of the machine under way: the state that becomes the next one, and what is to be done at once.
import { ask } from '../../machine/agenda.ts';
import type { Now } from '../../machine/step.ts';
import { Arrivals } from '../delivery/shortfall.ts';
import type { HomeEvidence, Verdict } from '../judgement.ts';
import { SlotMeter } from '../slot-meter.ts';
import type { Act } from './events.ts';
import type { HomeState } from './state.ts';

export interface Turn {
  /** This turn's own copy; its values are replaced, never changed. */
  readonly state: HomeState;
  readonly acts: Act[];
  readonly now: Now;
  readonly judgeEvidence: (evidence: HomeEvidence) => Verdict;
}

/** Has the tunnel's sockets closed; what stood at its netdev is not known to stand any more. */
export function closeTunnel({ state, acts }: Turn): void {
  acts.push({ do: 'close-tunnel' });
  state.tunnel = null;
  state.queue = null;
  state.queueIsNew = true;
  state.sent = SlotMeter.EMPTY;
  state.received = SlotMeter.EMPTY;
  state.arrivals = Arrivals.NONE;
}

/** Stops devices, now and at the firewall. */
export function forbid(turn: Turn): void {
  const { state, acts } = turn;
  state.goodSinceMs = Number.POSITIVE_INFINITY;
  if (!state.permitted) return;
  state.permitted = false;
  acts.push({ do: 'gate', open: false });
  ask(turn, 'forbid');
}
