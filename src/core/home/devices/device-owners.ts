// Who may not be taken for a followed device: what other sections name, and what holds their addresses. Pure.
import { parseAddressBlock } from '../../config/addresses.ts';
import type { Config, DeviceConfig } from '../../config/types.ts';
import { holds } from '../../ip/within.ts';
import type { Neighbour } from './device-table.ts';

/** Whether a neighbour's hardware address can be relied on, though it may be old. */
export function isUsable({ lladdr, state = [] }: Neighbour): boolean {
  return (
    lladdr !== undefined &&
    !state.some((one) => one === 'FAILED' || one === 'INCOMPLETE' || one === 'NOARP')
  );
}

/** Whether the neighbour has answered within the last minute or is asked now (neighbour.c, `NUD_CONNECTED` and probes). */
export function isFresh({ state = [] }: Neighbour): boolean {
  return state.some((one) => one === 'REACHABLE' || one === 'DELAY' || one === 'PROBE');
}

export function isLinkLocal(address: string): boolean {
  return /^fe[89ab].:/i.test(address) || address.startsWith('169.254.');
}

/** Single addresses of a device, without the prefix length. */
export function singleAddresses({ ip }: Pick<DeviceConfig, 'ip'>): string[] {
  return ip.filter(isSingle).map((cidr) => cidr.split('/')[0]!);
}

function isSingle(cidr: string): boolean {
  return cidr.endsWith(cidr.includes(':') ? '/128' : '/32');
}

/** Looks up by which section an address is named. */
export class Owners {
  readonly #macs = new Map<string, string>();
  readonly #addresses = new Map<string, string>();
  readonly #prefixes: { cidr: string; section: string }[] = [];
  /** Sections whose addresses a hardware address holds. */
  readonly #holders = new Map<string, Set<string>>();

  constructor(config: Config, neighbours: readonly Neighbour[]) {
    for (const { section, mac, ip } of config.devices) {
      if (mac !== null) this.#macs.set(mac, section);
      for (const address of singleAddresses({ ip })) this.#addresses.set(address, section);
      for (const cidr of ip) if (!isSingle(cidr)) this.#prefixes.push({ cidr, section });
    }
    for (const neighbour of neighbours) {
      const section = this.ofAddress(neighbour.dst);
      if (section === null || !isUsable(neighbour)) continue;
      const mac = neighbour.lladdr!.toLowerCase();
      this.#holders.set(mac, (this.#holders.get(mac) ?? new Set()).add(section));
    }
  }

  /** The section that names an address, alone or in a prefix. */
  ofAddress(address: string): string | null {
    const single = this.#addresses.get(address);
    if (single !== undefined) return single;
    const holding = this.#prefixes.find(({ cidr }) => holds(cidr, address));
    return holding?.section ?? null;
  }

  /** Whether a hardware address is another section's by its own or by what it holds. */
  hasElse(mac: string, section: string): boolean {
    const owner = this.#macs.get(mac);
    if (owner !== undefined) return owner !== section;
    return [...(this.#holders.get(mac) ?? [])].some((holder) => holder !== section);
  }

  /** Whether any section names this hardware address, or an address it holds. */
  has(mac: string): boolean {
    return this.#macs.has(mac) || this.#holders.has(mac);
  }
}

/** Whether text is an address a rule can name. */
export function isAddress(text: string): boolean {
  return parseAddressBlock(text) !== null && !text.includes('/');
}
