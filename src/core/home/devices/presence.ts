// Who was seen lately: chosen devices, and strangers on the same netdevs. Pure; kept in memory only.
import type { Config, DeviceConfig } from '../../config/types.ts';
import type { FollowedDevice } from '../../plan/facts.ts';
import { isFresh, isUsable, Owners, singleAddresses } from './device-owners.ts';
import type { Neighbour } from './device-table.ts';

/** What the router sees at one moment. */
export interface PresenceSight {
  config: Config;
  neighbours: readonly Neighbour[];
  followed: readonly FollowedDevice[];
  /** Netdevs of the house. */
  houseNetdevs: readonly string[];
  /** Hardware and IP addresses of the router itself. */
  own: ReadonlySet<string>;
  /** Of a clock that never jumps. */
  nowMs: number;
}

/** A chosen device that is not there, while others are that might be it. */
export interface MissingDevice {
  device: DeviceConfig;
  /** Since it was last seen, or since the first look. */
  unseenMs: number;
  everSeen: boolean;
  /** Hosts that no section names, by hardware address. */
  strangers: string[];
  /** The netdevs they are on. */
  netdevs: string[];
}

/** So long a device may be silent, and so long a stranger counts after it was seen. */
const LATELY_MS = 15 * 60_000;
const MOST_STRANGERS = 512;

/** Remembers when devices and strangers were last seen to answer. */
export class Presence {
  #startedMs: number | null = null;
  readonly #devices = new Map<string, { seenMs: number; dev: string }>();
  readonly #strangers = new Map<string, { seenMs: number; dev: string }>();

  /** The netdev a section's device was last seen on. */
  netdevOf(section: string): string | null {
    return this.#devices.get(section)?.dev ?? null;
  }

  /** Takes in what is seen now; returns chosen devices that are missed. */
  observe(sight: PresenceSight): MissingDevice[] {
    const { config, nowMs } = sight;
    this.#startedMs ??= nowMs;
    const networks = new Set(config.networks.map(({ device }) => device));
    // A network that is chosen as a whole shapes its strangers too.
    const watched = sight.houseNetdevs.filter((name) => !networks.has(name));
    this.#note(sight, watched);
    const missing: MissingDevice[] = [];
    for (const device of config.devices) {
      if (device.policy !== 'shape') continue;
      if (device.mac === null && singleAddresses(device).length === 0) continue;
      const seen = this.#devices.get(device.section);
      const unseenMs = nowMs - (seen?.seenMs ?? this.#startedMs);
      if (unseenMs < LATELY_MS) continue;
      const where = seen ? watched.filter((name) => name === seen.dev) : watched;
      const strangers = [...this.#strangers].filter(([, { dev }]) => where.includes(dev));
      if (strangers.length === 0) continue;
      missing.push({
        device,
        unseenMs,
        everSeen: seen !== undefined,
        strangers: strangers.map(([mac]) => mac).sort(),
        netdevs: [...new Set(strangers.map(([, { dev }]) => dev))].sort(),
      });
    }
    return missing;
  }

  #note({ config, neighbours, followed, own, nowMs }: PresenceSight, watched: string[]): void {
    const owners = new Owners(config, neighbours);
    const sectionOf = new Map<string, string>();
    for (const { section, mac, ip } of config.devices) {
      for (const value of [mac, ...singleAddresses({ ip })])
        if (value) sectionOf.set(value, section);
    }
    for (const { section, macs, addresses } of followed) {
      for (const value of [...macs, ...addresses]) sectionOf.set(value, section);
    }
    const isNamed = (mac: string) => sectionOf.has(mac) || owners.has(mac);
    for (const neighbour of neighbours) {
      if (!isFresh(neighbour) || !isUsable(neighbour)) continue;
      const { dst, dev } = neighbour;
      const mac = neighbour.lladdr!.toLowerCase();
      const section = sectionOf.get(mac) ?? sectionOf.get(dst);
      if (section !== undefined) this.#devices.set(section, { seenMs: nowMs, dev });
      else if (watched.includes(dev) && !isNamed(mac) && !own.has(mac)) {
        this.#strangers.set(mac, { seenMs: nowMs, dev });
      }
    }
    for (const [mac, { seenMs, dev }] of this.#strangers) {
      const late = nowMs - seenMs > LATELY_MS || this.#strangers.size > MOST_STRANGERS;
      if (late || isNamed(mac) || !watched.includes(dev)) this.#strangers.delete(mac);
    }
    const sections = new Set(config.devices.map(({ section }) => section));
    for (const section of this.#devices.keys()) {
      if (!sections.has(section)) this.#devices.delete(section);
    }
  }
}
