// How each part is done: what it takes, out of what is known, and what follows from how it went.

import type { HomeFacts } from '../../plan/facts.ts';
import { planInsideRoutes } from '../../plan/inside.ts';
import { HOME_CLASS_MINOR } from '../../plan/names.ts';
import { renderAlive } from '../../plan/nft/nft-alive.ts';
import { aliveProtocols, renderHomeNft } from '../../plan/nft/nft-home.ts';
import { renderHomeOpenVpn } from '../../plan/openvpn.ts';
import { standingSlots } from '../../plan/outer-clock.ts';
import { planRoutes } from '../../plan/routes.ts';
import { queueLimit, ringLength, type SlotClass } from '../../plan/tc.ts';
import { shapeOf } from '../../stream/stream.ts';
import { clockWork, doubtsClock, neededClock } from './clock.ts';
import type { Work } from './events.ts';
import { type DesiredState, desiredOf, type HomeState, type Part } from './state.ts';
import { closeTunnel, type Turn } from './turn.ts';

/** Packets that OpenVPN may hold in its netdev. */
const OPENVPN_QUEUE_PACKETS = 1024;

/** What rules are made of, beside the configuration. */
function factsOf(state: HomeState): HomeFacts {
  const { house, near, tunnel, inner, place } = state;
  return {
    uid: place.uid,
    houseNetdevs: house.netdevs,
    housePrefixes: house.prefixes,
    houseListing: house.listing,
    uplinks: house.uplinks,
    networkPrefixes: house.networkPrefixes,
    networkPorts: house.networkPorts,
    networkLost: house.networkFindings.some(({ blocks }) => blocks),
    followed: near.followed,
    sharedNetdevs: near.sharedNetdevs,
    inside: desiredOf(state)?.profile.inside ?? null,
    tunnel,
    inner,
    innerPlaces: near.innerPlaces,
  };
}

/** Commands that let devices go on for some seconds, where they may. */
function permitsOf(state: HomeState): string {
  return state.permitted ? renderAlive(aliveProtocols(factsOf(state))) : '';
}

/** The rules that hold all devices back; null when there is no configuration to make them of. */
export function shutTableOf(state: HomeState, desired = desiredOf(state)): string | null {
  if (!desired) return null;
  return renderHomeNft(desired.config, { ...factsOf(state), tunnel: null, inner: null });
}

/** The work that a part takes now; null where there is none to do. */
export function workOf(part: Part, turn: Turn): Work | null {
  const { state } = turn;
  switch (part) {
    case 'forbid':
    case 'user':
    case 'connect':
    case 'suspects':
    case 'chains':
      return { part };
    case 'remove':
      return { part, netdev: state.portNetdev, shut: state.shut };
    case 'boot':
      return { part, table: shutTableOf(state) };
    default: {
      const desired = desiredOf(state);
      return desired && workOn(part, desired, turn);
    }
  }
}

type DesiredPart = Exclude<
  Part,
  'forbid' | 'user' | 'connect' | 'suspects' | 'chains' | 'remove' | 'boot'
>;

/** The work of parts that are made of a configuration. */
function workOn(part: DesiredPart, desired: DesiredState, turn: Turn): Work | null {
  const { state } = turn;
  const { config, profile } = desired;
  const netdev = config.tunnel.interface;
  switch (part) {
    case 'permit':
    case 'restore':
      return { part, permits: permitsOf(state) };
    case 'look':
      return { part, permits: permitsOf(state), config, chains: doubtsClock(state) };
    case 'house':
      return { part, config, remoteAddress: state.remoteAddress };
    case 'near':
      return { part, config, house: state.house };
    case 'inside':
      return { part, routes: planInsideRoutes(profile.inside) };
    case 'rules':
      return {
        part,
        table: renderHomeNft(config, factsOf(state)),
        permits: permitsOf(state),
        again: state.again.includes(part),
      };
    case 'routes':
      return {
        part,
        netdev,
        plan: planRoutes(config, factsOf(state)),
        own: ownAddress(state, desired),
        networks: config.networks.map(({ device }) => device),
        house: state.house,
      };
    case 'port':
      if (state.portNetdev === netdev && !state.again.includes(part)) return null;
      state.portNetdev = netdev;
      return { part, netdev, plainUser: state.plainUser };
    case 'netdev':
      return {
        ...{ part, netdev },
        houseNetdevs: state.house.netdevs,
        uplinks: state.house.uplinks,
      };
    case 'index':
      return state.tunnel && { part };
    case 'queue':
      return queueWork(desired, turn);
    case 'clock':
      return clockWork(desired, turn);
    case 'streams':
      return streamsWork(desired, state);
    case 'openvpn':
      return openvpnWork(desired, turn);
  }
}

/**
 * Loose reverse-path filtering refuses what comes in on a netdev without any address, or from where nothing but an
 * unreachable route leads (fib_frontend.c): so the whole inner range lies behind this one.
 */
function ownAddress({ inner }: HomeState, { profile }: DesiredState): string | null {
  if (!inner) return null;
  const [, length] = profile.inside.inner4.split('/');
  return inner.prefix4.replace(/\.0\/24$/, `.254/${length}`);
}

function queueWork({ config, rate }: DesiredState, turn: Turn): Work | null {
  const { state, acts } = turn;
  const { tunnel, index } = state;
  if (!tunnel || index === null) return null;
  const upload = shapeOf(config, rate.uploadKBps);
  const limit = queueLimit([upload]);
  const isClocked = neededClock(state) !== null;
  const stands =
    state.queue?.index === index &&
    state.queue.limit >= limit &&
    state.queue.isClocked === isClocked &&
    !state.again.includes('queue');
  const length = Math.max(limit, state.queue?.limit ?? 0);
  const slot: SlotClass = { minor: HOME_CLASS_MINOR, shape: upload, isShared: false };
  if (!stands) {
    // For a moment nothing holds packets back: nobody may send then.
    acts.push({ do: 'gate', open: false });
    state.queue = null;
    state.queueIsNew = true;
    state.made = { index, limit, ring: ringLength([upload], isClocked), isClocked };
  }
  const mtu = config.main.packetBytes;
  const { ring } = state.queue ?? state.made!;
  return { part: 'queue', mtu, length, ring, slots: stands ? null : [slot] };
}

function streamsWork({ config, rate, profile }: DesiredState, state: HomeState): Work | null {
  const { tunnel, queue } = state;
  if (!tunnel || !queue) return null;
  const upload = shapeOf(config, rate.uploadKBps);
  return {
    part: 'streams',
    tunnel,
    upload,
    download: shapeOf(config, rate.downloadKBps),
    maxDelayMs: config.main.maxDelayMs,
    profile,
    standing: state.clock ? standingSlots(config, upload) : 0,
    standingSlots: config.main.standingSlots,
    fresh: state.queueIsNew,
    tunnelSinceS: state.tunnelSinceS,
  };
}

function openvpnWork({ profile }: DesiredState, turn: Turn): Work | null {
  const { state } = turn;
  const config = renderHomeOpenVpn({
    profile,
    plainUser: state.plainUser,
    managementSocket: state.place.managementSocket,
    queuePackets: OPENVPN_QUEUE_PACKETS,
  });
  if (config === state.openvpnConfig) return null;
  closeTunnel(turn);
  state.openvpnConfig = config;
  return { part: 'openvpn', config };
}
