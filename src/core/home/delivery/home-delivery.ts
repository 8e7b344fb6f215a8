// Whether devices get what they ask for while their traffic is hidden: decided by what was seen to pass. Pure.
import type { EndpointTrouble } from '../../control/endpoint-troubles.ts';
import { type ForeignChain, letThrough, nameOf, suspectOf } from '../../delivery/foreign-chains.ts';
import { findShut, type Passages } from '../../delivery/passage.ts';
import { listSome } from '../../notices/list.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { packetBounds } from '../../stream/stream.ts';
import type { HomePassage } from '../machine/events.ts';
import { packetSizeCommand } from './path-size.ts';
import { findUnanswered, isAnswered, type Probes, type Streams } from './probing.ts';
import { findShortfall, type Passing } from './shortfall.ts';

/** What devices were answered tells for so long that they still are. */
const RECENT_MS = 30_000;

export interface DeliveryEvidence {
  nowMs: number;
  /** Netdev of devices' packets. */
  netdev: string;
  passages: Passages<HomePassage>;
  /** Chains of other programs that drop what they do not let through. */
  suspects: readonly ForeignChain[];
  /** Ports of what devices ask the Internet for and a redirect brings to this router. */
  redirected: readonly string[];
  probes: Probes;
  streams: Streams;
  /** The streams over the last minute. */
  up: Passing;
  down: Passing;
  /** Largest packet_size that leaves this router, and the endpoint, whole; null while that is not known. */
  wholeBytes: number | null;
  endpointWholeBytes: number | null;
  /** What the endpoint says of itself. */
  endpointTroubles: readonly EndpointTrouble[];
  /** What was warned of last. */
  warnedOf: readonly Notice[];
}

export interface Delivery {
  /** Why devices get nothing, as clauses; empty where no reason is known. */
  troubles: readonly Notice[];
  /** Why devices wait long, or get nothing: a line that is too slow for the rate. */
  short: readonly Notice[];
  /** Why some of what they ask for gets no answer. */
  partly: readonly Notice[];
  /** Whether devices, or the service itself, were seen to be answered lately. */
  isServed: boolean;
  /** What a person should mend besides, as sentences without their full stop. */
  warnings: readonly Notice[];
}

/** Before anything was seen. */
export const NOTHING_DELIVERED: Delivery = {
  troubles: [],
  short: [],
  partly: [],
  isServed: false,
  warnings: [],
};

export function judgeDelivery(evidence: DeliveryEvidence): Delivery {
  const { probes, streams, nowMs, warnedOf } = evidence;
  const isServed = isAnswered(probes, streams, nowMs) || isTwoWay(evidence);
  const shared = findShared(evidence);
  // What another has of the tunnel is not the line's fault.
  const short = (['up', 'down'] as const)
    .map((way) => (shared.length > 0 ? null : findShortfall(way, evidence[way], warnedOf)))
    .filter((one) => one !== null);
  const troubles = [
    ...findDropped(evidence),
    ...findEndpointTroubles(evidence),
    // A line that is too slow loses the service's questions too.
    ...(short.length > 0 ? [] : findUnanswered(probes)),
  ];
  const partly = [...shared, ...findRedirected(evidence)];
  const soon = evidence.endpointTroubles.includes('month') ? [notice('month-nearly-used')] : [];
  const warnings = [...short, ...partly, ...findPieces(evidence), ...soon];
  return { troubles, short, partly, isServed, warnings };
}

/** What a program of the router would ask past the tunnel is not let through to it. */
function findRedirected({ redirected }: DeliveryEvidence): Notice[] {
  if (redirected.length === 0) return [];
  return [notice('redirect-dropped', { ports: listSome(redirected) })];
}

/** While it lasts, what devices have under way breaks off whenever the other one takes the tunnel. */
function findShared({ endpointTroubles }: DeliveryEvidence): Notice[] {
  return endpointTroubles.includes('shared') ? [notice('profile-shared')] : [];
}

function findPieces({ streams, wholeBytes, endpointWholeBytes }: DeliveryEvidence): Notice[] {
  const { packetBytes: size } = streams.upload;
  const fits = Math.min(wholeBytes ?? size, endpointWholeBytes ?? size);
  if (fits >= size || fits < packetBounds.least) return [];
  const values = { size, fits, command: packetSizeCommand(fits) };
  const isHere = wholeBytes !== null && wholeBytes < size;
  return [isHere ? notice('packets-in-pieces', values) : notice('packets-in-pieces-down', values)];
}

/** Whether devices lately sent something and were answered. */
function isTwoWay({ passages, nowMs }: DeliveryEvidence): boolean {
  const isRecent = (name: HomePassage): boolean => passages[name].quietMs(nowMs) < RECENT_MS;
  return (
    (isRecent('device4') && isRecent('answer4')) || (isRecent('device6') && isRecent('answer6'))
  );
}

/** Rules of others on the router drop what ours let through. */
function findDropped({ passages, suspects, netdev, nowMs }: DeliveryEvidence): Notice[] {
  const [shut] = findShut(passages, nowMs);
  if (!shut) return [];
  const isAnswer = shut.startsWith('answer');
  const suspect = suspectOf(suspects, 'forward', shut.endsWith('6') ? 6 : 4);
  if (!suspect) return [isAnswer ? notice('answers-dropped') : notice('devices-dropped')];
  const values = {
    chain: nameOf(suspect),
    command: letThrough(suspect, [{ out: netdev }, { in: netdev }]),
  };
  return [isAnswer ? notice('answers-dropped-by', values) : notice('devices-dropped-by', values)];
}

const troubleNotices: Partial<Record<EndpointTrouble, () => Notice>> = {
  forward: () => notice('endpoint-forwards-nothing'),
  answers: () => notice('endpoint-answers-dropped'),
  names: () => notice('endpoint-names-dropped'),
  resolver: () => notice('endpoint-resolver-without-port'),
};

function findEndpointTroubles({ endpointTroubles }: DeliveryEvidence): Notice[] {
  return endpointTroubles.flatMap((name) => troubleNotices[name]?.() ?? []);
}
