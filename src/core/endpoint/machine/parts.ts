// How each part is done: what it takes, out of what is known, and what follows from beginning it.
import { isSame } from '../../equality/equality.ts';
import type { EndpointFacts, InsideRanges } from '../../plan/facts.ts';
import { planInsideRoutes } from '../../plan/inside.ts';
import { SMALLEST_PACKET_BYTES, TUNNEL_MTU, TUNNEL_NETDEV } from '../../plan/names.ts';
import { renderAlive } from '../../plan/nft/nft-alive.ts';
import {
  INNER_NETDEV,
  insideRanges,
  renderEndpointNft,
  resolver4,
  resolver6,
  tunnelAddress,
} from '../../plan/nft/nft-endpoint.ts';
import { type HomesTrust, renderClientConfig, renderEndpointOpenVpn } from '../../plan/openvpn.ts';
import { planEndpointRoutes } from '../../plan/routes.ts';
import { queueLimit, ringLength, type SlotClass } from '../../plan/tc.ts';
import { isSigned, type Nets } from '../identity.ts';
import { FIRST_HOST, LAST_HOST } from '../keeping.ts';
import type { OwnNetdev } from '../surroundings.ts';
import type { Part } from './agenda.ts';
import { clockWork, NOT_THERE_YET, neededClock, standingOf } from './clock.ts';
import type { Work } from './events.ts';
import type { EndpointState } from './state.ts';
import { forbid, type Turn } from './turn.ts';

/** Packets that OpenVPN may hold in its netdev. */
const OPENVPN_QUEUE_PACKETS = 1024;
/** Length of leaves that are made before anybody has asked for a rate: enough for 260 KB/s of 512 bytes, and 50 KB of memory. */
const LEAST_LEAF_PACKETS = 2048;
/** SHA-256 of no certificate. */
const NOBODY = Array(32).fill('00').join(':');

export function netsOf({ place, ipv6 }: EndpointState): Nets {
  const { tunnelNet, innerNet, innerNet6 } = place.identity;
  return { tunnelNet, innerNet, innerNet6: ipv6 ? innerNet6 : null };
}

function insideOf(state: EndpointState): InsideRanges {
  return insideRanges(netsOf(state));
}

function factsOf(state: EndpointState): EndpointFacts {
  const { homes, sessions, place, near } = state;
  return {
    uid: place.uid,
    port: place.identity.port,
    ...netsOf(state),
    near,
    homes: homes.map(({ name, host }) => ({
      name,
      host,
      shape: sessions.find((session) => session.host === host)?.shape ?? null,
    })),
  };
}

/** Commands that let frames to the open homes leave for some seconds. */
export function permitsOf({ sessions }: EndpointState): string {
  return renderAlive(sessions.filter(({ open }) => open).map(({ peer }) => peer));
}

/** The work that a part takes now; null where there is none to do. */
export function workOf(part: Part, turn: Turn): Work | null {
  const { state } = turn;
  const { identity } = state.place;
  switch (part) {
    case 'remove':
      return { part, inside: insideOf(state) };
    case 'restore':
      return { part, permits: permitsOf(state) };
    case 'look':
      return { part, permits: permitsOf(state), ipv6: state.ipv6 === true };
    case 'connect':
    case 'homes':
    case 'suspects':
    case 'chains':
    case 'near':
      return { part };
    case 'user':
      // What happens to the list of users is no reason to start OpenVPN over.
      return state.plainUser === undefined ? { part } : null;
    case 'ipv6':
      return state.ipv6 === null ? { part } : null;
    case 'inside':
      return {
        part,
        routes: planInsideRoutes(insideOf(state)),
        plan: planEndpointRoutes(INNER_NETDEV, insideOf(state).inner6 !== null),
      };
    case 'tunnel':
      return state.up ? { part, address: `${tunnelAddress(identity, 1)}/24` } : null;
    case 'index':
    case 'places':
    case 'connections':
      return state.up ? { part } : null;
    case 'queue':
      return queueWork(turn);
    case 'clock':
      return clockWork(turn);
    case 'rules':
      return { part, table: renderEndpointNft(factsOf(state)), permits: permitsOf(state) };
    case 'forward':
      return { part, ipv6: state.ipv6 === true };
    case 'port':
      return state.hasPort ? null : { part, plainUser: state.plainUser ?? null };
    case 'netdev':
      return netdevWork(state);
    case 'resolver':
      return state.hasResolver
        ? null
        : { part, addresses: [resolver4(identity), resolver6(identity)!] };
    case 'control':
      return state.up && !state.hasControl ? { part, address: tunnelAddress(identity, 1) } : null;
    case 'streams':
      return streamsWork(state);
    case 'clients':
      return clientsWork(state);
    case 'openvpn':
      return openvpnWork(turn);
  }
}

function netdevWork({ place, ipv6 }: EndpointState): Work {
  const { identity } = place;
  return {
    part: 'netdev',
    address4: `${resolver4(identity)}/16`,
    address6: ipv6 ? `${resolver6(identity)}/48` : null,
  };
}

/** The netdevs of ours that stand, as they were made. */
export function ownNetdevs(state: EndpointState): { netdev: OwnNetdev; part: Part }[] {
  const { place, ipv6, portIndex, up, tunnelIndex } = state;
  const { identity } = place;
  const addresses = [`${resolver4(identity)}/16`, ...(ipv6 ? [`${resolver6(identity)}/48`] : [])];
  const tunnel = [`${tunnelAddress(identity, 1)}/24`];
  return [
    ...(portIndex === null
      ? []
      : [{ netdev: { name: INNER_NETDEV, index: portIndex, addresses }, part: 'netdev' as const }]),
    ...(tunnelIndex === null || !up
      ? []
      : [
          {
            netdev: { name: TUNNEL_NETDEV, index: tunnelIndex, addresses: tunnel },
            part: 'tunnel' as const,
          },
        ]),
  ];
}

/** The ring stays as it was made until it is too short by more than this, or longer than this. */
const RING_GROWS = 2;
const RING_SHRINKS = 4;

function queueWork({ state, now }: Turn): Work | null {
  const { index, queue, classes } = state;
  if (!state.up || index === null) return null;
  const shapes = state.sessions.map(({ shape }) => shape);
  const wanted = classesOf(state);
  // Each leaf holds one home's packets alone.
  const limit = Math.max(LEAST_LEAF_PACKETS, ...shapes.map((shape) => queueLimit([shape])));
  const mtu =
    shapes.length === 0
      ? TUNNEL_MTU
      : Math.max(SMALLEST_PACKET_BYTES, ...shapes.map(({ packetBytes }) => packetBytes));
  const length = Math.max(limit, queue?.limit ?? 0);
  const ring = ringLength(
    shapes,
    state.clockTrouble === null && neededClock(state, now.monotonicMs) !== null,
  );
  if (queue?.index === index && queue.limit >= limit) {
    const { broken } = state;
    const come = without(wanted, classes, broken);
    const gone = without(classes, wanted, broken);
    const changes = come.length + gone.length > 0;
    // Each change of it empties all leaves, which the provider sees of every home.
    const fits = ring <= RING_GROWS * queue.ring && queue.ring <= RING_SHRINKS * ring;
    const kept = come.length > 0 || !fits ? ring : queue.ring;
    state.made = { queue: null, ring: kept, classes: wanted, changes, remade: broken };
    state.broken = [];
    return { part: 'queue', mtu, length, ring: kept, rebuild: false, come, gone };
  }
  // For a moment nothing holds packets back: nobody may send then.
  state.queue = null;
  state.queueIsNew = true;
  state.broken = [];
  state.made = {
    queue: { index, limit: length, ring },
    ring,
    classes: wanted,
    changes: true,
    remade: [],
  };
  return { part: 'queue', mtu, length, ring, rebuild: true, come: wanted, gone: [] };
}

/** The queue stands as it was to. */
export function noteQueue({ state, now }: Turn): void {
  const { made } = state;
  if (!made) return;
  state.queue = made.queue ?? (state.queue && { ...state.queue, ring: made.ring });
  state.classes = made.classes;
  if (made.changes) state.classesSinceMs = now.monotonicMs;
  state.remade = [...state.remade, ...made.remade];
  state.made = null;
}

/** Homes up to one of these hosts have their classes, whether there are such homes or not: to add one empties all leaves. */
const READY_HOSTS = [9, 17, 33, 65, 129, LAST_HOST];

/**
 * A class for each home, whether it is there or not, and for some that are yet to be added: one that comes finds its own, and
 * nothing is changed for the others. What paces it sets its rate.
 */
function classesOf({ homes, sessions }: EndpointState): SlotClass[] {
  const last = Math.max(0, ...homes.map(({ host }) => host));
  const ready = READY_HOSTS.find((host) => host > last) ?? LAST_HOST;
  return Array.from({ length: ready - FIRST_HOST + 1 }, (_, k) => FIRST_HOST + k).map((host) => ({
    minor: host,
    shape: sessions.find((session) => session.host === host)?.shape ?? NOT_THERE_YET,
    isShared: true,
  }));
}

/** Those classes that are not among the others, or are broken. */
function without(
  classes: readonly SlotClass[],
  others: readonly SlotClass[],
  broken: readonly number[],
): SlotClass[] {
  return classes.filter(
    ({ minor }) => broken.includes(minor) || !others.some((other) => other.minor === minor),
  );
}

function streamsWork(state: EndpointState): Work | null {
  if (!state.queue) return null;
  const streams = state.sessions.map(({ host, local, peer, inner, shape, maxDelayMs }) => ({
    ...{ host, local, peer, inner, shape, maxDelayMs },
    standing: standingOf(state, host),
  }));
  state.madeStreams = streams.map(({ host, shape }) => ({ host, shape }));
  return { part: 'streams', streams, fresh: state.queueIsNew };
}

function clientsWork(state: EndpointState): Work | null {
  const { homes, place } = state;
  if (isSame(homes, state.clients)) return null;
  state.clients = homes;
  const { tunnelNet } = place.identity;
  const files = homes.map(({ commonName, host }) => ({
    name: commonName,
    text: renderClientConfig(tunnelNet, host),
  }));
  return { part: 'clients', files };
}

function openvpnWork(turn: Turn): Work | null {
  const { state } = turn;
  const { place, reader } = state;
  if (!reader) return null;
  const config = renderEndpointOpenVpn({
    isDualStack: reader.isDualStack,
    port: place.identity.port,
    certificatePath: place.certificatePath,
    keyPath: place.keyPath,
    trust: trustOf(state),
    clientConfigDir: place.clientConfigDir,
    tunnelNet: place.identity.tunnelNet,
    managementSocket: place.managementSocket,
    queuePackets: OPENVPN_QUEUE_PACKETS,
    plainUser: reader.closedFolder === null ? (state.plainUser ?? null) : null,
  });
  if (state.openvpn === config) return null;
  // Its netdev goes with it.
  leaveTunnel(turn);
  state.openvpn = config;
  return { part: 'openvpn', config };
}

/** One home that no authority has signed for is enough to know them all by their fingerprints. */
function trustOf({ homes, place }: EndpointState): HomesTrust {
  // Without any home OpenVPN still wants a fingerprint; nobody has this one.
  if (homes.length === 0) return { fingerprints: [NOBODY] };
  if (homes.every(isSigned)) return { authorityPath: place.authorityPath };
  return { fingerprints: homes.map(({ fingerprint }) => fingerprint) };
}

/** OpenVPN runs no more: what was heard by it is void, and homes are sent to once it is back. */
export function leaveTunnel(turn: Turn): void {
  const { state } = turn;
  state.isConnected = false;
  state.up = false;
  state.waiting = [];
  forbid(turn);
}
