// What a home's machine knows: what it is to be, what was found, what stands, what was judged and told. Values only.

import type { ActiveRate } from '../../config/schedule.ts';
import type { Config } from '../../config/types.ts';
import type { Welcome } from '../../control/message.ts';
import type { ForeignChain } from '../../delivery/foreign-chains.ts';
import { noPassages, type Passages } from '../../delivery/passage.ts';
import type { Agenda } from '../../machine/agenda.ts';
import { Silence } from '../../machine/silence.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import type { Profile } from '../../openvpn/profile.ts';
import type {
  FollowedDevice,
  InnerNetwork,
  InnerPlaces,
  PlainUser,
  TunnelAddresses,
} from '../../plan/facts.ts';
import { homePassages } from '../../plan/nft/nft-passage.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import type { Shape } from '../../stream/stream.ts';
import { type Delivery, NOTHING_DELIVERED } from '../delivery/home-delivery.ts';
import { NO_PROBES, type Probes } from '../delivery/probing.ts';
import { Arrivals } from '../delivery/shortfall.ts';
import { NO_PLACES } from '../devices/inner-addresses.ts';
import { type House, NO_HOUSE } from '../home-facts.ts';
import { SlotMeter } from '../slot-meter.ts';
import { type ClockState, NO_CLOCK } from './clock-state.ts';
import type { HomePassage } from './events.ts';
import { type Flow, NO_FLOW } from './flow.ts';
import type { Told } from './told.ts';

/** What is to be: a configuration, the rate that its schedule puts in force, the profile it names. */
export interface DesiredState {
  config: Config;
  rate: ActiveRate;
  profile: Profile;
}

/** What the home was told last. */
export type Intent =
  /** `waiting` is a profile that is to replace the one of `desired` once it was seen to connect. */
  | {
      kind: 'on';
      desired: DesiredState;
      waiting?: Profile | null;
      /** The last one under which the endpoint answered, in this run or one before. */
      lastProved?: Profile | null;
    }
  | { kind: 'off' }
  /** There is no configuration that could be in force, and why, where one was refused. */
  | { kind: 'none'; why: Notice | null }
  /** It ends; `staysShut` leaves the rules that hold all devices back. */
  | { kind: 'stop'; staysShut: boolean };

export type TunnelState = 'down' | 'connecting' | 'up' | 'reconnecting';

/** What is known of the devices beside what the configuration says, all by that configuration's sections. */
export interface Near {
  followed: readonly FollowedDevice[];
  /** Netdevs on which other hosts live beside chosen devices. */
  sharedNetdevs: readonly string[];
  /** MACs of hosts beside the devices that ask the Internet for names, as far as they were looked at. */
  resolvers: readonly string[];
  innerPlaces: InnerPlaces;
  /** What belongs behind the sentence that says that all is well. */
  remarks: readonly Notice[];
}

/** What is known before the first look. */
export const NOTHING_NEAR: Near = {
  followed: [],
  sharedNetdevs: [],
  resolvers: [],
  innerPlaces: NO_PLACES,
  remarks: [],
};

/** The one thing that is done at a time. */
export type Part =
  | 'forbid'
  | 'remove'
  | 'look'
  | 'chains'
  | 'restore'
  | 'connect'
  | 'user'
  | 'house'
  | 'near'
  | 'inside'
  | 'rules'
  | 'routes'
  | 'port'
  | 'netdev'
  | 'index'
  | 'queue'
  | 'clock'
  | 'streams'
  | 'openvpn'
  | 'permit'
  | 'suspects'
  | 'boot';

/** What comes first where several are to be done: what stops devices, what looks, then from the rules outwards. */
export const PART_ORDER: readonly Part[] = [
  ...(['forbid', 'remove', 'restore', 'look', 'chains', 'connect', 'user', 'house'] as const),
  ...(['near', 'inside', 'rules', 'routes', 'port', 'netdev', 'index', 'queue'] as const),
  ...(['clock', 'streams', 'openvpn', 'permit', 'suspects', 'boot'] as const),
];

/** Everything that follows from a configuration. */
export const WHOLE: readonly Part[] = [
  ...(['user', 'house', 'near', 'inside', 'rules', 'routes', 'port', 'netdev'] as const),
  ...(['index', 'queue', 'clock', 'streams', 'openvpn', 'boot'] as const),
];

/** What never changes while the service runs. */
export interface Place {
  /** The user it runs as. */
  uid: number;
  /** Where OpenVPN finds its management's socket. */
  managementSocket: string;
  /** The same, of the OpenVPN that tries a new profile. */
  trialSocket: string;
}

/** The queue on the tunnel's netdev. */
export interface Queue {
  /** Of the netdev it was made on. */
  index: number;
  limit: number;
  /** Length of the netdev's own ring: a change of it empties the queue. */
  ring: number;
  /** Whether that length is one for a clock behind OpenVPN. */
  isClocked: boolean;
}

export interface HomeState extends Agenda<Part>, ClockState {
  readonly place: Place;
  intent: Intent;
  /** Parts that are done from the beginning, whatever is thought to stand. */
  again: readonly Part[];
  plainUser: PlainUser | null;
  house: House;
  near: Near;
  /** What OpenVPN said when it connected, until that was followed. */
  connected: { local: string; remote: string; remotePort: number | null } | null;
  tunnelState: TunnelState;
  tunnelSinceS: number;
  /** Why the tunnel is not set up, as far as OpenVPN has said since it was last up. */
  trouble: Notice | null;
  /** The profile under which the endpoint answered last. */
  proved: Profile | null;
  /** The profile that is tried, or was in vain; null for none. */
  trial: { profile: Profile; failure: Notice | null; endedMs: number } | null;
  /** While a new profile is in force under which nobody has answered yet: what comes back then, and when. */
  fallback: { profile: Profile; untilMs: number } | null;
  tunnel: TunnelAddresses | null;
  /** The endpoint's address on the Internet. */
  remoteAddress: string | null;
  remotePort: number | null;
  welcome: Welcome | null;
  /** Why the endpoint serves nothing of what is wanted, and when it said so last; null where it has not. */
  refused: { why: Notice; atMs: number } | null;
  inner: InnerNetwork | null;
  /** Why devices' packets would not take their way; null while they would. */
  routeFault: Notice | null;

  /** Netdev of the devices' packets that is held, '' for none. */
  portNetdev: string;
  /** Configuration that OpenVPN runs with, '' for none. */
  openvpnConfig: string;
  /** Index of the tunnel's netdev when it was last asked for. */
  index: number | null;
  /** The queue as it was made; null when it has to be made. */
  queue: Queue | null;
  /** The queue that is being made. */
  made: Queue | null;
  /** What paces the queue knows another one. */
  queueIsNew: boolean;
  /** Rules that stay behind when all is removed; null for none. */
  shut: string | null;

  /** What was listed since the queue was last looked at. */
  listing: TcListing | null;
  /** When the queue was made. */
  queueSinceMs: number;
  /** Of when the newest report is, and how long there was none since. */
  reportedMs: number;
  silence: Silence;
  /** Whether devices may send. */
  permitted: boolean;
  everPermitted: boolean;
  /** Since when no look has found a fault; Infinity where the last one did. */
  goodSinceMs: number;
  ticks: number;
  /** Why devices may not send; null where nothing was found that stands in the way. */
  obstacle: Notice | null;
  /** What could not be done; it is tried again. */
  failure: Notice | null;
  repairedMs: number;
  /** When OpenVPN was last started over for its netdev. */
  replacedMs: number;
  sent: SlotMeter;
  received: SlotMeter;
  /** What the readings are of: upload and download. */
  shapes: readonly Shape[];
  settlesMs: number;
  flow: Flow;
  astray: number;
  astrayMs: number;
  passages: Passages<HomePassage>;
  /** Ports of what devices ask the Internet for and a redirect brings to this router, in order. */
  redirected: readonly string[];
  /** Chains of others that may drop what does not pass; null while everything does. */
  suspects: readonly ForeignChain[] | null;
  probes: Probes;
  /** Slots that the endpoint says have come. */
  arrivals: Arrivals;
  delivery: Delivery;

  told: Told;
}

const NEVER = Number.NEGATIVE_INFINITY;

/** Before anything was told or found. */
export function initialState(place: Place, unixS: number): HomeState {
  return {
    ...NO_CLOCK,
    place,
    intent: { kind: 'off' },
    pending: [],
    running: null,
    // What another run left behind.
    again: ['clock'],
    plainUser: null,
    house: NO_HOUSE,
    near: NOTHING_NEAR,
    connected: null,
    tunnelState: 'down',
    tunnelSinceS: 0,
    trouble: null,
    proved: null,
    trial: null,
    fallback: null,
    tunnel: null,
    remoteAddress: null,
    remotePort: null,
    welcome: null,
    refused: null,
    inner: null,
    routeFault: null,
    portNetdev: '',
    openvpnConfig: '',
    index: null,
    queue: null,
    made: null,
    queueIsNew: true,
    shut: null,
    listing: null,
    queueSinceMs: NEVER,
    reportedMs: NEVER,
    silence: Silence.from(NEVER),
    permitted: false,
    everPermitted: false,
    goodSinceMs: Number.POSITIVE_INFINITY,
    ticks: 0,
    obstacle: null,
    failure: null,
    repairedMs: NEVER,
    replacedMs: NEVER,
    sent: SlotMeter.EMPTY,
    received: SlotMeter.EMPTY,
    shapes: [],
    settlesMs: NEVER,
    flow: NO_FLOW,
    astray: 0,
    astrayMs: NEVER,
    passages: noPassages(homePassages),
    redirected: [],
    suspects: null,
    probes: NO_PROBES,
    arrivals: Arrivals.NONE,
    delivery: NOTHING_DELIVERED,
    told: {
      state: 'starting',
      reason: notice('service-starting'),
      remarks: [],
      fault: null,
      trouble: null,
      sinceS: unixS,
    },
  };
}

/** What is to be while the home is on; null otherwise. */
export function desiredOf({ intent }: Pick<HomeState, 'intent'>): DesiredState | null {
  return intent.kind === 'on' ? intent.desired : null;
}
