// What an endpoint does about a tunnel that others have taken apart: put it back, and else have OpenVPN start over.
import { ask } from '../../machine/agenda.ts';
import type { Notice } from '../../notices/notice.ts';
import { STREAM_PARTS } from './agenda.ts';
import type { Turn } from './turn.ts';

/** Putting netdev, address and route back takes less. */
const PUT_BACK_MS = 1500;
/** What is told after so long is another case. */
const SAME_CASE_MS = 10_000;

/** A tunnel that was just replaced may have no netdev yet. */
const REPLACE_EVERY_MS = 3000;

/** Threads that end one after another are replaced no more often. */
const THREAD_EVERY_MS = 3000;

/** Hears that nothing can be sent into the tunnel, as is said several times a second while it is so. */
export function mendTunnel(turn: Turn, { code }: Notice): void {
  const { state, now } = turn;
  if (code !== 'tunnel-netdev-gone' || !state.up) return;
  const forMs = now.monotonicMs - state.goneSinceMs;
  if (forMs > SAME_CASE_MS) {
    state.goneSinceMs = now.monotonicMs;
    ask(turn, 'tunnel');
  } else if (forMs > PUT_BACK_MS) replaceTunnel(turn);
}

/** Hears that the tunnel could not be put back: where nothing can be sent into it, its netdev was deleted. */
export function noteNotPutBack(turn: Turn): void {
  const { state, now } = turn;
  if (state.up && now.monotonicMs - state.goneSinceMs < SAME_CASE_MS) replaceTunnel(turn);
}

/** Hears that the netdev of a tunnel that stands is not there, which nothing else tells while nothing is sent into it. */
export function noteNetdevGone(turn: Turn): void {
  const { state, now } = turn;
  if (state.up && now.monotonicMs - state.replacedMs > REPLACE_EVERY_MS) replaceTunnel(turn);
}

/** OpenVPN goes on reading from what is gone, and is told by nothing. */
function replaceTunnel(turn: Turn): void {
  turn.state.goneSinceMs = Number.NEGATIVE_INFINITY;
  turn.state.replacedMs = turn.now.monotonicMs;
  turn.state.openvpn = null;
  ask(turn, 'openvpn');
}

/** What paced the streams has ended: they are made again with another one. */
export function replaceThread(turn: Turn): void {
  const { state, now } = turn;
  if (!state.up || now.monotonicMs - state.repairedMs < THREAD_EVERY_MS) return;
  state.repairedMs = now.monotonicMs;
  state.queue = null;
  ask(turn, ...STREAM_PARTS);
}
