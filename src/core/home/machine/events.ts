// What a home's machine hears, and what it has done. Values only.
import type { ActiveRate } from '../../config/schedule.ts';
import type { Config } from '../../config/types.ts';
import type { Welcome } from '../../control/message.ts';
import type { Refusal } from '../../control/refusal.ts';
import type { ForeignChain } from '../../delivery/foreign-chains.ts';
import type { PassageCounts } from '../../delivery/passage.ts';
import type { Answer } from '../../delivery/probe-packets.ts';
import type { Notice } from '../../notices/notice.ts';
import type { Profile } from '../../openvpn/profile.ts';
import type { InnerNetwork, PlainUser, TunnelAddresses } from '../../plan/facts.ts';
import type { FamilyRoute } from '../../plan/inside.ts';
import type { homePassages } from '../../plan/nft/nft-passage.ts';
import type { ClockChains, ClockedWay } from '../../plan/outer-clock.ts';
import type { FamilyRoutes } from '../../plan/routes.ts';
import type { SlotClass } from '../../plan/tc.ts';
import type { TcListing } from '../../plan/tc-listing.ts';
import type { Shape } from '../../stream/stream.ts';
import type { House } from '../home-facts.ts';
import type { Intent, Near, Part } from './state.ts';

export type HomePassage = (typeof homePassages)[number];

/** What rules have noted of passing packets. */
export interface Noted {
  /** MACs of hosts beside the devices that asked the Internet for names lately. */
  resolvers: readonly string[];
  /** Addresses that have sent something towards the tunnel within the last hour. */
  senders: readonly string[];
  /** Ports at which devices asked the Internet lately for what was brought to this router instead. */
  redirected: readonly string[];
}

/** What was read of the machine and of the far end. */
export interface Sight extends Noted {
  /** When the counters were read, whenever that is judged. */
  takenMs: number;
  rulesIntact: boolean;
  /** The chains that lead to the clock behind OpenVPN; null where nobody asked. */
  chains: ClockChains | null;
  /** Packets the witness has counted since the rules were loaded. */
  astray: number;
  /** Packets that left and came since the netdev was made; null while there is none. */
  sentPackets: number | null;
  receivedPackets: number | null;
  /** Since when the endpoint has not answered; Infinity before its first answer. */
  answerSilentMs: number;
  /** Size of a packet that was answered while those of the streams are not; null else. */
  smallerBytes: number | null;
  /** The configuration that was looked by, and what its schedule puts in force now. */
  config: Config;
  rate: ActiveRate;
  /** Packets on their ways through the router since the rules were loaded. */
  passages: PassageCounts<HomePassage>;
  /** 0…1, drawn anew. */
  chance: number;
}

/** What doing a part has found, where that is more than that it stands. */
export interface Outcomes {
  look: Sight;
  chains: ClockChains | null;
  user: PlainUser | null;
  house: House;
  near: Near;
  routes: Notice | null;
  suspects: readonly ForeignChain[];
  connect: number | null;
  index: number | null;
  clock: Notice | null;
}

export type Done = {
  [P in Part]: { kind: 'done'; part: P } & (P extends keyof Outcomes
    ? { found: Outcomes[P] }
    : { found?: undefined });
}[Part];

export type HomeEvent =
  | { kind: 'intent'; intent: Intent }
  /** Once a second: what shapes has reported, and of when that is; null for a second without a report. */
  | { kind: 'second'; listing: TcListing | null; takenMs: number | null }
  /** A state that OpenVPN names. */
  | { kind: 'openvpn'; name: string; local: string; remote: string; remotePort?: number | null }
  | { kind: 'openvpn-exited'; why: Notice }
  /** Why OpenVPN does not connect, in words. */
  | { kind: 'openvpn-trouble'; why: Notice }
  /** A new profile was tried: why it does not connect, or null. */
  | { kind: 'tried'; why: Notice | null }
  | { kind: 'welcome'; welcome: Welcome }
  | { kind: 'refused'; refusal: Refusal }
  /** What the service asked inside the stream was answered. */
  | { kind: 'probe-answered'; answer: Answer }
  | { kind: 'rules-lost' }
  | { kind: 'clock-touched' }
  /** The netdev of the devices' packets was made; it has neither addresses nor routes. */
  | { kind: 'port-up' }
  | { kind: 'surroundings'; what: 'house' | 'neighbours' }
  /** Something happened that devices may not go on with before it was judged. */
  | { kind: 'fault'; fault: Notice }
  | Done
  | { kind: 'failed'; part: Part; fault: Notice };

/** An OpenVPN beside the one in use, with a configuration of its own. */
export interface Trial {
  config: string;
  /** Ways to the endpoint, each of which it may try once. */
  tries: number;
}

/** Done at once and without fail. */
export type Act =
  | { do: 'gate'; open: boolean }
  | { do: 'close-tunnel' }
  /** `next`: to another endpoint than the one there was, which says nothing. */
  | { do: 'reconnect'; next: boolean }
  | { do: 'retry-now' }
  /** Starts a trial in place of any before it, or ends it; what comes of it is told by `tried`. */
  | { do: 'try'; trial: Trial | null }
  /** The profile that was tried has come into force, and stays. */
  | { do: 'adopt' }
  /** The endpoint has answered under the profile in force: one to come back to after a start. */
  | { do: 'keep-proved' }
  | { do: 'watch'; on: boolean }
  | { do: 'log'; level: 'warning' | 'notice'; notice: Notice }
  /** Asks the endpoint something inside the stream. */
  | { do: 'probe'; inner: InnerNetwork }
  | { do: 'publish' };

/** What may take long and may fail; answered by `done` or `failed`, before which no other is asked for. */
export type Work =
  | { part: 'forbid' }
  | { part: 'permit'; permits: string }
  /** `chains` asks for {@link Sight.chains}, too. */
  | { part: 'look'; permits: string; config: Config; chains: boolean }
  | { part: 'restore'; permits: string }
  | { part: 'chains' }
  | { part: 'remove'; netdev: string; shut: string | null }
  | { part: 'boot'; table: string | null }
  | { part: 'user' }
  | { part: 'connect' }
  | { part: 'suspects' }
  | { part: 'house'; config: Config; remoteAddress: string | null }
  | { part: 'near'; config: Config; house: House }
  | { part: 'inside'; routes: readonly FamilyRoute[] }
  | { part: 'rules'; table: string; permits: string; again: boolean }
  | {
      part: 'routes';
      netdev: string;
      plan: readonly FamilyRoutes[];
      /** Address with length for the netdev; null while none is known. */
      own: string | null;
      networks: readonly string[];
      house: House;
    }
  | { part: 'port'; netdev: string; plainUser: PlainUser | null }
  | {
      part: 'netdev';
      netdev: string;
      houseNetdevs: readonly string[];
      uplinks: readonly string[];
    }
  | { part: 'index' }
  /** `slots` null leaves the classes as they are; leaves are as long as `length`, what is behind them as `ring`. */
  | {
      part: 'queue';
      mtu: number;
      length: number;
      ring: number;
      slots: readonly SlotClass[] | null;
    }
  /** `way` null takes away what there is. */
  | { part: 'clock'; way: ClockedWay | null; minor: number; shape: Shape; standing: number }
  | {
      part: 'streams';
      tunnel: TunnelAddresses;
      upload: Shape;
      download: Shape;
      maxDelayMs: number;
      profile: Profile;
      /** Slots that ought to stand in the clock behind OpenVPN; 0 for no such clock. */
      standing: number;
      /** The same at the endpoint's end; null for as many as usual. */
      standingSlots: number | null;
      fresh: boolean;
      tunnelSinceS: number;
    }
  | { part: 'openvpn'; config: string };

/** What follows from an event: acts in their order, then work. */
export interface Effects {
  acts: readonly Act[];
  work: Work | null;
}
