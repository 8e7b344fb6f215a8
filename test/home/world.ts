// A home's machine room as far as the pure machine can see it: does its works, breaks in all the ways it judges by.
import { readFileSync } from 'node:fs';
import type { ActiveRate } from '../../src/core/config/schedule.ts';
import type { Welcome } from '../../src/core/control/message.ts';
import { type House, NO_HOUSE } from '../../src/core/home/home-facts.ts';
import type { Done, HomeEvent, Work } from '../../src/core/home/machine/events.ts';
import { type DesiredState, NOTHING_NEAR } from '../../src/core/home/machine/state.ts';
import { type Notice, notice } from '../../src/core/notices/notice.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { ALIVE_SECONDS } from '../../src/core/plan/names.ts';
import { homePassages } from '../../src/core/plan/nft/nft-passage.ts';
import type { ClockedWay } from '../../src/core/plan/outer-clock.ts';
import type { TcListing } from '../../src/core/plan/tc-listing.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { caseConfig } from '../plan/cases.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

const reader = new TcListingReader();
const readListing = (...names: string[]): TcListing => {
  const texts = names.map((name) => readFileSync(`test/fixtures/tc/${name}.txt`, 'utf8'));
  for (const line of texts.join('').split('\n')) reader.push(line);
  return reader.take();
};
const goodListing = readListing('home');
const { clock: clockListing } = readListing('clock', 'home');
const [goodClass] = goodListing.classes;
const [root, leaf] = goodListing.qdiscs;

const verdict = checkProfile(readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8'), pemReader);
if (!verdict.ok) throw new Error('the fixture is no profile');
const { profile } = verdict;

const config = caseConfig('default');

/** A configuration with a network of devices, at this rate; another object each time, as a reload makes one. */
export function desired(rateKBps = 40): DesiredState {
  const rate: ActiveRate = { uploadKBps: rateKBps, downloadKBps: rateKBps, source: 'main.rate' };
  return { config: { ...config }, profile, rate };
}

export const welcome: Welcome = {
  kind: 'welcome',
  homeNonce: '',
  endpointNonce: '',
  sequence: 1,
  version: '1',
  inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
  queuePackets: 0,
  queueMs: 0,
  dropped: 0,
  received: null,
  troubles: [],
  wholeBytes: null,
};

/** What the queue looks like when somebody has been at it. */
export const brokenQueues: Record<string, TcListing> = {
  unreadable: { classes: [], qdiscs: [] },
  replaced: { classes: [], qdiscs: [{ ...root!, kind: 'fq_codel', handle: '0:' }] },
  'with a foreign class': { ...goodListing, classes: [goodClass!, { ...goodClass!, id: '1:77' }] },
  'without its class': { ...goodListing, classes: [] },
  'with another leaf': { ...goodListing, qdiscs: [root!, { ...leaf!, kind: 'sfq' }] },
};

/** What can be wrong with the world, by what the machine would see of it. */
export interface Faults {
  queue: keyof typeof brokenQueues | null;
  rulesChanged: boolean;
  tunnelDown: boolean;
  /** Share of the slots asked that leave, and that come. */
  sendShare: number;
  receiveShare: number;
  endpointSilent: boolean;
  /** What shapes tells nothing of itself any more. */
  shaperDead: boolean;
  /** Devices' packets leave by a way of somebody else's and are stopped there. */
  astray: boolean;
  foreignRule: boolean;
  networkGone: boolean;
}

export const NO_FAULTS: Faults = {
  queue: null,
  rulesChanged: false,
  tunnelDown: false,
  sendShare: 1,
  receiveShare: 1,
  endpointSilent: false,
  shaperDead: false,
  astray: false,
  foreignRule: false,
  networkGone: false,
};

/** The world, of which the machine learns by its events and by how its works end. */
export class World {
  nowMs = 1_000_000;
  faults: Faults = NO_FAULTS;
  rate = desired().rate;
  gateIsOpen = false;
  /** Until when the firewall lets devices through; the past for not at all. */
  allowedUntilMs = Number.NEGATIVE_INFINITY;
  #table: string | null = null;
  #queueStands = false;
  #streams = false;
  #sent = 0;
  #received = 0;
  #astray = 0;
  #heardMs = Number.NEGATIVE_INFINITY;
  #streamsSinceMs = Number.POSITIVE_INFINITY;
  /** How long other than as many slots as asked have left. */
  #wrongForMs = 0;
  /** Whether what shapes has reported since its queue was made. */
  isListed = false;
  index = 7;
  /** By which the endpoint is reached, and why no clock can stand there. */
  way: House['way'] = null;
  clockFault: Notice | null = null;
  /** Nothing leads to the clock any more. */
  chainsLost = false;
  wholeBytes: number | null = null;
  #clock: ClockedWay | null = null;
  #clocked = 0;
  /** OpenVPN was started and is about to connect. */
  isConnecting = false;

  /** Whether a device's packet would get out now. */
  get devicesMaySend(): boolean {
    return this.#table !== null && this.nowMs < this.allowedUntilMs;
  }

  /** Since when slots leave, as many as were asked for but for a moment. */
  get streamsForMs(): number {
    return this.nowMs - this.#streamsSinceMs;
  }

  /** Whether the endpoint has answered these sockets. */
  get isHeard(): boolean {
    return this.#heardMs > Number.NEGATIVE_INFINITY;
  }

  get hasTable(): boolean {
    return this.#table !== null;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const slots = ((this.rate.uploadKBps * 1000) / 512) * (ms / 1000);
    const { sendShare, receiveShare, tunnelDown, endpointSilent } = this.faults;
    this.#wrongForMs = sendShare === 1 ? 0 : this.#wrongForMs + ms;
    if (this.#wrongForMs > 1500) this.#streamsSinceMs = this.nowMs;
    if (!tunnelDown && this.#streams) this.#sent += slots * sendShare;
    if (!tunnelDown && this.#streams && this.#clock) this.#clocked += slots * sendShare;
    if (!tunnelDown && this.#streams) this.#received += slots * receiveShare;
    if (!tunnelDown && !endpointSilent && this.#streams) this.#heardMs = this.nowMs;
    if (this.faults.astray) this.#astray += 1;
  }

  /** What shapes tells once a second; null where it is dead or has nothing to do. */
  report(): HomeEvent {
    const isAlive = this.#streams && !this.faults.shaperDead;
    const { queue } = this.faults;
    if (isAlive) this.isListed = true;
    const listed = queue === null ? goodListing : brokenQueues[queue]!;
    const listing = { ...listed, ...this.#listClock() };
    return {
      kind: 'second',
      listing: isAlive ? listing : null,
      takenMs: isAlive ? this.nowMs : null,
    };
  }

  #listClock(): Pick<TcListing, 'clock'> {
    if (!this.#clock) return {};
    const packets = Math.floor(this.#clocked);
    const classes = clockListing!.classes.map((one) => ({ ...one, packets }));
    return { clock: { ...clockListing!, classes } };
  }

  /** Does a work; makes whole what that makes whole. */
  do(work: Work): Done | Extract<HomeEvent, { kind: 'failed' }> {
    const done = (found?: unknown): Done =>
      ({ kind: 'done', part: work.part, ...(found === undefined ? {} : { found }) }) as Done;
    const permit = (commands: string): void => {
      if (commands !== '') this.allowedUntilMs = this.nowMs + ALIVE_SECONDS * 1000;
    };
    switch (work.part) {
      case 'forbid':
        this.allowedUntilMs = Number.NEGATIVE_INFINITY;
        return done();
      case 'permit':
        permit(work.permits);
        return done();
      case 'look':
        if (this.#table !== null) permit(work.permits);
        return done({
          takenMs: this.nowMs,
          rulesIntact: this.#table !== null && !this.faults.rulesChanged,
          chains: work.chains
            ? { intact: !this.chainsLost, ledPackets: Math.floor(this.#clocked) }
            : null,
          astray: this.#astray,
          resolvers: [],
          senders: [],
          redirected: [],
          sentPackets: this.faults.tunnelDown ? null : Math.floor(this.#sent),
          receivedPackets: this.faults.tunnelDown ? null : Math.floor(this.#received),
          answerSilentMs: this.nowMs - this.#heardMs,
          ...{ config: work.config, rate: this.rate },
          passages: noCounts,
          chance: 0.5,
          smallerBytes: null,
        });
      case 'chains':
        return done({ intact: !this.chainsLost, ledPackets: Math.floor(this.#clocked) });
      case 'rules':
      case 'restore':
        // Those that are loaded already are not loaded again, unless that is asked for.
        if (work.part === 'restore' || work.again || work.table !== this.#table)
          this.faults = { ...this.faults, rulesChanged: false };
        if (work.part === 'rules') this.#table = work.table;
        permit(work.permits);
        return done();
      case 'user':
        return done(null);
      case 'house':
        return done({
          ...NO_HOUSE,
          way: this.way,
          wholeBytes: this.wholeBytes,
          networkFindings: this.faults.networkGone ? [networkGone] : [],
        });
      case 'near':
        return done(NOTHING_NEAR);
      case 'routes':
        return done(
          this.faults.foreignRule
            ? notice('route-elsewhere', { netdev: 'wg0', preference: 721 })
            : null,
        );
      case 'clock':
        this.#clock = this.clockFault === null ? work.way : null;
        this.chainsLost = false;
        return done(work.way && this.clockFault);
      case 'suspects':
        return done([]);
      case 'connect':
      case 'index':
        return done(this.faults.tunnelDown ? null : this.index);
      case 'queue':
        if (work.slots !== null) {
          this.#queueStands = true;
          this.faults = { ...this.faults, queue: null };
          this.isListed = false;
        }
        return done();
      case 'streams':
        if (!this.#queueStands)
          return {
            kind: 'failed',
            part: work.part,
            fault: notice('openvpn-stopped', { why: 'no queue' }),
          };
        if (!this.#streams) this.#streamsSinceMs = this.nowMs;
        this.#streams = true;
        if (work.fresh) this.faults = { ...this.faults, shaperDead: false, sendShare: 1 };
        return done();
      case 'openvpn':
        this.isConnecting = true;
        return done();
      case 'remove':
        this.#table = work.shut;
        this.closeTunnel();
        return done();
      default:
        return done();
    }
  }

  /** The tunnel's netdev went, or its sockets were closed: nothing flows until they are made again. */
  closeTunnel(): void {
    this.#streams = false;
    this.#streamsSinceMs = Number.POSITIVE_INFINITY;
    this.#heardMs = Number.NEGATIVE_INFINITY;
    this.#queueStands = false;
  }
}

const noCounts = Object.fromEntries(homePassages.map((name) => [name, { entered: 0, left: 0 }]));

const networkGone = {
  ...notice('network-gone', { path: 'iotshaper.@network[0].device', netdev: 'br-iot' }),
  section: '@network[0]',
  blocks: true,
};
