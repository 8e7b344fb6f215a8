// How an endpoint ends: nobody is sent to, and what was made is removed, again where that failed.
import { ask } from '../../machine/agenda.ts';
import { keepUsage } from './admission/counting.ts';
import type { EndpointState } from './state.ts';
import type { Turn } from './turn.ts';

/** At its end an endpoint tries so often to remove what it made. */
export const REMOVALS = 4;

export function stop(turn: Turn): void {
  const { state, acts } = turn;
  if (state.phase === 'stopped') {
    if (isLeftBehind(state)) ask(turn, 'remove');
    return;
  }
  keepUsage(turn, true);
  state.phase = 'stopped';
  state.failures = [];
  for (const { host } of state.sessions) acts.push({ do: 'close-session', host });
  state.sessions = [];
  state.waiting = [];
  state.pending = ['remove'];
}

/** Whether it has ended and could not remove everything. */
export function isLeftBehind({ phase, failures }: EndpointState): boolean {
  return phase === 'stopped' && failures.some(({ part }) => part === 'remove');
}
