// Whether homes' devices get what they ask for behind the endpoint: decided by what was seen to pass. Pure.
import type { EndpointTrouble } from '../control/endpoint-troubles.ts';
import { type ForeignChain, letThroughAll, nameOf, suspectOf } from '../delivery/foreign-chains.ts';
import { findShut, type Passages } from '../delivery/passage.ts';
import { commandToStop, type PortHolders } from '../delivery/udp-sockets.ts';
import { listOf } from '../notices/list.ts';
import type { Notice, NoticeValue } from '../notices/notice.ts';
import { DNS_PORT, TUNNEL_NETDEV } from '../plan/names.ts';
import { INNER_NETDEV } from '../plan/nft/nft-endpoint.ts';
import type { endpointPassages } from '../plan/nft/nft-endpoint-passage.ts';
import { notice } from './notice.ts';

export type EndpointPassage = (typeof endpointPassages)[number];

/** The resolver does not listen on its address. */
export interface ResolverFault {
  address: string;
  holders: PortHolders;
}

export interface EndpointDeliveryEvidence {
  nowMs: number;
  passages: Passages<EndpointPassage>;
  /** Chains of other programs that drop what they do not let through. */
  suspects: readonly ForeignChain[];
  /** Null where the resolver listens, or has only just begun not to. */
  resolver: ResolverFault | null;
}

/** Why devices get nothing. */
export interface Trouble {
  /** As homes are told; null for what no home can hear of. */
  name: EndpointTrouble | null;
  /** As the endpoint's own status has it, with what to do. */
  notice: Notice;
}

/** What is wrong, the worst first. */
export function judgeEndpointDelivery(evidence: EndpointDeliveryEvidence): Trouble[] {
  const { resolver } = evidence;
  const shut = findShut(evidence.passages, evidence.nowMs);
  const order: readonly EndpointPassage[] = [
    'tunnel',
    'forward4',
    'forward6',
    'answer4',
    'answer6',
    'names',
  ];
  const troubles = order
    .filter((name) => shut.includes(name))
    .map((name) => dropped(name, evidence.suspects));
  if (resolver) troubles.push(resolverTrouble(resolver));
  // One of a kind: both families have the same words.
  return troubles.filter(
    (trouble, index) => troubles.findIndex(({ name }) => name === trouble.name) === index,
  );
}

/** By which homes come to this machine once they are in the tunnel. */
export const INSIDE = [{ in: TUNNEL_NETDEV }, { in: INNER_NETDEV }] as const;

/** Who it is, as far as that may be seen. */
export function holderOf({ programs }: PortHolders, port: number): NoticeValue {
  if (programs.length === 0) return notice('another-program', { port: `${port}` });
  return listOf([...new Set(programs.map(({ name }) => name))]);
}

/** Has the server's own dnsmasq leave homes' netdev alone: it answers the server itself as before. */
const SHARE_WITH_DNSMASQ = `printf 'bind-dynamic\\nexcept-interface=${INNER_NETDEV}\\n' >/etc/dnsmasq.d/iotshaper.conf && systemctl restart dnsmasq`;

/** What frees the resolver's port, or tells who has it. */
function commandToFree(holders: PortHolders): string {
  const isDnsmasq = holders.programs.some(({ unit }) => unit === 'dnsmasq.service');
  if (isDnsmasq) return SHARE_WITH_DNSMASQ;
  return commandToStop(holders) ?? `ss -lunp sport = :${DNS_PORT}`;
}

export function resolverTrouble({ address, holders }: ResolverFault): Trouble {
  const holder = holderOf(holders, DNS_PORT);
  const said = holders.isTaken
    ? notice('resolver-port-taken', { address, holder, command: commandToFree(holders) })
    : notice('resolver-not-listening', { address });
  return { name: 'resolver', notice: said };
}

/** What is said of a way by which nothing leaves, and what to do. */
export function dropped(
  passage: EndpointPassage,
  suspects: readonly ForeignChain[],
  family: 4 | 6 = passage.endsWith('6') ? 6 : 4,
): Trouble {
  if (passage === 'tunnel' || passage === 'names') {
    const suspect = suspectOf(suspects, 'input', family);
    const name = passage === 'names' ? 'names' : null;
    // Rules of ours let in nothing by these two but what homes need.
    const command = letThroughAll(suspects, 'input', family, INSIDE);
    if (!suspect) {
      const said = passage === 'names' ? 'homes-names-dropped' : 'homes-unheard';
      return { name, notice: notice(said, { command }) };
    }
    const said = passage === 'names' ? 'homes-names-dropped-by' : 'homes-unheard-by';
    return { name, notice: notice(said, { chain: nameOf(suspect), command }) };
  }
  const suspect = suspectOf(suspects, 'forward', family);
  const isAnswer = passage.startsWith('answer');
  const name = isAnswer ? 'answers' : 'forward';
  const through = [{ in: INNER_NETDEV }, { out: INNER_NETDEV }];
  const command = letThroughAll(suspects, 'forward', family, through);
  if (!suspect) {
    const said = isAnswer ? 'homes-answers-dropped' : 'homes-dropped';
    return { name, notice: notice(said, { command }) };
  }
  const values = { chain: nameOf(suspect), command };
  return {
    name,
    notice: notice(isAnswer ? 'homes-answers-dropped-by' : 'homes-dropped-by', values),
  };
}
