// Homes that come, ask for another stream, and go.
import type { EndpointTrouble } from '../../control/endpoint-troubles.ts';
import type { ArrivalReport, Hello } from '../../control/message.ts';
import { ALONE, type Sharing } from '../../control/sharing.ts';
import { isSame } from '../../equality/equality.ts';
import { wholeBytesOf } from '../../home/delivery/path-size.ts';
import { SlotMeter } from '../../home/slot-meter.ts';
import { meterWindowMs } from '../../home/verification.ts';
import { ask } from '../../machine/agenda.ts';
import type { Notice } from '../../notices/notice.ts';
import { tunnelAddress } from '../../plan/nft/nft-endpoint.ts';
import { waitPerSlotMs } from '../../stream/stream.ts';
import { Allowance, type Pace } from '../allowance.ts';
import { innerNetworkOf, type StoredHome } from '../identity.ts';
import { notice } from '../notice.ts';
import { isMonthNearlyUsed, refuse } from './admission/admitting.ts';
import { isSentAway, noteDrained } from './admission/draining.ts';
import { STREAM_PARTS } from './agenda.ts';
import type { Served } from './events.ts';
import { netsOf } from './parts.ts';
import { type EndpointState, NEVER, type Session } from './state.ts';
import { changeSessions, log, type Turn } from './turn.ts';

/** A home that says nothing for so long is gone. */
const SILENT_MS = 60_000;
const SILENT_SLOTS = 120;
/** A new rate takes so long to show in full. */
const SETTLE_MS = 4000;
/** A stream is made for a home so often at most: each time rules are loaded for all. It says again what was not taken. */
const WISHES: Pace = { burst: 6, everyMs: 5000 };

/** Keeps a hello until what is being done is done; of a home that talks faster than that, the last one. */
export function keepHello({ state }: Turn, host: number, hello: Hello, sharing: Sharing): void {
  if (!state.up || !state.homes.some((home) => home.host === host)) return;
  const others = state.waiting.filter((other) => other.host !== host);
  state.waiting = [...others, { host, hello, sharing }];
}

/**
 * Takes the hellos that were kept. Only while nothing is to be done: else a home that never stops asking for something
 * else would keep the others waiting.
 *
 * @returns whether there was any.
 */
export function takeHellos(turn: Turn): boolean {
  const { waiting, homes } = turn.state;
  turn.state.waiting = [];
  for (const { host, hello, sharing } of waiting) {
    const home = homes.find((other) => other.host === host);
    if (home) takeHello(turn, home, hello, sharing);
  }
  return waiting.length > 0;
}

function takeHello(turn: Turn, home: StoredHome, hello: Hello, sharing: Sharing): void {
  const { state } = turn;
  const { monotonicMs: heardMs } = turn.now;
  const known = state.sessions.find(({ host }) => host === home.host);
  if (known === undefined && isSentAway(turn, home.host)) return;
  if (refuse(turn, home, hello, known ?? null)) return;
  if (!(known && isAsBefore(known, hello)) && !mayWish(turn, home.host)) {
    if (known) changeSessions(turn, (one) => (one === known ? { ...one, heardMs } : one));
    return;
  }
  const session = {
    ...(known ? heard(known, hello, heardMs) : opened(turn, home, hello)),
    sharing,
  };
  if (sharing.isShared && !known?.sharing.isShared) log(turn, 'warning', sharedNotice(home));
  state.sessions = known
    ? state.sessions.map((other) => (other === known ? session : other))
    : [...state.sessions, session];
  if (!known) log(turn, 'notice', notice('home-connected', { name: home.name }));
  const isOther = known?.standingSlots !== session.standingSlots;
  if (isOther || !isSame(session.standing, session.shape)) ask(turn, ...STREAM_PARTS);
  else if (known?.maxDelayMs !== session.maxDelayMs) ask(turn, 'streams');
  else answer(turn);
}

/** Whether a home may have another stream made now; counts it. */
function mayWish({ state, now }: Turn, host: number): boolean {
  const left = Allowance.take(state.wishes.get(host), WISHES, now.monotonicMs);
  if (left) state.wishes = new Map(state.wishes).set(host, left);
  return left !== null;
}

function isAsBefore({ shape, maxDelayMs, standingSlots }: Session, hello: Hello): boolean {
  if (standingSlots !== hello.standingSlots) return false;
  return maxDelayMs === hello.maxDelayMs && isSame(shape, hello.download);
}

function opened({ state, now }: Turn, home: StoredHome, hello: Hello): Session {
  const { name, host } = home;
  const { identity } = state.place;
  return {
    name,
    host,
    local: tunnelAddress(identity, 1),
    peer: tunnelAddress(identity, host),
    inner: innerNetworkOf(netsOf(state), host),
    shape: hello.download,
    maxDelayMs: hello.maxDelayMs,
    standingSlots: hello.standingSlots,
    version: hello.version,
    received: null,
    heardMs: now.monotonicMs,
    sharing: ALONE,
    unanswered: hello,
    standing: null,
    standsSinceMs: NEVER,
    meter: SlotMeter.EMPTY,
    clocked: SlotMeter.EMPTY,
    clockDoubts: 0,
    unclockedUntilMs: 0,
    settlesMs: NEVER,
    repairedMs: NEVER,
    repairs: 0,
    open: false,
    gate: false,
  };
}

function heard(session: Session, hello: Hello, nowMs: number): Session {
  const { version, maxDelayMs, download, standingSlots } = hello;
  const shape = isSame(download, session.shape) ? session.shape : download;
  return {
    ...session,
    version,
    maxDelayMs,
    standingSlots,
    shape,
    heardMs: nowMs,
    unanswered: hello,
  };
}

/** Answers the hellos of those whose wishes have come true. */
export function answer(turn: Turn): void {
  changeSessions(turn, (session) => {
    const { host, peer, inner, standing, unanswered: hello } = session;
    if (!hello || !standing || !isSame(standing, session.shape)) return session;
    const { packetBytes } = standing;
    const arrival = arrivalOf(turn.state, session);
    turn.acts.push({ do: 'welcome', host, peer, hello, inner, packetBytes, arrival });
    return { ...session, unanswered: null };
  });
}

/** What a home is told of what arrives here, and goes on. */
function arrivalOf(state: EndpointState, { name, received, sharing }: Session): ArrivalReport {
  const { troubles, uplinkMtu } = state;
  const names: EndpointTrouble[] = [
    ...troubles.map((trouble) => trouble.name).filter((one) => one !== null),
    ...(sharing.isShared ? (['shared'] as const) : []),
    ...(sharing.isLater ? (['later'] as const) : []),
    ...(isMonthNearlyUsed(state, name) ? (['month'] as const) : []),
  ];
  const wholeBytes = uplinkMtu === null ? null : wholeBytesOf(uplinkMtu, false);
  return { received, troubles: names, wholeBytes };
}

/** What to do about a profile that two machines use. */
export function sharedNotice({ name }: Pick<Session, 'name'>): Notice {
  return notice('home-profile-shared', { name });
}

/**
 * The streams are as they were asked for when that was begun. One that is another one now, or stands in another class, is
 * measured from here on; while that lasts, an old verdict in good order stands.
 */
export function noteStreams(turn: Turn): void {
  const { state, now } = turn;
  const { madeStreams, queueIsNew, remade } = state;
  changeSessions(turn, (session) => {
    const made = madeStreams.find(({ host }) => host === session.host);
    if (!made) return session;
    const { shape: standing, host } = made;
    const isOther = queueIsNew || remade.includes(host) || !isSame(standing, session.standing);
    if (!isOther) return session;
    const settlesMs = now.monotonicMs + SETTLE_MS + meterWindowMs(standing);
    const standsSinceMs = now.monotonicMs;
    return {
      ...{ ...session, standing, standsSinceMs, settlesMs },
      ...{ meter: SlotMeter.EMPTY, clocked: SlotMeter.EMPTY },
    };
  });
  state.madeStreams = [];
  state.distrusted = queueIsNew ? [] : state.distrusted.filter((host) => !remade.includes(host));
  state.remade = [];
  answer(turn);
}

/** Lets homes go. What stood for them goes with the next streams. */
export function closeSessions(turn: Turn, isMeant: (session: Session) => boolean): void {
  const { state, acts } = turn;
  const gone = state.sessions.filter(isMeant);
  if (gone.length === 0) return;
  state.sessions = state.sessions.filter((session) => !gone.includes(session));
  for (const { host, name } of gone) {
    acts.push({ do: 'close-session', host });
    log(turn, 'notice', notice('home-disconnected', { name }));
  }
  ask(turn, ...STREAM_PARTS);
}

/** Whether a home has said nothing for so long that it is gone. */
export function isSilent({ shape, heardMs }: Session, nowMs: number): boolean {
  return nowMs - heardMs > Math.max(SILENT_MS, SILENT_SLOTS * waitPerSlotMs(shape));
}

/** Other homes than before: those that went are let go. OpenVPN reads its fingerprints, where it has any, at the start only. */
export function noteHomes(turn: Turn, { homes, limits, drained, elsewhere }: Served): void {
  const { state } = turn;
  state.limits = limits;
  state.elsewhere = elsewhere;
  noteDrained(turn, drained);
  if (isSame(homes, state.homes)) return;
  state.homes = homes;
  const ofHomes = <T>(map: ReadonlyMap<number, T>): Map<number, T> =>
    new Map([...map].filter(([host]) => homes.some((home) => home.host === host)));
  state.wishes = ofHomes(state.wishes);
  state.refusals = ofHomes(state.refusals);
  state.sentOn = ofHomes(state.sentOn);
  // Who said something by an older key said it as another home; the others repeat themselves.
  state.waiting = [];
  const stays = ({ host, name }: Session): boolean =>
    homes.some((home) => home.host === host && home.name === name);
  closeSessions(turn, (session) => !stays(session));
  ask(turn, ...STREAM_PARTS, 'clients', 'openvpn');
}

/** Size of the packets in the stream to a home; null when none stands. */
export function slotBytesOf({ sessions }: EndpointState, host: number): number | null {
  return sessions.find((session) => session.host === host)?.standing?.packetBytes ?? null;
}
