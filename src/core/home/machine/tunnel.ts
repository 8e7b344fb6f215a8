// The tunnel as OpenVPN tells of it: its states, its netdev, and when it has to connect again or start over.
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { tunnelFault } from '../judgement.ts';
import type { HomeEvent } from './events.ts';
import { NO_FLOW } from './flow.ts';
import { block } from './judging.ts';
import { desiredOf, type HomeState, type Part, type TunnelState, WHOLE } from './state.ts';
import { closeTunnel, type Turn } from './turn.ts';

export function hearOpenVpn(
  turn: Turn,
  { name, local, remote, remotePort = null }: Extract<HomeEvent, { kind: 'openvpn' }>,
): void {
  const { state } = turn;
  if (name === 'CONNECTED') {
    state.connected = { local, remote, remotePort };
    ask(turn, 'connect');
  } else if (name === 'RECONNECTING' || name === 'EXITING') setTunnelState(turn, 'reconnecting');
  else if (state.tunnelState === 'down') setTunnelState(turn, 'connecting');
}

export function setTunnelState(turn: Turn, tunnelState: TunnelState): void {
  const { state, acts, now } = turn;
  if (tunnelState === state.tunnelState) return;
  state.tunnelState = tunnelState;
  state.tunnelSinceS = now.unixS;
  acts.push({ do: 'log', level: 'notice', notice: notice('tunnel-state', { state: tunnelState }) });
  if (tunnelState === 'up' || !desiredOf(state)) return;
  block(turn, faultOfTunnel(state));
}

export function faultOfTunnel({ tunnelState, trouble }: HomeState): Notice {
  return tunnelFault(tunnelState, trouble);
}

/** Why it does not connect; while it is connected, that nobody is there any more. */
export function hearTrouble({ state, now }: Turn, why: Notice): void {
  if (state.tunnelState !== 'up') state.trouble = why;
  else if (why.code === 'endpoint-refuses') {
    state.flow = { ...state.flow, refusedMs: now.monotonicMs };
  }
}

/** What a tunnel that is back takes; the house is where it was, and is looked at again soon enough. */
const OF_TUNNEL: readonly Part[] = ['rules', 'index', 'queue', 'streams'];

/** OpenVPN is connected, and has its netdev. */
export function connect(turn: Turn, index: number | null): void {
  const { state } = turn;
  if (!state.connected || !desiredOf(state)) return;
  const { local, remote, remotePort } = state.connected;
  state.connected = null;
  const isAgain = state.everPermitted && state.remoteAddress === remote;
  state.remoteAddress = remote === '' ? null : remote;
  state.remotePort = remotePort;
  if (state.tunnel?.local !== local || index === null || index !== state.queue?.index)
    closeTunnel(turn);
  state.tunnel = { local, peer: local.replace(/\.\d+$/, '.1') };
  state.trouble = null;
  state.flow = NO_FLOW;
  setTunnelState(turn, 'up');
  ask(turn, ...(isAgain ? OF_TUNNEL : WHOLE));
}

/** Replacements that follow one another are spaced so. */
const REPLACE_EVERY_MS = 3000;

/**
 * Has OpenVPN started over, which makes its netdev, address and route anew: others took one of them away, and nothing else
 * tells OpenVPN, which goes on reading from what is gone.
 */
export function replaceTunnel(turn: Turn): void {
  const { state, now } = turn;
  if (state.tunnelState !== 'up' || now.monotonicMs - state.replacedMs < REPLACE_EVERY_MS) return;
  state.replacedMs = now.monotonicMs;
  state.openvpnConfig = '';
  ask(turn, 'openvpn');
}
