// Follows chosen devices through new leases and new hardware addresses: a pure state machine over what the router sees.
import type { Config, DeviceConfig } from '../../config/types.ts';
import type { FollowedDevice } from '../../plan/facts.ts';
import {
  isAddress,
  isFresh,
  isLinkLocal,
  isUsable,
  Owners,
  singleAddresses,
} from './device-owners.ts';
import type { Neighbour } from './device-table.ts';
import {
  fingerprint,
  type Known,
  MOST_ADDRESSES,
  MOST_MACS,
  newTrack,
  note,
  noteIdentity,
  noteOther,
  type Track,
} from './follow-state.ts';
import type { Lease } from './leases.ts';

/** What the router sees at one moment. */
export interface FollowSight {
  config: Config;
  neighbours: readonly Neighbour[];
  leases: readonly Lease[];
  /** Hardware and IP addresses of the router itself. */
  own: ReadonlySet<string>;
  /** Of a clock that never jumps. */
  nowMs: number;
}

/** A device and what is known of it. */
interface Pair {
  device: DeviceConfig;
  track: Track;
}

/** Not seen for so long, what was learned is forgotten. */
const FORGET_MS = 7 * 24 * 3600_000;
/** A pause between two looks counts as no more than this: nobody looked meanwhile. */
const LONGEST_STEP_MS = 600_000;
/** After so long, a neighbour entry of a host that left has gone stale: who is fresh then is there. */
const PROOF_MS = 60_000;

/**
 * Learns under which hardware and IP addresses chosen devices are met. A device chosen by address is known by the hardware
 * that holds it, one chosen by hardware by its addresses, names and client ids; who takes over a name, a client id or an
 * address of it is taken for it, so that in doubt a host is shaped, until both are seen side by side. Whoever another section
 * names is never taken, nor the router, nor a host whose lease tells of another one.
 */
export class DeviceFollower {
  #tracks: Track[];
  /** When hardware was first taken for a device on a guess. */
  readonly #guessedMs = new Map<string, number>();
  #lastMs: number | null = null;

  /** @param tracks as kept from an earlier run. */
  constructor(tracks: readonly Track[] = []) {
    this.#tracks = structuredClone([...tracks]);
  }

  /** To be kept; its {@link fingerprint} tells whether that is worth it. */
  get tracks(): readonly Track[] {
    return this.#tracks;
  }

  get fingerprint(): string {
    return fingerprint(this.#tracks);
  }

  /** Takes in what is seen now; returns what is known of each device that may be followed. */
  observe(sight: FollowSight): FollowedDevice[] {
    const pairs = this.#pair(sight.config.devices);
    this.#age(sight.nowMs);
    const look = new Look(sight, pairs);
    for (const pair of pairs) {
      look.learnHolders(pair);
      look.learnSuccessors(pair);
      this.#dropOthers(pair, look.fresh, sight.nowMs);
      look.learnAddresses(pair);
      for (const { value, guess } of pair.track.macs) {
        if (guess && !this.#guessedMs.has(value)) this.#guessedMs.set(value, sight.nowMs);
      }
    }
    return pairs.map(({ device: { section }, track }) => ({
      section,
      macs: track.macs.map(({ value }) => value),
      addresses: track.addresses.map(({ value }) => value),
    }));
  }

  /** Devices that are one host each; those behind a prefix are met by it, and what bypasses is left alone. */
  #pair(devices: readonly DeviceConfig[]): Pair[] {
    const pairs = devices
      .filter(({ policy, mac, ip }) => {
        return policy !== 'bypass' && (mac !== null || singleAddresses({ ip }).length > 0);
      })
      .map((device) => {
        const key = [device.mac ?? '', ...singleAddresses(device)].join(' ');
        return { device, track: this.#tracks.find((one) => one.key === key) ?? newTrack(key) };
      });
    this.#tracks = pairs.map(({ track }) => track);
    return pairs;
  }

  #age(nowMs: number): void {
    const stepMs = Math.min(Math.max(0, nowMs - (this.#lastMs ?? nowMs)), LONGEST_STEP_MS);
    this.#lastMs = nowMs;
    for (const track of this.#tracks) {
      for (const known of [...track.macs, ...track.addresses]) known.idleMs += stepMs;
      track.macs = track.macs.filter(({ idleMs }) => idleMs < FORGET_MS);
      track.addresses = track.addresses.filter(({ idleMs }) => idleMs < FORGET_MS);
    }
    const learned = new Set(this.#tracks.flatMap(({ macs }) => macs.map(({ value }) => value)));
    for (const mac of this.#guessedMs.keys()) if (!learned.has(mac)) this.#guessedMs.delete(mac);
  }

  /** A guess is wrong once the guessed host and the device are both there. */
  #dropOthers({ device, track }: Pair, fresh: ReadonlySet<string>, nowMs: number): void {
    const sure = track.macs.filter(({ guess }) => !guess).map(({ value }) => value);
    if (device.mac !== null) sure.push(device.mac);
    if (!sure.some((mac) => fresh.has(mac))) return;
    for (const { value, guess } of [...track.macs]) {
      const guessedMs = this.#guessedMs.get(value) ?? nowMs;
      if (!guess || nowMs - guessedMs <= PROOF_MS || !fresh.has(value)) continue;
      track.macs = track.macs.filter((one) => one.value !== value);
      noteOther(track, value);
    }
  }
}

/** One look at everything: what may be learned from it. */
class Look {
  /** Hardware that answers now. */
  readonly fresh: ReadonlySet<string>;
  readonly #sight: FollowSight;
  readonly #pairs: readonly Pair[];
  readonly #owners: Owners;
  readonly #neighbours: (Neighbour & { mac: string })[];
  readonly #leaseOf: ReadonlyMap<string, Lease>;

  constructor(sight: FollowSight, pairs: readonly Pair[]) {
    this.#sight = sight;
    this.#pairs = pairs;
    this.#owners = new Owners(sight.config, sight.neighbours);
    this.#neighbours = sight.neighbours
      .filter(isUsable)
      .map((one) => ({ ...one, mac: one.lladdr!.toLowerCase() }));
    this.fresh = new Set(this.#neighbours.filter(isFresh).map(({ mac }) => mac));
    this.#leaseOf = new Map(sight.leases.map((lease) => [lease.address, lease]));
  }

  /** Hardware that holds an address of the device, and what its leases tell of it. */
  learnHolders(pair: Pair): void {
    const { device, track } = pair;
    const chosen = new Set(singleAddresses(device));
    const learned = new Set(track.addresses.map(({ value }) => value));
    this.#noteIdentities(pair);
    for (const address of [...chosen, ...learned]) {
      const lease = this.#leaseOf.get(address);
      if (lease && this.#tellsOfAnother(lease, pair)) continue;
      const guess = !chosen.has(address);
      if (lease && !guess) this.#take(lease.mac, pair, false);
      for (const { dst, mac } of this.#neighbours) {
        if (dst === address && !this.#isRelay(mac, pair)) this.#take(mac, pair, guess);
      }
    }
    this.#noteIdentities(pair);
  }

  /** Hardware that asked for a lease under a name or client id of the device. */
  learnSuccessors(pair: Pair): void {
    const { track } = pair;
    const names = track.names.map((name) => name.toLowerCase());
    for (const { mac, name, clientId } of this.#sight.leases) {
      const sameId = track.clientIds.includes(clientId);
      const lasting = clientId !== '' && !isHardwareId(clientId);
      // Ids that do not come from the hardware stay when it changes.
      const otherId = lasting && track.clientIds.some((id) => !isHardwareId(id));
      if (sameId) this.#take(mac, pair, false);
      else if (names.includes(name.toLowerCase()) && !otherId) this.#take(mac, pair, true);
    }
    this.#noteIdentities(pair);
  }

  /** Addresses that hardware of the device holds or leased, and whether any of it is there. */
  learnAddresses(pair: Pair): void {
    const { track } = pair;
    const macs = this.#macsOf(pair);
    track.addresses = track.addresses.filter(({ value }) => this.#mayHave(value, pair));
    for (const { mac, address } of this.#sight.leases) {
      if (macs.has(mac)) this.#learnAddress(address, mac, pair, true);
    }
    for (const neighbour of this.#neighbours) {
      const { dst, dev, mac } = neighbour;
      if (!macs.has(mac)) continue;
      const fresh = isFresh(neighbour);
      if (!isLinkLocal(dst)) this.#learnAddress(dst, mac, pair, fresh);
      else if (fresh) refresh(track.macs, mac);
      if (fresh) track.dev = dev;
    }
  }

  #learnAddress(address: string, mac: string, pair: Pair, fresh: boolean): void {
    const { macs, addresses } = pair.track;
    if (fresh) refresh(macs, mac);
    if (!this.#mayHave(address, pair) || !isAddress(address)) return;
    if (!addresses.some(({ value }) => value === address)) note(addresses, address, MOST_ADDRESSES);
    else if (fresh) refresh(addresses, address);
  }

  /** Whether an address that hardware of the device holds may be its own, and is not known to be from the configuration. */
  #mayHave(address: string, pair: Pair): boolean {
    if (this.#sight.own.has(address) || this.#owners.ofAddress(address) !== null) return false;
    const { others } = pair.track;
    if (this.#neighbours.some(({ dst, mac }) => dst === address && others.includes(mac)))
      return false;
    const lease = this.#leaseOf.get(address);
    return !lease || !this.#tellsOfAnother(lease, pair);
  }

  #take(mac: string, pair: Pair, guess: boolean): void {
    const { device, track } = pair;
    if (mac === '' || mac === device.mac || /^[0:]+$/.test(mac)) return;
    const known = track.macs.find(({ value }) => value === mac);
    if (known) {
      known.guess &&= guess;
      return;
    }
    if (guess && (track.others.includes(mac) || track.macs.length >= MOST_MACS)) return;
    if (this.#sight.own.has(mac) || this.#owners.hasElse(mac, device.section)) return;
    const leases = this.#sight.leases.filter((lease) => lease.mac === mac);
    if (leases.some((lease) => this.#tellsOfAnother(lease, pair))) return;
    const taken = this.#pairs.some(
      (other) => other !== pair && other.track.macs.some(({ value }) => value === mac),
    );
    if (!taken) note(track.macs, mac, MOST_MACS, guess);
  }

  /** Whether a lease shows a name or client id, and none that the device has. */
  #tellsOfAnother({ mac, name, clientId }: Lease, pair: Pair): boolean {
    const { names, clientIds, others } = pair.track;
    if (this.#macsOf(pair).has(mac)) return false;
    if (others.includes(mac)) return true;
    if (clientIds.includes(clientId)) return false;
    if (name !== '' && names.some((one) => one.toLowerCase() === name.toLowerCase())) return false;
    return (name !== '' && names.length > 0) || (clientId !== '' && clientIds.length > 0);
  }

  /** Whether other hosts are met behind this hardware, as behind a repeater. */
  #isRelay(mac: string, pair: Pair): boolean {
    const macs = this.#macsOf(pair);
    return this.#neighbours.some((one) => {
      const lease = one.mac === mac ? this.#leaseOf.get(one.dst) : undefined;
      return lease !== undefined && lease.mac !== '' && lease.mac !== mac && !macs.has(lease.mac);
    });
  }

  /** A guess may be wrong, so nothing is concluded from its leases. */
  #noteIdentities({ device, track }: Pair): void {
    const guessed = new Set(track.macs.filter(({ guess }) => guess).map(({ value }) => value));
    for (const { mac, name, clientId } of this.#sight.leases) {
      const ours = mac === device.mac || track.macs.some(({ value }) => value === mac);
      if (ours && !guessed.has(mac)) noteIdentity(track, name, clientId);
    }
  }

  #macsOf({ device, track }: Pair): Set<string> {
    const macs = new Set(track.macs.map(({ value }) => value));
    return device.mac === null ? macs : macs.add(device.mac);
  }
}

/** Notes that something known was seen. */
function refresh(list: readonly Known[], value: string): void {
  const known = list.find((one) => one.value === value);
  if (known) known.idleMs = 0;
}

/** A client id of type 1 is the hardware address over again (RFC 2132, section 9.14). */
function isHardwareId(clientId: string): boolean {
  return clientId.startsWith('01:');
}
