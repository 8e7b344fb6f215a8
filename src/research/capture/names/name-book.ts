// Who asked for which name, which address a name stands for, and what devices call themselves.

/** How a device told its own name, the most telling first. */
export const announcers = ['mDNS', 'DHCP', 'SSDP', 'DHCP vendor'] as const;
export type Announcer = (typeof announcers)[number];

export interface Announcement {
  name: string;
  by: Announcer;
}

/** No home says more; what does is made up. */
const MOST = 4096;

export class NameBook {
  readonly #asked = new Map<string, Set<string>>();
  readonly #namesOf = new Map<string, Set<string>>();
  readonly #announced = new Map<string, Map<string, Announcer>>();

  /** @param who MAC address or address */
  addAsked(who: string | null, name: string): void {
    if (who !== null) addTo(this.#asked, who, name);
  }

  addAddress(address: string, name: string): void {
    addTo(this.#namesOf, address, name);
  }

  addAnnounced(who: string | null, name: string, by: Announcer): void {
    if (who === null || this.#announced.size >= MOST) return;
    const own = this.#announced.get(who) ?? new Map<string, Announcer>();
    this.#announced.set(who, own);
    const before = own.get(name);
    if (before === undefined ? own.size < 64 : announcers.indexOf(by) < announcers.indexOf(before))
      own.set(name, by);
  }

  askedBy(who: string): readonly string[] {
    return [...(this.#asked.get(who) ?? [])];
  }

  namesOf(address: string): readonly string[] {
    return [...(this.#namesOf.get(address) ?? [])];
  }

  /** What a device calls itself, the most telling first. */
  announcedBy(...who: (string | null)[]): Announcement[] {
    const all = new Map<string, Announcer>();
    for (const key of who) {
      for (const [name, by] of this.#announced.get(key ?? '') ?? []) all.set(name, by);
    }
    return Array.from(all, ([name, by]) => ({ name, by })).sort(
      (a, b) => announcers.indexOf(a.by) - announcers.indexOf(b.by),
    );
  }

  /** All names that were asked for. */
  all(): Set<string> {
    const names = new Set<string>();
    for (const asked of this.#asked.values()) for (const name of asked) names.add(name);
    return names;
  }
}

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}
