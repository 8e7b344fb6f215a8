// Plays an endpoint's machine: events go in, its work is done or fails, and what must always hold is checked at each step.
import type { ExecutionContext } from 'ava';
import type { Hello } from '../../src/core/control/message.ts';
import { ALONE, type Sharing } from '../../src/core/control/sharing.ts';
import type { ForeignChain } from '../../src/core/delivery/foreign-chains.ts';
import type { PassageCount } from '../../src/core/delivery/passage.ts';
import { type LimitBook, NO_LIMITS } from '../../src/core/endpoint/admission/limits.ts';
import { NO_USAGE, type Usage } from '../../src/core/endpoint/admission/usage.ts';
import type { EndpointPassage, ResolverFault } from '../../src/core/endpoint/delivery.ts';
import type { HomeConnection } from '../../src/core/endpoint/fleet/drain.ts';
import type { EndpointIdentity, StoredHome } from '../../src/core/endpoint/identity.ts';
import { judgeEndpoint } from '../../src/core/endpoint/judgement.ts';
import type { PlacedHome } from '../../src/core/endpoint/machine/clock-state.ts';
import type { Act, Done, EndpointEvent, Work } from '../../src/core/endpoint/machine/events.ts';
import { type EndpointState, initialState } from '../../src/core/endpoint/machine/state.ts';
import { step } from '../../src/core/endpoint/machine/step.ts';
import type { ListedLink } from '../../src/core/endpoint/surroundings.ts';
import { isAsked } from '../../src/core/machine/agenda.ts';
import type { ByteCount } from '../../src/core/netlink/nft-messages.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';
import { CLOCK_HANDLE, STRAY_CLASS_MINOR } from '../../src/core/plan/names.ts';
import { endpointPassages } from '../../src/core/plan/nft/nft-endpoint-passage.ts';
import { type ClockChains, clockLeaf } from '../../src/core/plan/outer-clock.ts';
import { clockClasses, spacerLeaf } from '../../src/core/plan/spacers.ts';
import { classId, leafHandle } from '../../src/core/plan/tc.ts';
import type { QueueListing, TcListing } from '../../src/core/plan/tc-listing.ts';
import { type Shape, slotsPerSecond } from '../../src/core/stream/stream.ts';

/** An endpoint that has allowed and counted nothing. */
export const FREE = { limits: NO_LIMITS, usage: NO_USAGE, drained: null, elsewhere: NO_USAGE };
/** Bytes of what each class sends, whatever is asked for. */
const BYTES = 512;

export const shape: Shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 };

export const identity: EndpointIdentity = {
  host: 'endpoint.example',
  port: 1194,
  tunnelNet: '10.213.0',
  innerNet: '10.214',
  innerNet6: 'fd12:3456:789a',
};

export function stored(host: number, key = `key ${host}`): StoredHome {
  const name = `home${host}`;
  return { name, host, commonName: `${name}.${key}`, fingerprint: `AA:${key}`, controlKey: key };
}

export function noCounts(): Record<EndpointPassage, PassageCount> {
  const counts = endpointPassages.map((name) => [name, { entered: 0, left: 0 }]);
  return Object.fromEntries(counts) as Record<EndpointPassage, PassageCount>;
}

export function peerOf(host: number): string {
  return `${identity.tunnelNet}.${host}`;
}

type WorkOf<P extends Work['part']> = Extract<Work, { part: P }>;

/** How a second differs from one in good order. */
interface Second {
  /** Of what classes are asked to send; for some homes another one. */
  share?: number;
  shares?: Record<number, number>;
  /** Null where tc was not asked. */
  listing?: Partial<TcListing> | null;
  agoMs?: number;
  /** How long tc took to answer. */
  heardAfterMs?: number;
}

/** One endpoint, with what its shell would hold. */
export class Play {
  readonly #t: ExecutionContext;
  state: EndpointState = initialState({
    identity,
    uid: 0,
    certificatePath: '/endpoint.crt',
    authorityPath: '/homes-ca.crt',
    keyPath: '/endpoint.key',
    clientConfigDir: '/run/homes',
    managementSocket: '/run/openvpn.sock',
    isOfFleet: true,
    lateMs: null,
  });
  nowMs = 0;
  /** Everything that was asked for so far. */
  acts: Act[] = [];
  parts: string[] = [];
  work: Work | null = null;
  /** What is found from now on. */
  index: number | null = 7;
  homes: readonly StoredHome[] = [];
  ipv6 = false;
  rulesIntact = true;
  passages: Record<EndpointPassage, PassageCount> = noCounts();
  received = new Map<string, ByteCount>();
  limits: LimitBook = NO_LIMITS;
  usage: Usage = NO_USAGE;
  drained: string | null = null;
  elsewhere: Usage = NO_USAGE;
  /** By the number of each connection. */
  connections: readonly HomeConnection[] | null = [];
  suspects: ForeignChain[] = [];
  resolver: ResolverFault | null = null;
  closedFolder: string | null = null;
  near: readonly string[] = [];
  places: readonly PlacedHome[] | null = null;
  /** Whether what OpenVPN sends comes to the clock. */
  isLed = true;
  clockRefused: Notice | null = null;
  chains: ClockChains | null = null;
  portIndex: number | null = 5;
  links: readonly ListedLink[] | null = null;
  switchedOff: string[] = [];
  knocks = 0;
  hasPlainUser = true;
  /** Links that let frames leave, and homes that were last judged without a fault. */
  readonly gates = new Set<number>();
  #judged = new Set<number>();
  /** Packets sent by the classes there are. */
  readonly classes = new Map<number, number>();
  /** The same of those behind OpenVPN; null where there is no such clock. */
  clockClasses: Map<number, number> | null = null;
  /** Whether packets would be held back now. */
  #queueStands = false;
  #streams: WorkOf<'streams'>['streams'] = [];
  /** As it was loaded last. */
  table = '';
  #sequence = 0;

  constructor(t: ExecutionContext) {
    this.#t = t;
  }

  tell(event: EndpointEvent): void {
    // Cover that is about to be made anew may be refused.
    const isNone =
      event.kind === 'fault' &&
      event.fault.code === 'cover-unsent' &&
      isAsked({ state: this.state }, 'streams');
    if (event.kind === 'fault' && !isNone) {
      if (event.minor === 0) this.#judged.clear();
      this.#judged.delete(event.minor);
    }
    if (event.kind === 'openvpn-exited') this.#judged.clear();
    const now = { monotonicMs: this.nowMs, unixS: Math.floor(this.nowMs / 1000) };
    const { phase } = this.state;
    const result = step(this.state, event, now, (evidence) => {
      const verdict = judgeEndpoint(evidence);
      this.#judged = new Set(verdict.open);
      return verdict;
    });
    this.state = result.state;
    for (const act of result.acts) this.#act(act, phase);
    if (result.work) this.#begin(result.work);
    for (const { host, gate } of this.state.sessions) this.#t.is(gate, this.gates.has(host));
  }

  /** Ends what is being done as asked, with what is found. */
  done(): void {
    const { work } = this;
    if (!work) throw new Error('nothing is being done');
    this.work = null;
    this.#apply(work);
    this.tell({ kind: 'done', part: work.part, found: this.#find(work) } as Done);
  }

  fail(): void {
    const { work } = this;
    if (!work) throw new Error('nothing is being done');
    this.work = null;
    if (work.part === 'queue' || work.part === 'streams') this.#queueStands = false;
    const fault = notice('unexpected-error', { error: `${work.part} failed` });
    this.tell({ kind: 'failed', part: work.part, fault });
  }

  /** Does what comes before that part, which is begun then. */
  doUntil(part: Work['part']): void {
    while (this.work?.part !== part) this.done();
  }

  /** Does all there is to do; returns the parts in their order, but for what is asked each second. */
  settle(): string[] {
    const before = this.parts.length - (this.work ? 1 : 0);
    for (let count = 0; this.work; count++) {
      if (count > 200) throw new Error(`never done: ${this.parts.slice(-20).join(' ')}`);
      this.done();
    }
    // Where homes are is asked all the time.
    return this.parts.slice(before).filter((part) => part !== 'places');
  }

  hello(host: number, download: Shape = shape, maxDelayMs = 5000, sharing: Sharing = ALONE): Hello {
    const sequence = ++this.#sequence;
    const hello: Hello = {
      ...{ kind: 'hello', homeNonce: '01', endpointNonce: '02', sequence, version: '1' },
      ...{ download, maxDelayMs, standingSlots: null },
    };
    this.tell({ kind: 'hello', host, hello, sharing });
    return hello;
  }

  /** Lets a second pass in which each class sends what it is asked to, and reports it as it was `agoMs` before. */
  second(change: Second = {}): void {
    this.nowMs += 1000;
    for (const { host, shape: own } of this.#streams) {
      const packets = slotsPerSecond(own) * (change.shares?.[host] ?? change.share ?? 1);
      if (this.classes.has(host)) this.classes.set(host, this.classes.get(host)! + packets);
      const clocked = this.clockClasses?.get(host);
      if (clocked !== undefined && this.isLed) this.clockClasses?.set(host, clocked + packets);
    }
    const isListed = this.#streams.length > 0 && change.listing !== null;
    const listing = isListed ? { ...this.listing(), ...change.listing } : null;
    const takenMs = this.nowMs - (change.agoMs ?? 0);
    const heardMs = takenMs + (change.heardAfterMs ?? 0);
    this.tell({ kind: 'second', report: { listing, takenMs, heardMs } });
  }

  silentSecond(): void {
    this.nowMs += 1000;
    this.tell({ kind: 'second', report: null });
  }

  /** The queue as tc would list it. */
  listing(): TcListing {
    const homes = [...this.classes];
    return {
      ...(this.clockClasses ? { clock: this.#clockListing(this.clockClasses) } : {}),
      qdiscs: [
        { kind: 'htb', handle: '1:', parent: 'root' },
        ...homes.map(([minor]) => ({
          ...{ kind: 'pfifo_fast', handle: leafHandle(minor), parent: classId(minor) },
        })),
      ],
      classes: [
        { id: classId(STRAY_CLASS_MINOR), leaf: null, packets: 0, bytes: 0, backlogPackets: 0 },
        ...homes.map(([minor, packets]) => ({
          ...{
            id: classId(minor),
            leaf: leafHandle(minor),
            packets,
            bytes: packets * BYTES,
            backlogPackets: 0,
          },
        })),
      ],
    };
  }

  #clockListing(classes: ReadonlyMap<number, number>): QueueListing {
    const homes = [...classes].map(([minor, packets]) => ({
      ...{
        id: classId(minor, CLOCK_HANDLE),
        leaf: clockLeaf(minor),
        packets,
        bytes: packets * BYTES,
        backlogPackets: 2,
      },
    }));
    const none = { packets: 0, bytes: 0, backlogPackets: 0 };
    const stray = STRAY_CLASS_MINOR;
    const strays = { id: classId(stray, CLOCK_HANDLE), leaf: clockLeaf(stray), ...none };
    const others = [stray, ...classes.keys()].flatMap((minor) => {
      const { whole, spacers } = clockClasses(minor);
      return [
        { id: whole, leaf: null, ...none },
        { id: spacers, leaf: spacerLeaf(minor), ...none },
      ];
    });
    const all = [strays, ...homes, ...others];
    return {
      qdiscs: [
        { kind: 'htb', handle: CLOCK_HANDLE, parent: 'root' },
        ...all.flatMap(({ id, leaf }) =>
          leaf === null ? [] : [{ kind: 'pfifo', handle: leaf, parent: id }],
        ),
      ],
      classes: all,
    };
  }

  /** Acts since the last call, as short words. */
  take(): string[] {
    return this.acts.splice(0).flatMap((act) => {
      if (act.do === 'try-forward' || act.do === 'keep-usage') return [];
      if (act.do === 'log') return act.notice.code;
      if (act.do === 'gate') return `${act.open ? 'open' : 'shut'} ${act.host}`;
      if (act.do === 'send-on') return `send-on ${act.connection}`;
      return `${act.do === 'close-session' ? 'close' : act.do} ${act.host}`;
    });
  }

  /** An endpoint whose tunnel is up, with these homes there and open; it may know more, and where homes are. */
  static serving(
    t: ExecutionContext,
    hosts: readonly number[],
    known: Partial<Pick<Play, 'homes' | 'places' | 'limits' | 'usage'>> = {},
  ): Play {
    const play = Object.assign(new Play(t), { homes: hosts.map((host) => stored(host)) }, known);
    const { homes, limits, usage, drained, elsewhere } = play;
    play.tell({ kind: 'start', homes, limits, usage, drained, elsewhere });
    play.settle();
    play.tell({ kind: 'openvpn', name: 'CONNECTED' });
    play.settle();
    for (const host of hosts) play.hello(host);
    play.settle();
    for (let count = 0; count < 4; count++) {
      play.second();
      play.settle();
    }
    t.deepEqual([...play.gates].sort(), [...hosts]);
    play.take();
    return play;
  }

  #act(act: Act, phase: EndpointState['phase']): void {
    const t = this.#t;
    this.acts.push(act);
    if (phase === 'stopped')
      t.is(act.do, 'log', 'after the end there is nothing to do but to tell');
    if (act.do === 'close-session') {
      this.gates.delete(act.host);
      this.#judged.delete(act.host);
    }
    if (act.do === 'gate' && !act.open) this.gates.delete(act.host);
    if (act.do === 'gate' && act.open) {
      t.true(this.#judged.has(act.host), `home ${act.host} was judged good`);
      t.true(this.#queueStands, 'something holds packets back');
      this.gates.add(act.host);
    }
    if (act.do === 'welcome') {
      const rule = new RegExp(
        `daddr \\{[^}]* ${act.peer}[ ,][^}]*\\} meta skuid 0 meta length <= (\\d+) udp dport 20459 `,
      );
      t.is(Number(rule.exec(this.table)?.[1]), act.packetBytes, 'the answer has a slot’s size');
    }
  }

  #begin(work: Work): void {
    const t = this.#t;
    t.is(this.work, null, 'one thing at a time');
    if (this.state.phase === 'stopped') t.is(work.part, 'remove');
    this.work = work;
    this.parts.push(work.part);
    if ('permits' in work) {
      for (const [, host] of work.permits.matchAll(/10\.213\.0\.(\d+)/g)) {
        t.true(this.#judged.has(Number(host)), `home ${host} may be sent to`);
        t.true(this.state.sessions.some((session) => session.host === Number(host)));
      }
    }
    if (work.part === 'queue' && work.rebuild) {
      t.is(this.gates.size, 0, 'nobody sends while nothing holds packets back');
      this.#queueStands = false;
    }
    if (work.part === 'openvpn') {
      t.is(this.gates.size, 0);
      this.#judged.clear();
    }
    if (work.part === 'streams') {
      for (const { host } of work.streams) t.true(this.classes.has(host), `${host} has a class`);
    }
  }

  #apply(work: Work): void {
    if (work.part === 'queue') {
      if (work.rebuild) this.classes.clear();
      for (const { minor } of work.gone) this.classes.delete(minor);
      for (const { minor } of work.come) this.classes.set(minor, 0);
    }
    if (work.part === 'clock') {
      const { clock, rebuild, gone, come } = work;
      if (rebuild) this.clockClasses = clock && !this.clockRefused ? new Map() : null;
      for (const minor of gone) this.clockClasses?.delete(minor);
      const made = rebuild ? (clock?.classes ?? []) : come;
      for (const { minor } of made) this.clockClasses?.set(minor, 0);
      if (rebuild || work.rules === 'chains') this.isLed = true;
    }
    if (work.part === 'rules') this.table = work.table;
    if (work.part === 'streams') {
      this.#streams = work.streams;
      this.#queueStands = true;
    }
  }

  #find(work: Work): unknown {
    const found: Partial<Record<Work['part'], unknown>> = {
      ...{
        connect: this.index,
        index: this.index,
        homes: {
          homes: this.homes,
          limits: this.limits,
          drained: this.drained,
          elsewhere: this.elsewhere,
        },
        connections: this.connections,
        ipv6: this.ipv6,
      },
      user: this.hasPlainUser ? { user: 'nobody', group: 'nogroup' } : null,
      clients: { closedFolder: this.closedFolder, isDualStack: true },
      look: {
        takenMs: this.nowMs,
        rulesIntact: this.rulesIntact,
        passages: this.passages,
        received: this.received,
        resolver: this.resolver,
        uplinkMtu: null,
        links: this.links,
        switchedOff: this.switchedOff,
        knocks: this.knocks,
      },
      suspects: this.suspects,
      restore: { restored: true },
      remove: { forgotten: true },
      near: this.near,
      places: this.places,
      clock: this.clockRefused,
      chains: this.chains,
      netdev: this.portIndex,
    };
    return found[work.part];
  }
}
