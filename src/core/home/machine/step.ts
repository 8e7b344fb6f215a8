// The machine of a home: what it hears and has done goes in, what it knows and is to do comes out. Pure.

import { isSame } from '../../equality/equality.ts';
import { ask, isAsked, takeNext } from '../../machine/agenda.ts';
import type { Now, Step } from '../../machine/step.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { hearAnswer } from '../delivery/probing.ts';
import { judgeHome } from '../judgement.ts';
import { failClock, finishClock, loseChains } from './clock.ts';
import { noteDelivery } from './delivering.ts';
import type { Act, Done, HomeEvent, Work } from './events.ts';
import { awaitReport, block, hearSecond, judge, repairQueue } from './judging.ts';
import { shutTableOf, workOf } from './parts.ts';
import { noteRefused } from './refused.ts';
import { desiredOf, type HomeState, type Intent, PART_ORDER, type Part, WHOLE } from './state.ts';
import { tell } from './telling.ts';
import { chooseProfile, endTrial, proveProfile, tryProfile } from './trial.ts';
import {
  connect,
  faultOfTunnel,
  hearOpenVpn,
  hearTrouble,
  replaceTunnel,
  setTunnelState,
} from './tunnel.ts';
import { closeTunnel, forbid, type Turn } from './turn.ts';

export type HomeStep = Step<HomeState, Act, Work>;

/**
 * One step. Devices may send only from a step on that had them permitted by {@link judge}, and no longer than the next one
 * that found a fault.
 *
 * @param judgeEvidence as tests replace it.
 */
export function step(
  before: HomeState,
  event: HomeEvent,
  now: Now,
  judgeEvidence: Turn['judgeEvidence'] = judgeHome,
): HomeStep {
  const turn: Turn = { state: { ...before }, acts: [], now, judgeEvidence };
  hear(turn, event);
  const work = begin(turn);
  tell(turn);
  return { state: turn.state, acts: turn.acts, work };
}

function hear(turn: Turn, event: HomeEvent): void {
  const { state } = turn;
  switch (event.kind) {
    case 'intent':
      intend(turn, event.intent);
      return;
    case 'done':
      state.running = null;
      finish(turn, event);
      return;
    case 'failed':
      state.running = null;
      fail(turn, event.part, event.fault);
      return;
  }
  if (!desiredOf(state)) {
    // What could not be removed is tried again.
    if (event.kind === 'second' && state.failure && state.intent.kind === 'off')
      ask(turn, 'remove', 'boot');
    return;
  }
  switch (event.kind) {
    case 'second':
      hearSecond(turn, event.listing, event.takenMs);
      return;
    case 'openvpn':
      hearOpenVpn(turn, event);
      return;
    case 'openvpn-exited':
      // Its netdev went with it; the next one has no queue before it is made.
      closeTunnel(turn);
      setTunnelState(turn, 'down');
      block(turn, notice('openvpn-stopped', { why: event.why }));
      return;
    case 'openvpn-trouble':
      hearTrouble(turn, event.why);
      return;
    case 'tried':
      endTrial(turn, event.why);
      return;
    case 'welcome':
      proveProfile(turn);
      state.welcome = event.welcome;
      state.refused = null;
      state.arrivals = state.arrivals.with(event.welcome.received, turn.now.monotonicMs);
      if (isSame(event.welcome.inner, state.inner)) return;
      state.inner = event.welcome.inner;
      ask(turn, ...WHOLE);
      return;
    case 'refused':
      noteRefused(turn, event.refusal);
      return;
    case 'probe-answered':
      state.probes = hearAnswer(state.probes, event.answer, turn.now.monotonicMs);
      noteDelivery(turn);
      return;
    case 'rules-lost':
      ask(turn, 'restore');
      return;
    case 'clock-touched':
      if (state.clock) ask(turn, 'chains');
      return;
    case 'port-up':
      // While it was not there devices' packets found no way but others, where they were stopped.
      state.astrayMs = Number.NEGATIVE_INFINITY;
      state.astray = Number.POSITIVE_INFINITY;
      ask(turn, 'netdev', 'routes');
      return;
    case 'surroundings':
      if (event.what === 'house') ask(turn, ...WHOLE);
      else ask(turn, 'near', 'rules', 'routes', 'boot');
      return;
    case 'fault':
      // Rules for packets of another size refuse cover that is about to be made anew.
      if (event.fault.code === 'cover-unsent' && isAsked(turn, 'streams')) return;
      // What fails because the tunnel is gone says less than why that is.
      block(turn, state.tunnelState === 'up' ? event.fault : faultOfTunnel(state));
      if (event.fault.code === 'tunnel-netdev-gone') replaceTunnel(turn);
      else if (event.fault.code === 'shaping-thread-ended') repairQueue(turn);
      // As where the netdev has another name now, which rules of ours stop.
      else if (event.fault.code === 'cover-unsent') ask(turn, 'index');
      turn.acts.push({ do: 'log', level: 'warning', notice: event.fault });
      return;
  }
}

function intend(turn: Turn, intent: Intent): void {
  const { state, acts } = turn;
  const before = desiredOf(state);
  if (state.intent.kind === 'stop') return;
  // What is in force stays so until there is something better.
  if (intent.kind === 'none' && before) return;
  if (intent.kind === 'on') {
    state.intent = { kind: 'on', desired: chooseProfile(turn, intent, before) };
    state.failure = null;
    if (!before) {
      state.everPermitted = false;
      state.obstacle = null;
      state.ticks = 0;
    }
    acts.push({ do: 'watch', on: true });
    ask(turn, ...WHOLE);
    return;
  }
  state.intent = intent;
  // Nothing good was ever told: what stands, nothing, stays.
  if (intent.kind === 'none') return;
  forbid(turn);
  tryProfile(turn, null);
  state.fallback = null;
  acts.push({ do: 'watch', on: false });
  const staysShut = intent.kind === 'stop' && intent.staysShut;
  state.shut = staysShut ? shutTableOf(state, before) : null;
  // A table that is kept for the next boot is taken away only by who switches shaping off.
  state.pending = state.pending.filter((part) => part === 'forbid');
  ask(turn, 'remove', ...(intent.kind === 'off' ? (['boot'] as const) : []));
}

/** Takes the next thing to do that there is anything to do about. */
function begin(turn: Turn): Work | null {
  const work = takeNext(turn, PART_ORDER, (part) => workOf(part, turn));
  if (work?.part === 'openvpn') {
    turn.state.trouble = null;
    setTunnelState(turn, 'connecting');
  }
  return work;
}

/** What follows from a part that was done. */
function finish(turn: Turn, done: Done): void {
  const { state } = turn;
  state.again = state.again.filter((part) => part !== done.part);
  switch (done.part) {
    case 'look':
      judge(turn, done.found);
      return;
    case 'chains':
      if (loseChains(turn, done.found)) block(turn, notice('outer-clock-gone'));
      return;
    case 'user':
      state.plainUser = done.found;
      return;
    case 'house':
      state.house = done.found;
      return;
    case 'near':
      state.near = done.found;
      return;
    case 'routes':
      state.routeFault = done.found;
      return;
    case 'suspects':
      state.suspects = done.found;
      noteDelivery(turn);
      return;
    case 'index':
      state.index = done.found;
      if (done.found === null) replaceTunnel(turn);
      return;
    case 'connect':
      connect(turn, done.found);
      return;
    case 'queue':
      if (state.made === null) return;
      state.queue = state.made;
      state.made = null;
      state.queueSinceMs = turn.now.monotonicMs;
      state.listing = null;
      return;
    case 'clock':
      finishClock(turn, done.found);
      noteDelivery(turn);
      return;
    case 'streams':
      if (state.queueIsNew) awaitReport(turn);
      state.queueIsNew = false;
      turn.acts.push({ do: 'gate', open: state.permitted });
      return;
    case 'remove':
      forget(turn);
      return;
  }
}

/** Nothing stands any more, but for what could not be removed. */
function forget(turn: Turn): void {
  const { state } = turn;
  closeTunnel(turn);
  state.failure = null;
  state.listing = null;
  state.clock = null;
  state.clockTrouble = null;
  state.portNetdev = '';
  state.openvpnConfig = '';
  state.tunnelState = 'down';
  state.connected = null;
  state.trouble = null;
  state.proved = null;
  state.inner = null;
  state.welcome = null;
  state.refused = null;
  state.routeFault = null;
  state.astray = 0;
}

/** A part could not be done: what was to come after it would build on nothing. The next repair tries all of it again. */
function fail(turn: Turn, part: Part, fault: Notice): void {
  const { state } = turn;
  if (part === 'queue' || part === 'streams') {
    state.queue = null;
    state.made = null;
    state.queueIsNew = true;
  }
  if (part === 'clock' && failClock(turn, fault)) return;
  if (part === 'openvpn') state.openvpnConfig = '';
  if (part === 'remove') {
    // All that could be ended has ended; what is left is found by its name.
    const { portNetdev } = state;
    forget(turn);
    state.portNetdev = portNetdev;
    state.again = [...state.again, 'port'];
  }
  if (part === 'remove' && state.intent.kind === 'stop' && !state.again.includes(part)) {
    state.again = [...state.again, part];
    ask(turn, part);
  }
  if (part === 'port') state.again = [...state.again, 'port'];
  // The set of those who may send empties by itself.
  if (part === 'forbid' || part === 'permit') return;
  turn.acts.push({ do: 'log', level: 'warning', notice: fault });
  state.failure = fault;
  if (!desiredOf(state)) return;
  block(turn, fault);
  if (part === 'look' || part === 'restore' || part === 'chains') return;
  // Rules hold devices back even where little is known of the house.
  const always: Part[] = ['forbid', 'look', 'connect', 'restore', 'rules', 'netdev'];
  // What the tunnel carries may fail because OpenVPN has to start over.
  if (part === 'queue' || part === 'streams') always.push('openvpn');
  state.pending = state.pending.filter((other) => always.includes(other));
}
