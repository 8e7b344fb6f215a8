// What an endpoint's machine hears, and what it has done. Values only.
import type { ArrivalReport, Hello } from '../../control/message.ts';
import type { Refusal } from '../../control/refusal.ts';
import type { Sharing } from '../../control/sharing.ts';
import type { ForeignChain } from '../../delivery/foreign-chains.ts';
import type { PassageCounts } from '../../delivery/passage.ts';
import type { Step } from '../../machine/step.ts';
import type { ByteCount } from '../../netlink/nft-messages.ts';
import type { Notice } from '../../notices/notice.ts';
import type { InnerNetwork, InsideRanges, PlainUser } from '../../plan/facts.ts';
import type { HomeClockClass, HomesClock } from '../../plan/homes-clock.ts';
import type { FamilyRoute } from '../../plan/inside.ts';
import type { ClockChains } from '../../plan/outer-clock.ts';
import type { FamilyRoutes } from '../../plan/routes.ts';
import type { SharedQueue } from '../../plan/tc.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import type { Shape } from '../../stream/stream.ts';
import type { LimitBook } from '../admission/limits.ts';
import type { Usage } from '../admission/usage.ts';
import type { EndpointPassage, ResolverFault } from '../delivery.ts';
import type { HomeConnection } from '../fleet/drain.ts';
import type { StoredHome } from '../identity.ts';
import type { ListedLink } from '../surroundings.ts';
import type { Part } from './agenda.ts';
import type { PlacedHome } from './clock-state.ts';
import type { EndpointState, Reader } from './state.ts';

/** What was read of the machine. */
export interface EndpointSight {
  /** When. */
  takenMs: number;
  /** Whether the rules stand as they were loaded. */
  rulesIntact: boolean;
  /** Packets on their ways through the endpoint since the rules were loaded. */
  passages: PassageCounts<EndpointPassage>;
  /** Who has port 53 where the resolver does not listen, as far as that can be told; null where it listens. */
  resolver: ResolverFault | null;
  /** Largest packet that the way to the Internet takes; null while that is not known. */
  uplinkMtu: number | null;
  /** Netdevs of this machine with their addresses; null where they could not be read. */
  links: readonly ListedLink[] | null;
  /** Switches of the kernel's without which it passes nothing on, and that are off. */
  switchedOff: readonly string[];
  /** Packets that came to the port from outside since the rules were loaded. */
  knocks: number;
  /** Slots that came, by tunnel address. */
  received: ReadonlyMap<string, ByteCount>;
}

/** What is served, and what of it is allowed. */
export interface Served {
  homes: readonly StoredHome[];
  limits: LimitBook;
  /** Since when its homes are to go to other endpoints; null while it serves them. */
  drained: string | null;
  /** What other endpoints have counted of homes' data. */
  elsewhere: Usage;
}

/** What doing a part has found, where that is more than that it stands. */
export interface Outcomes {
  homes: Served;
  user: PlainUser | null;
  ipv6: boolean;
  near: readonly string[];
  /** Index of the tunnel's netdev; null where there is none. */
  connect: number | null;
  index: number | null;
  /** Where homes are on the Internet; null where OpenVPN did not say. */
  places: readonly PlacedHome[] | null;
  /** Why it can't stand; null where it does, or is gone as asked. */
  clock: Notice | null;
  chains: ClockChains | null;
  clients: Reader;
  /** Null where OpenVPN did not say. */
  connections: readonly HomeConnection[] | null;
  /** Index of the netdev; null where there is none. */
  netdev: number | null;
  look: EndpointSight;
  suspects: readonly ForeignChain[];
  /** Whether they had to be put back. */
  restore: { restored: boolean };
  /** Whether there was a program to forget connections with. */
  remove: { forgotten: boolean };
}

export type Done = {
  [P in Part]: { kind: 'done'; part: P } & (P extends keyof Outcomes
    ? { found: Outcomes[P] }
    : { found?: undefined });
}[Part];

export type EndpointEvent =
  | ({ kind: 'start'; usage: Usage } & Served)
  | { kind: 'stop' }
  /** Something changed where homes are kept. */
  | { kind: 'store-changed' }
  /** What shapes has reported, once a second; without a report where there was none in that second. */
  | { kind: 'second'; report: Report | null }
  /** A state that OpenVPN names. */
  | { kind: 'openvpn'; name: string }
  | { kind: 'openvpn-exited'; why: Notice }
  /** A home has proven itself, and says what it wants. */
  | { kind: 'hello'; host: number; hello: Hello; sharing: Sharing }
  | { kind: 'rules-lost' }
  | { kind: 'clock-touched' }
  /** Networks that this machine is in may be others. */
  | { kind: 'surroundings' }
  /** The machine was looked at. */
  | { kind: 'examined'; faults: readonly Notice[] }
  /** The netdev towards the Internet was made; it has no addresses. */
  | { kind: 'port-up' }
  /** Something happened that a home may not be sent to before it was judged; minor 0 stands for all homes. */
  | { kind: 'fault'; minor: number; fault: Notice }
  | Done
  | { kind: 'failed'; part: Part; fault: Notice };

export interface Report {
  /** What was listed; null where nothing was since the queue was made. */
  listing: TcListing | null;
  /** When that was asked; with no listing, when it was said. */
  takenMs: number;
  /** When the last of the listing was read. */
  heardMs: number;
}

/** Done at once and without fail. */
export type Act =
  /** A session's link is made shut. */
  | { do: 'gate'; host: number; open: boolean }
  | { do: 'close-session'; host: number }
  | {
      do: 'welcome';
      host: number;
      peer: string;
      hello: Hello;
      inner: InnerNetwork;
      packetBytes: number;
      arrival: ArrivalReport;
    }
  /** Told why it is not served. */
  | {
      do: 'refuse';
      host: number;
      peer: string;
      hello: Hello;
      refusal: Refusal;
      slotBytes: number | null;
    }
  /** Has OpenVPN tell the home at the other end of a connection to go on to the next endpoint of its profile. */
  | { do: 'send-on'; connection: number }
  | { do: 'keep-usage'; usage: Usage }
  /** Sends a packet as a home's device would, which ends where it would leave. */
  | { do: 'try-forward' }
  | { do: 'log'; level: 'warning' | 'notice'; notice: Notice };

/** A home's stream and frames. */
export interface StreamWish {
  host: number;
  local: string;
  peer: string;
  inner: InnerNetwork;
  shape: Shape;
  maxDelayMs: number;
  /** Slots that ought to stand in the clock behind OpenVPN; 0 for no such clock. */
  standing: number;
}

/** What may take long and may fail; answered by `done` or `failed`, before which no other is asked for. */
export type Work =
  | { part: 'remove'; inside: InsideRanges }
  | { part: 'restore'; permits: string }
  | { part: 'look'; permits: string; ipv6: boolean }
  | { part: 'connect' }
  | { part: 'suspects' }
  | { part: 'connections' }
  | { part: 'homes' }
  | { part: 'user' }
  | { part: 'ipv6' }
  | { part: 'near' }
  /** An address with its length. */
  | { part: 'tunnel'; address: string }
  | { part: 'inside'; routes: readonly FamilyRoute[]; plan: readonly FamilyRoutes[] }
  | { part: 'index' }
  | ({ part: 'queue' } & SharedQueue)
  | { part: 'places' }
  | { part: 'chains' }
  /** `rebuild` puts that clock in the place of whatever there is; else classes go and come, and rules are loaded. */
  | {
      part: 'clock';
      clock: HomesClock | null;
      rebuild: boolean;
      gone: readonly number[];
      come: readonly HomeClockClass[];
      rules: 'none' | 'places' | 'chains';
    }
  | { part: 'rules'; table: string; permits: string }
  | { part: 'forward'; ipv6: boolean }
  | { part: 'port'; plainUser: PlainUser | null }
  /** Addresses with their lengths. */
  | { part: 'netdev'; address4: string; address6: string | null }
  | { part: 'resolver'; addresses: readonly string[] }
  | { part: 'control'; address: string }
  | { part: 'streams'; streams: readonly StreamWish[]; fresh: boolean }
  | { part: 'clients'; files: readonly { name: string; text: string }[] }
  | { part: 'openvpn'; config: string };

export type EndpointStep = Step<EndpointState, Act, Work>;
