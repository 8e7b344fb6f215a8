// The machine of an endpoint: what it hears and has done goes in, what it knows and is to do comes out. Pure.
import { isSame } from '../../equality/equality.ts';
import { ask, isAsked, takeNext } from '../../machine/agenda.ts';
import { Silence } from '../../machine/silence.ts';
import type { Now } from '../../machine/step.ts';
import type { Notice } from '../../notices/notice.ts';
import { TUNNEL_NETDEV } from '../../plan/names.ts';
import { judgeEndpoint } from '../judgement.ts';
import { notice } from '../notice.ts';
import { noteConnections } from './admission/draining.ts';
import { PART_ORDER, type Part, STREAM_PARTS, WHOLE } from './agenda.ts';
import { failClock, finishClock, noteChains, notePlaces } from './clock.ts';
import { deliver, hearExamined, noteTroubles } from './delivering.ts';
import { REMOVALS, stop } from './ending.ts';
import type { Done, EndpointEvent, EndpointStep, Work } from './events.ts';
import { hearSecond } from './judging.ts';
import { mendTunnel, noteNetdevGone, noteNotPutBack, replaceThread } from './mending.ts';
import { leaveTunnel, noteQueue, workOf } from './parts.ts';
import { putBack } from './putting-back.ts';
import { closeSessions, keepHello, noteHomes, noteStreams, takeHellos } from './sessions.ts';
import type { EndpointState } from './state.ts';
import { tellHomes } from './telling.ts';
import { forbid, isDistrusted, log, setGates, type Turn } from './turn.ts';

/**
 * One step. Frames may leave to a home only from a step on in which it was judged without a fault, with the queue standing
 * that holds them back, and no longer than the next one that found a fault.
 *
 * @param judgeEvidence as tests replace it.
 */
export function step(
  before: EndpointState,
  event: EndpointEvent,
  now: Now,
  judgeEvidence: Turn['judgeEvidence'] = judgeEndpoint,
): EndpointStep {
  const turn: Turn = { state: { ...before }, acts: [], now, judgeEvidence };
  hear(turn, event);
  const work = begin(turn);
  setGates(turn);
  return { state: turn.state, acts: turn.acts, work };
}

function hear(turn: Turn, event: EndpointEvent): void {
  const { state } = turn;
  switch (event.kind) {
    case 'start':
      if (state.phase !== 'new') return;
      state.phase = 'running';
      state.homes = event.homes;
      state.limits = event.limits;
      state.usage = event.usage;
      state.drained = event.drained;
      state.elsewhere = event.elsewhere;
      ask(turn, ...WHOLE);
      return;
    case 'stop':
      stop(turn);
      return;
    case 'done':
      state.running = null;
      forgive(turn, event.part);
      if (state.phase === 'running') finish(turn, event);
      else if (event.part === 'remove' && !event.found.forgotten)
        log(turn, 'warning', notice('conntrack-missing'));
      return;
    case 'failed':
      state.running = null;
      fail(turn, event.part, event.fault);
      return;
  }
  if (state.phase !== 'running') return;
  switch (event.kind) {
    case 'store-changed':
      ask(turn, 'homes');
      return;
    case 'second':
      hearSecond(turn, event.report);
      return;
    case 'openvpn':
      if (event.name !== 'CONNECTED') return;
      state.isConnected = true;
      ask(turn, 'connect');
      return;
    case 'openvpn-exited':
      leaveTunnel(turn);
      state.fault = notice('openvpn-stopped', { why: event.why });
      log(turn, 'warning', state.fault);
      return;
    case 'hello':
      keepHello(turn, event.host, event.hello, event.sharing);
      return;
    case 'rules-lost':
      ask(turn, 'restore');
      return;
    case 'clock-touched':
      if (state.clock) ask(turn, 'chains');
      return;
    case 'examined':
      hearExamined(turn, event.faults);
      return;
    case 'surroundings':
      ask(turn, 'near');
      return;
    case 'port-up':
      state.portIndex = null;
      ask(turn, 'netdev');
      return;
    case 'fault':
      hearFault(turn, event.minor, event.fault);
      return;
  }
}

function hearFault(turn: Turn, minor: number, fault: Notice): void {
  mendTunnel(turn, fault);
  // Rules for packets of another size refuse cover that is about to be made anew.
  if (fault.code === 'cover-unsent' && isAsked(turn, 'streams')) return;
  // As where the netdev has another name now, which rules of ours stop.
  if (fault.code === 'cover-unsent') ask(turn, 'index');
  if (minor === 0 && fault.code === 'shaping-thread-ended') replaceThread(turn);
  // Cover that can't be sent is tried, and told of, several times a second.
  if (turn.state.distrusted.includes(minor)) return;
  // Without the tunnel there is nobody to be sent to; its next netdev has streams of its own.
  if (!turn.state.up && minor !== 0) return;
  const home = turn.state.sessions.find(({ host }) => host === minor);
  log(turn, 'warning', home ? notice('home-fault', { name: home.name, fault }) : fault);
  turn.state.distrusted = [...turn.state.distrusted, minor];
  forbid(turn, ({ host }) => isDistrusted(turn, host));
}

/** Takes the next thing to do; with nothing left, what homes have said meanwhile. */
function begin(turn: Turn): Work | null {
  const { state } = turn;
  if (state.running !== null) return null;
  do {
    const work = takeNext(turn, PART_ORDER, (part) => {
      const found = workOf(part, turn);
      // What there is nothing to do about any more has not failed.
      if (!found) forgive(turn, part);
      return found;
    });
    if (work) return work;
  } while (takeHellos(turn));
  return null;
}

/** What follows from a part that was done. */
function finish(turn: Turn, done: Done): void {
  const { state } = turn;
  switch (done.part) {
    case 'look':
      if (!done.found.rulesIntact) ask(turn, 'restore');
      putBack(turn, done.found);
      deliver(turn, done.found);
      return;
    case 'suspects':
      state.suspects = done.found;
      noteTroubles(turn);
      return;
    case 'restore':
      if (done.found.restored) log(turn, 'warning', notice('endpoint-rules-put-back'));
      return;
    case 'connect':
      connect(turn, done.found);
      return;
    case 'homes':
      noteHomes(turn, done.found);
      return;
    case 'connections':
      noteConnections(turn, done.found);
      return;
    case 'user':
      state.plainUser = done.found;
      return;
    case 'ipv6':
      state.ipv6 = done.found;
      return;
    case 'near':
      if (isSame(done.found, state.near)) return;
      state.near = done.found;
      ask(turn, 'rules');
      return;
    case 'netdev':
      // It was made anew meanwhile: what was done to it is void.
      state.portIndex = state.pending.includes('netdev') ? null : done.found;
      return;
    case 'index':
      state.index = done.found;
      if (done.found === null) noteNetdevGone(turn);
      return;
    case 'places':
      notePlaces(turn, done.found);
      return;
    case 'clock':
      finishClock(turn, done.found);
      return;
    case 'chains':
      noteChains(turn, done.found);
      return;
    case 'queue':
      noteQueue(turn);
      return;
    case 'port':
      state.hasPort = true;
      return;
    case 'resolver':
      state.hasResolver = true;
      state.resolverMs = turn.now.monotonicMs;
      return;
    case 'control':
      state.hasControl = true;
      return;
    case 'streams':
      // Its first report comes in a second.
      if (state.queueIsNew) {
        state.reportedMs = turn.now.monotonicMs;
        state.silence = Silence.from(turn.now.monotonicMs);
      }
      noteStreams(turn);
      state.queueIsNew = false;
      return;
    case 'clients':
      noteReader(turn, done.found);
      if (state.wasStarted) tellHomes(turn);
      return;
    case 'openvpn':
      if (!state.wasStarted) tellHomes(turn);
      state.wasStarted = true;
      return;
  }
}

/** OpenVPN is connected. With another netdev than before, nothing that belonged to the old one stands. */
function connect(turn: Turn, index: number | null): void {
  const { state } = turn;
  if (!state.isConnected) return;
  if (index === null) {
    state.up = false;
    forbid(turn);
    fail(turn, 'connect', notice('tunnel-netdev-missing', { netdev: TUNNEL_NETDEV }));
    return;
  }
  if (index !== state.tunnelIndex) {
    closeSessions(turn, () => true);
    state.tunnelIndex = index;
    state.queue = null;
    state.queueIsNew = true;
    state.hasControl = false;
  }
  state.up = true;
  state.fault = null;
  ask(turn, ...STREAM_PARTS);
}

function noteReader(turn: Turn, reader: NonNullable<EndpointState['reader']>): void {
  const { state } = turn;
  state.reader = reader;
  const { closedFolder: folder } = reader;
  if (folder !== null) log(turn, 'warning', notice('openvpn-stays-root', { folder }));
  else if (!state.plainUser) log(turn, 'warning', notice('plain-user-missing'));
}

/** A part has not failed, or no longer. */
function forgive({ state }: Turn, part: Part): void {
  state.failures = state.failures.filter((failure) => failure.part !== part);
}

/** A part could not be done: what was to come after it would build on nothing. All of it is tried again. */
function fail(turn: Turn, part: Part, fault: Notice): void {
  const { state } = turn;
  const before = state.failures.find((failure) => failure.part === part);
  if (part === 'remove') state.removals++;
  // What is left behind is told once it is not tried again.
  const isTold = part === 'remove' ? state.removals === REMOVALS : !isSame(before?.fault, fault);
  if (isTold) log(turn, 'warning', fault);
  forgive(turn, part);
  state.failures = [...state.failures, { part, fault }];
  if (state.phase !== 'running') return;
  if (part === 'queue' || part === 'streams') {
    state.queue = null;
    state.made = null;
    state.madeStreams = [];
    state.queueIsNew = true;
    forbid(turn);
  }
  if (part === 'clock') failClock(turn);
  if (part === 'clients') state.clients = null;
  if (part === 'openvpn') state.openvpn = null;
  if (part === 'tunnel') noteNotPutBack(turn);
  const alone: readonly Part[] = [
    ...(['restore', 'look', 'connect', 'homes', 'netdev', 'openvpn'] as const),
    ...(['places', 'clock', 'chains', 'connections'] as const),
  ];
  if (alone.includes(part)) return;
  state.pending = state.pending.filter((other) => alone.includes(other));
}
