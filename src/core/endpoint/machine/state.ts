// What an endpoint's machine knows: its homes, those that are there, what stands, what was judged. Values only.
import type { Hello } from '../../control/message.ts';
import type { Sharing } from '../../control/sharing.ts';
import type { ForeignChain } from '../../delivery/foreign-chains.ts';
import { noPassages, type Passages } from '../../delivery/passage.ts';
import type { SlotMeter } from '../../home/slot-meter.ts';
import type { Agenda } from '../../machine/agenda.ts';
import { Silence } from '../../machine/silence.ts';
import type { Notice } from '../../notices/notice.ts';
import type { InnerNetwork, PlainUser } from '../../plan/facts.ts';
import { endpointPassages } from '../../plan/nft/nft-endpoint-passage.ts';
import type { SlotClass } from '../../plan/tc.ts';
import type { Shape } from '../../stream/stream.ts';
import { type LimitBook, NO_LIMITS } from '../admission/limits.ts';
import { NO_USAGE, type Usage } from '../admission/usage.ts';
import type { Allowance } from '../allowance.ts';
import type { EndpointPassage, ResolverFault, Trouble } from '../delivery.ts';
import { type DrainState, SERVING } from '../fleet/drain.ts';
import type { EndpointIdentity, StoredHome } from '../identity.ts';
import { type Knocks, NO_KNOCKS } from '../knocks.ts';
import type { Refused } from './admission/admitting.ts';
import type { Tally } from './admission/counting.ts';
import type { Part } from './agenda.ts';
import { type EndpointClockState, UNKNOWN_CLOCK } from './clock-state.ts';

/** What never changes while the service runs. */
export interface Place {
  identity: EndpointIdentity;
  /** The user it runs as. */
  uid: number;
  certificatePath: string;
  keyPath: string;
  /** Of what signs homes' certificates. */
  authorityPath: string;
  /** Where OpenVPN finds a file for each home. */
  clientConfigDir: string;
  managementSocket: string;
  /** Whether it is one of several, which homes' profiles name as well. */
  isOfFleet: boolean;
  /** How late timers here are, in ms; null where that was not measured. */
  lateMs: number | null;
}

/** A home that is there. */
export interface Session {
  name: string;
  host: number;
  local: string;
  peer: string;
  inner: InnerNetwork;
  /** What it asked for its download. */
  shape: Shape;
  maxDelayMs: number;
  /** Slots that it asked to stand behind OpenVPN; null where it named no number. */
  standingSlots: number | null;
  version: string;
  /** Slots of it that came; null while they were not counted. */
  received: number | null;
  heardMs: number;
  /** Whether another machine uses its profile, too. */
  sharing: Sharing;
  /** A hello that is answered once what it asks for has come true; null for none. */
  unanswered: Hello | null;
  /** The stream to it as it was made last; null before. */
  standing: Shape | null;
  /** Since when it stands so; NEVER before. */
  standsSinceMs: number;
  /** Packets that its class has sent since then. */
  meter: SlotMeter;
  /** Packets that have left by its class in the clock behind OpenVPN. */
  clocked: SlotMeter;
  /** Seconds in a row in which those were too few. */
  clockDoubts: number;
  /** Its stream does not come to that clock: until then it is done without; 0 where it does. */
  unclockedUntilMs: number;
  /** So long an old verdict without faults stands, while that is measured anew. */
  settlesMs: number;
  /** When it was made again last, because it was found broken. */
  repairedMs: number;
  /** So often that has not helped, in a row. */
  repairs: number;
  /** Whether it may be sent to, as judged last. */
  open: boolean;
  /** Whether its frames may leave: it is open, and the queue stands. */
  gate: boolean;
}

/** What OpenVPN finds where it runs. */
export interface Reader {
  /** A folder above the homes' files that is closed to others; null where all are open. */
  closedFolder: string | null;
  /** Whether the kernel has IPv6. */
  isDualStack: boolean;
}

/** The queue on the tunnel's netdev. */
export interface Queue {
  /** Of the netdev it was made on. */
  index: number;
  /** Packets that each leaf holds. */
  limit: number;
  /** What may wait behind it. */
  ring: number;
}

/** A queue that is being made or changed. */
export interface Making {
  /** Null for one that stands. */
  queue: Queue | null;
  ring: number;
  classes: readonly SlotClass[];
  /** Whether any class comes or goes. */
  changes: boolean;
  /** Homes whose classes are made again beside those that stay. */
  remade: readonly number[];
}

export interface EndpointState extends Agenda<Part>, EndpointClockState, DrainState {
  readonly place: Place;
  phase: 'new' | 'running' | 'stopped';
  homes: readonly StoredHome[];
  sessions: readonly Session[];
  /** The newest hello of each home that was not taken yet. */
  waiting: readonly { host: number; hello: Hello; sharing: Sharing }[];
  /** How much of its pace each home has left to ask for other streams than it has. */
  wishes: ReadonlyMap<number, Allowance>;

  /** What homes are allowed. */
  limits: LimitBook;
  /** What of data went and came in this month, and when that was kept last. */
  usage: Usage;
  usageKeptMs: number;
  /** What other endpoints have counted. */
  elsewhere: Usage;
  /** What was counted of each home. */
  tallies: ReadonlyMap<number, Tally>;
  /** Homes that were refused lately, by host. */
  refusals: ReadonlyMap<number, Refused>;
  /** Homes that get less of their slots than was promised; null where all do. */
  short: Notice | null;
  /** Whether these are so many that nobody else is let in. */
  isServerShort: boolean;
  shortToldMs: number;

  /** Whom programs become that are root's at their start only; undefined before that was asked. */
  plainUser: PlainUser | null | undefined;
  /** Whether the endpoint has IPv6 to give; null before that was asked. */
  ipv6: boolean | null;
  /** Networks this machine is in. */
  near: readonly string[];
  reader: Reader | null;
  /** Homes whose files stand; null for none. */
  clients: readonly StoredHome[] | null;
  /** The configuration that OpenVPN was started with; null where it was not. */
  openvpn: string | null;
  /** Whether it was started before: what is logged of it differs. */
  wasStarted: boolean;
  /** Whether OpenVPN says that it runs, and whether its netdev was found. */
  isConnected: boolean;
  up: boolean;
  /** Index of the netdev that the sessions belong to; null before there was one. */
  tunnelIndex: number | null;
  hasPort: boolean;
  /** Index of the netdev towards the Internet since it has its addresses; null before. */
  portIndex: number | null;
  hasResolver: boolean;
  hasControl: boolean;

  /** Index of the tunnel's netdev when it was last asked for. */
  index: number | null;
  /** The queue as it was made; null when it has to be made. */
  queue: Queue | null;
  classes: readonly SlotClass[];
  /** When these came to be there. */
  classesSinceMs: number;
  /** Homes to whose streams something happened, 0 for all: they are made again, whatever is counted meanwhile. */
  distrusted: readonly number[];
  /** Homes whose class and stream are to be made again. */
  broken: readonly number[];
  /** What is being made: classes, in a queue that is made with them or, where it is null, in the one that stands. */
  made: Making | null;
  /** Homes whose classes were made again and whose streams were not yet. */
  remade: readonly number[];
  /** Streams that are being made. */
  madeStreams: readonly { host: number; shape: Shape }[];
  /** What paces the queue knows another one. */
  queueIsNew: boolean;

  /** Of when the newest report is, and how long there was none since. */
  reportedMs: number;
  silence: Silence;
  repairedMs: number;
  /** Since when nothing could be sent into the tunnel, when it was told last. */
  goneSinceMs: number;
  /** When OpenVPN was last started over because its netdev was gone. */
  replacedMs: number;
  /** Repairs of the whole queue in a row after which it was not in order. */
  repairs: number;
  /** When the netdev was last put up while no home was there. */
  raisedMs: number;
  /** When what others had altered was last put back. */
  putBackMs: number;
  /** How often what was made could not all be removed. */
  removals: number;
  /** What was judged last; null where all was in order. */
  fault: Notice | null;
  /** What could not be done; it is tried again. */
  failures: readonly { part: Part; fault: Notice }[];

  passages: Passages<EndpointPassage>;
  /** Chains of others that may drop what does not pass; null while everything does. */
  suspects: readonly ForeignChain[] | null;
  /** What keeps the resolver from listening, and since when; null where it listens. */
  resolver: { fault: ResolverFault; sinceMs: number } | null;
  uplinkMtu: number | null;
  /** When the resolver was started last. */
  resolverMs: number;
  /** When the way to the Internet was tried last. */
  triedMs: number;
  knocks: Knocks;
  /** Nothing comes to the port at which homes are to come; null where something does. */
  quiet: Notice | null;
  /** Why devices get nothing. */
  troubles: readonly Trouble[];
  /** What was found wrong with the machine when it was looked at last. */
  findings: readonly Notice[];
}

/** Before any other time. */
export const NEVER = Number.NEGATIVE_INFINITY;

/** Before anything was told or found. */
export function initialState(place: Place): EndpointState {
  return {
    place,
    phase: 'new',
    pending: [],
    running: null,
    homes: [],
    sessions: [],
    waiting: [],
    wishes: new Map(),
    limits: NO_LIMITS,
    usage: NO_USAGE,
    usageKeptMs: NEVER,
    elsewhere: NO_USAGE,
    tallies: new Map(),
    refusals: new Map(),
    short: null,
    isServerShort: false,
    shortToldMs: NEVER,
    ...SERVING,
    plainUser: undefined,
    ipv6: null,
    near: [],
    reader: null,
    clients: null,
    openvpn: null,
    wasStarted: false,
    isConnected: false,
    up: false,
    tunnelIndex: null,
    hasPort: false,
    portIndex: null,
    hasResolver: false,
    hasControl: false,
    index: null,
    queue: null,
    ...UNKNOWN_CLOCK,
    classes: [],
    classesSinceMs: NEVER,
    distrusted: [],
    broken: [],
    made: null,
    remade: [],
    madeStreams: [],
    queueIsNew: true,
    reportedMs: NEVER,
    silence: Silence.from(NEVER),
    repairedMs: NEVER,
    goneSinceMs: NEVER,
    replacedMs: NEVER,
    repairs: 0,
    raisedMs: NEVER,
    putBackMs: NEVER,
    removals: 0,
    fault: null,
    failures: [],
    passages: noPassages(endpointPassages),
    suspects: null,
    uplinkMtu: null,
    resolver: null,
    resolverMs: NEVER,
    triedMs: NEVER,
    knocks: NO_KNOCKS,
    quiet: null,
    troubles: [],
    findings: [],
  };
}
