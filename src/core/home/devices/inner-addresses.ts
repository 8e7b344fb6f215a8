// Gives each device's address an inner address of its own, and keeps it there: a pure state machine over what the router sees.
import type { Config } from '../../config/types.ts';
import { addressIn, ipVersion, lowPart, networkOf } from '../../ip/address.ts';
import { holds } from '../../ip/within.ts';
import type { FollowedDevice, InnerPlace, InnerPlaces } from '../../plan/facts.ts';
import { SHARED_LOW4, SHARED_LOW6 } from '../../plan/names.ts';
import { isFresh, isLinkLocal, isUsable, singleAddresses } from './device-owners.ts';
import type { Neighbour } from './device-table.ts';
import type { Lease } from './leases.ts';

/** What the router sees at one moment. */
export interface InnerSight {
  config: Config;
  /** Prefixes that configured networks have now. */
  networkPrefixes: readonly string[];
  neighbours: readonly Neighbour[];
  leases: readonly Lease[];
  followed: readonly FollowedDevice[];
  /** Addresses that have sent something towards the tunnel within the last hour. */
  senders: readonly string[];
  /** Hardware and IP addresses of the router itself. */
  own: ReadonlySet<string>;
  /** Of a clock that never jumps. */
  nowMs: number;
}

/** Before anything was seen. */
export const NO_PLACES: InnerPlaces = { block4: null, block6: null, places: [] };

/** Inner IPv4 addresses that devices may have to themselves: .1 to .253 of their home's /24, and .254 for one that has it. */
export const MOST_PLACES4 = 253;
/** A bound of the work; the space itself is a /64. */
const MOST_PLACES6 = 1024;
/** All of a family that are remembered, those that share among them. */
const MOST_KNOWN = 2048;
/** Silent for so long, an address gives its place to one that has none. */
const SILENT_MS = 3600_000;
/** Not seen for so long, an address is forgotten: no connection of it is left. */
const FORGET_MS = 24 * 3600_000;

interface Known {
  address: string;
  low: string;
  hasShared: boolean;
  sentMs: number;
  seenMs: number;
}

/**
 * An address keeps its low part where that is free, else it gets the next that is; so the map agrees with what a
 * translation by low parts does, and connections go on when one takes the other's place. Whoever has a place keeps it until
 * it was silent for an hour and another has none. Addresses that find none share {@link SHARED_LOW4}: they are shaped as all
 * are, but can't be told apart.
 */
export class InnerAddresses {
  #families: readonly [Family, Family];
  #blocks: Pick<InnerPlaces, 'block4' | 'block6'> = NO_PLACES;

  /** @param kept places from an earlier run, whose connections may go on. */
  constructor(kept: readonly InnerPlace[] = [], nowMs = 0) {
    this.#families = [
      new Family(4, MOST_PLACES4, kept, nowMs),
      new Family(6, MOST_PLACES6, kept, nowMs),
    ];
  }

  get places(): InnerPlaces {
    const places = this.#families.flatMap(({ places }) => places);
    return { ...this.#blocks, places };
  }

  /** Takes in what is seen now; returns who has which inner address. */
  observe(sight: InnerSight): InnerPlaces {
    const { nowMs } = sight;
    const senders = sight.senders.filter(isPlaceable);
    const known = knownAddresses(sight);
    const ranges = rangesOf(sight);
    const [four, six] = this.#families;
    four.observe(senders, known, nowMs);
    six.observe(senders, known, nowMs);
    this.#blocks = { block4: four.blockOf(ranges), block6: six.blockOf(ranges) };
    return this.places;
  }
}

/** The addresses of one family. */
class Family {
  readonly #version: 4 | 6;
  readonly #most: number;
  readonly #shared: string;
  readonly #known = new Map<string, Known>();
  /** Who has a low part to itself. */
  readonly #owners = new Map<string, Known>();

  constructor(version: 4 | 6, most: number, kept: readonly InnerPlace[], nowMs: number) {
    this.#version = version;
    this.#most = most;
    this.#shared = version === 4 ? SHARED_LOW4 : SHARED_LOW6;
    for (const { address, low, hasShared } of kept) {
      if (ipVersion(address) !== version || this.#owners.has(low)) continue;
      this.#set({ address, low, hasShared, sentMs: nowMs, seenMs: nowMs });
    }
  }

  get places(): InnerPlace[] {
    return [...this.#known.values()].map(({ address, low, hasShared }) => ({
      address,
      low,
      hasShared,
    }));
  }

  observe(senders: readonly string[], known: readonly string[], nowMs: number): void {
    const ours = (list: readonly string[]) =>
      list.filter((address) => ipVersion(address) === this.#version);
    for (const address of ours(known)) this.#see(address, nowMs, false);
    for (const address of ours(senders)) this.#see(address, nowMs, true);
    for (const one of this.#known.values()) {
      if (nowMs - one.seenMs > FORGET_MS) this.#forget(one);
    }
    for (const address of ours(senders)) {
      const had = this.#known.get(address);
      if (had && had.low !== this.#shared) continue;
      const low = this.#free(address) ?? this.#reclaim(nowMs) ?? this.#shared;
      this.#add(address, low, nowMs, nowMs);
    }
    // Ahead of time, so that their first packets are not held; but nobody has to go for them.
    for (const address of ours(known)) {
      const low = this.#known.has(address) ? null : this.#free(address);
      if (low !== null) this.#add(address, low, Number.NEGATIVE_INFINITY, nowMs);
    }
  }

  /** The block that all of these ranges and addresses are in, if each address in it has its own low part. */
  blockOf(ranges: readonly string[]): string | null {
    const length = this.#version === 4 ? 24 : 64;
    const known = [...this.#known.values()];
    const cidrs = [
      ...ranges.filter((cidr) => cidr.includes(':') === (this.#version === 6)),
      ...known.map(({ address }) => `${address}/${this.#version === 4 ? 32 : 128}`),
    ];
    const blocks = new Set(
      cidrs.map((cidr) => {
        const [address = '', own] = cidr.split('/');
        return Number(own) < length ? null : networkOf(address, length);
      }),
    );
    const [block = null, ...others] = blocks;
    const isKept = known.every(({ address, low }) => low === lowPart(address));
    return others.length === 0 && isKept ? block : null;
  }

  #see(address: string, nowMs: number, hasSent: boolean): void {
    const known = this.#known.get(address);
    if (!known) return;
    known.seenMs = nowMs;
    if (hasSent) known.sentMs = nowMs;
  }

  #add(address: string, low: string, sentMs: number, seenMs: number): void {
    const had = this.#known.get(address);
    const hasShared = [had?.low, low, lowPart(address)].includes(this.#shared);
    this.#set({ address, low, hasShared, sentMs, seenMs });
  }

  #set(known: Known): void {
    this.#known.set(known.address, known);
    if (known.low !== this.#shared) this.#owners.set(known.low, known);
    if (this.#known.size > MOST_KNOWN) {
      this.#forget([...this.#known.values()].reduce((a, b) => (b.seenMs < a.seenMs ? b : a)));
    }
  }

  #forget(known: Known): void {
    this.#known.delete(known.address);
    if (this.#owners.get(known.low) === known) this.#owners.delete(known.low);
  }

  /** A low part that nobody has, its own if it can be. */
  #free(address: string): string | null {
    if (this.#owners.size >= this.#most) return null;
    const own = lowPart(address);
    if (this.#isFree(own)) return own;
    const from = this.#version === 4 ? Number(own.split('.')[3]) : 0;
    for (let step = 0; ; step++) {
      const low =
        this.#version === 4
          ? `0.0.0.${((from + step) % MOST_PLACES4) + 1}`
          : addressIn('::/64', `::${(1 + step).toString(16)}`);
      if (this.#isFree(low)) return low;
    }
  }

  #isFree(low: string): boolean {
    return low !== this.#shared && !this.#owners.has(low);
  }

  /** Takes a place from who was silent for longest, where that is long enough. */
  #reclaim(nowMs: number): string | null {
    if (this.#owners.size === 0) return null;
    const oldest = [...this.#owners.values()].reduce((a, b) => (b.sentMs < a.sentMs ? b : a));
    if (nowMs - oldest.sentMs < SILENT_MS) return null;
    this.#forget(oldest);
    return oldest.low;
  }
}

/** Whether anybody who sends has no place yet, so that it is held. */
export function hasNewcomer(senders: readonly string[], { places }: InnerPlaces): boolean {
  if (senders.length === 0) return false;
  const placed = new Set(places.map(({ address }) => address));
  return senders.some((address) => !placed.has(address) && isPlaceable(address));
}

/** Addresses that share an inner one, because more have sent something than there are. */
export function sharersOf({ places }: InnerPlaces): string[] {
  return places
    .filter(({ low }) => low === SHARED_LOW4 || low === SHARED_LOW6)
    .map(({ address }) => address);
}

/** Finds whose an inner address is; null where nobody's alone. */
export function ownersOf({
  block4,
  block6,
  places,
}: InnerPlaces): (inner: string) => string | null {
  const owners = new Map<string, string>();
  for (const { address, low } of places) owners.set(low, address);
  return (inner) => {
    const low = lowPart(inner);
    const block = inner.includes(':') ? block6 : block4;
    if (block !== null) return addressIn(block, low);
    return low === SHARED_LOW4 || low === SHARED_LOW6 ? null : (owners.get(low) ?? null);
  };
}

/** No answer finds its way back to a link-local one. */
function isPlaceable(address: string): boolean {
  return ipVersion(address) !== 0 && !isLinkLocal(address);
}

/** Addresses that devices are known to have, those that answer first. */
function knownAddresses(sight: InnerSight): string[] {
  const { config, networkPrefixes, neighbours, leases, followed, own } = sight;
  const netdevs = new Set(config.networks.map(({ device }) => device));
  const shaped = config.devices.filter(({ policy }) => policy === 'shape');
  const prefixes = shaped.flatMap(({ ip }) => ip);
  const near = neighbours.filter(
    (one) =>
      isUsable(one) && (netdevs.has(one.dev) || prefixes.some((prefix) => holds(prefix, one.dst))),
  );
  const sections = new Set(shaped.map(({ section }) => section));
  const known = [
    ...near.filter(isFresh).map(({ dst }) => dst),
    ...shaped.flatMap(singleAddresses),
    ...followed.filter(({ section }) => sections.has(section)).flatMap((one) => one.addresses),
    ...near.map(({ dst }) => dst),
    ...leases
      .map(({ address }) => address)
      .filter((address) => networkPrefixes.some((prefix) => holds(prefix, address))),
  ];
  return [...new Set(known)].filter((address) => isPlaceable(address) && !own.has(address));
}

/** Prefixes that devices may send from without having been seen. */
function rangesOf({ config, networkPrefixes }: InnerSight): string[] {
  const chosen = config.devices.filter(({ policy }) => policy === 'shape').flatMap(({ ip }) => ip);
  return [...networkPrefixes, ...chosen];
}
