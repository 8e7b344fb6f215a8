// Names of the house: what the router's own resolver answers without asking anybody, from the files it reads. Pure.
import type { UciPackage } from '../../config/uci/uci.ts';
import { ipVersion } from '../../ip/address.ts';
import type { Lease } from '../devices/leases.ts';

/** What is known of the house's names, all lower case and without a final dot. */
export interface HouseNames {
  /** What ends so is asked of nobody outside, known or not. */
  domains: readonly string[];
  addresses: ReadonlyMap<string, readonly string[]>;
  /** Domains all of whose names have these addresses. */
  wholes: ReadonlyMap<string, readonly string[]>;
}

/** What the router's resolver reads. */
export interface NameSources {
  /** Its settings, `/etc/config/dhcp`; null where there are none. */
  dhcp: UciPackage | null;
  /** Texts as `/etc/hosts` is one. */
  hosts: readonly string[];
  leases: readonly Lease[];
}

export const NO_NAMES: HouseNames = { domains: [], addresses: new Map(), wholes: new Map() };

/** OpenWrt's own. */
const USUAL_DOMAIN = 'lan';
/** More than a home has; lists of what to block are as long as one likes. */
const MOST_NAMES = 5000;
const MOST_ADDRESSES = 8;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** Whether it is a name that hosts have, lower case. */
function isName(text: string): boolean {
  return text.length < 250 && text.split('.').every((label) => LABEL.test(label));
}

/** Gathers what the sources say; what is no name or no address is left out. */
export function gatherNames({ dhcp, hosts, leases }: NameSources): HouseNames {
  const resolvers = dhcp?.sections.filter(({ type }) => type === 'dnsmasq') ?? [];
  const listed = (option: string): string[] =>
    resolvers.flatMap(({ options }) => [options.get(option) ?? []].flat());
  const own = listed('domain').map((text) => text.toLowerCase());
  const domains = dhcp ? listed('local').flatMap(domainsIn) : [USUAL_DOMAIN];
  const suffixes = [...new Set([...own, ...(dhcp ? [] : domains)])].filter(isName);
  const addresses = new Map<string, string[]>();
  const add = (name: string, address: string): void => {
    const known = addresses.get(name) ?? [];
    if (known.includes(address) || known.length >= MOST_ADDRESSES) return;
    if (addresses.size < MOST_NAMES || known.length > 0) addresses.set(name, [...known, address]);
  };
  const addWithin = (text: string, address: string): void => {
    const name = text.toLowerCase().replace(/\.$/, '');
    // A mixed address (::ffff:192.168.1.50) is nobody's.
    if (!isName(name) || ipVersion(address) === 0 || /:.*\./.test(address)) return;
    add(name, address);
    // `expandhosts`: a bare name is one of the house's domain, too.
    if (!name.includes('.')) for (const suffix of suffixes) add(`${name}.${suffix}`, address);
  };
  // A host names itself in its lease: of other domains than the house's it may not.
  for (const { name, address } of leases) if (!name.includes('.')) addWithin(name, address);
  for (const text of hosts) {
    for (const line of text.split('\n')) {
      const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
      for (const name of names) addWithin(name, address);
    }
  }
  const wholes = new Map<string, string[]>();
  for (const text of listed('address')) {
    const address = text.slice(text.lastIndexOf('/') + 1);
    if (ipVersion(address) === 0) continue;
    for (const domain of domainsIn(text.slice(0, text.lastIndexOf('/') + 1)))
      wholes.set(domain, [...(wholes.get(domain) ?? []), address]);
  }
  return { domains: [...new Set(domains)], addresses, wholes };
}

/** The domains of `/lan/home.arpa/`. */
function domainsIn(text: string): string[] {
  if (!text.startsWith('/')) return [];
  return text.toLowerCase().split('/').filter(isName);
}

/**
 * Addresses of a name of the house: empty when it has none, null when it is not the house's to answer.
 *
 * @param name lower case, without a final dot.
 */
export function findName(names: HouseNames, name: string): readonly string[] | null {
  const known = names.addresses.get(name);
  if (known) return known;
  for (let rest = name; rest !== ''; rest = rest.slice(rest.indexOf('.') + 1 || rest.length)) {
    const whole = names.wholes.get(rest);
    if (whole) return whole;
  }
  const isOurs = names.domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
  return isOurs ? [] : null;
}
