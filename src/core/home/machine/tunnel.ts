// What OpenVPN says, and what follows for the tunnel.
import { ask } from '../../machine/agenda.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { tunnelFault } from '../judgement.ts';
import type { HomeEvent } from './events.ts';
import { block } from './judging.ts';
import { desiredOf, type HomeState, type TunnelState, WHOLE } from './state.ts';
import { closeTunnel, type Turn } from './turn.ts';

/** Hears of a state that OpenVPN names. */
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

/** Takes the tunnel for what it is now: devices go on with one that is up alone. */
export function setTunnelState(turn: Turn, tunnelState: TunnelState): void {
  const { state, acts, now } = turn;
  if (tunnelState === state.tunnelState) return;
  state.tunnelState = tunnelState;
  state.tunnelSinceS = now.unixS;
  acts.push({ do: 'log', level: 'notice', notice: notice('tunnel-state', { state: tunnelState }) });
  if (tunnelState === 'up' || !desiredOf(state)) return;
  block(turn, faultOfTunnel(state));
}

/** What the tunnel stands in the way with. */
export function faultOfTunnel({ tunnelState, trouble }: HomeState): Notice {
  return tunnelFault(tunnelState, trouble);
}

/** OpenVPN is connected, and has its netdev. */
export function connect(turn: Turn, index: number | null): void {
  const { state } = turn;
  const desired = desiredOf(state);
  if (!state.connected || !desired) return;
  const { local, remote, remotePort } = state.connected;
  state.connected = null;
  state.remoteAddress = remote === '' ? null : remote;
  state.remotePort = remotePort;
  if (state.tunnel?.local !== local || index === null || index !== state.queue?.index)
    closeTunnel(turn);
  state.tunnel = { local, peer: local.replace(/\.\d+$/, '.1') };
  state.trouble = null;
  state.proved = desired.profile;
  setTunnelState(turn, 'up');
  ask(turn, ...WHOLE);
}
