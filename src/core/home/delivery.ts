// Whether devices get what they ask for while their traffic is hidden: decided by what was seen to pass. Pure.
import type { EndpointTrouble } from '../control/endpoint-troubles.ts';
import { type ForeignChain, letThrough, nameOf, suspectOf } from '../delivery/foreign-chains.ts';
import type { Passages } from '../delivery/passage.ts';
import { type Notice, notice } from '../notices/notice.ts';
import { homePassages } from '../plan/nft-passage.ts';
import type { HomePassage } from './machine/events.ts';

export interface DeliveryEvidence {
  nowMs: number;
  /** Netdev of devices' packets. */
  netdev: string;
  passages: Passages<HomePassage>;
  /** Chains of other programs that drop what they do not let through. */
  suspects: readonly ForeignChain[];
  /** What the endpoint says of itself. */
  endpointTroubles: readonly EndpointTrouble[];
}

export interface Delivery {
  /** Why devices get nothing, as clauses; empty where no reason is known. */
  troubles: readonly Notice[];
  /** What a person should mend besides, as sentences without their full stop. */
  warnings: readonly Notice[];
}

/** Before anything was seen. */
export const NOTHING_DELIVERED: Delivery = { troubles: [], warnings: [] };

/** Passages where packets come in and none leaves. */
export function findShut(passages: Passages<HomePassage>, nowMs: number): HomePassage[] {
  return homePassages.filter((name) => passages[name].isShut(nowMs));
}

export function judgeDelivery(evidence: DeliveryEvidence): Delivery {
  return { troubles: [...findDropped(evidence), ...findEndpointTroubles(evidence)], warnings: [] };
}

/** Rules of others on the router drop what ours let through. */
function findDropped({ passages, suspects, netdev, nowMs }: DeliveryEvidence): Notice[] {
  const [shut] = findShut(passages, nowMs);
  if (!shut) return [];
  const isAnswer = shut.startsWith('answer');
  const suspect = suspectOf(suspects, 'forward', shut.endsWith('6') ? 6 : 4);
  if (!suspect) return [isAnswer ? notice('answers-dropped') : notice('devices-dropped')];
  const matches = [`oifname "${netdev}"`, `iifname "${netdev}"`];
  const values = { chain: nameOf(suspect), command: letThrough(suspect, matches) };
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
