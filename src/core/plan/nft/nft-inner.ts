// Which inner address a device's packet gets, as rules: by its low bits where these tell devices apart, else by a map.
import type { Config } from '../../config/types.ts';
import { addressIn } from '../../ip/address.ts';
import type { HomeFacts } from '../facts.ts';
import { SHARED_LOW4, SHARED_LOW6 } from '../names.ts';
import { block, comment, learnedSet, netdevSet } from './nft-text.ts';

/** What renders the same for both families. */
interface Family {
  ip: 'ip' | 'ip6';
  suffix: '4' | '6';
  /** The inner prefix, null where there is none. */
  prefix: string | null;
  /** The block that all devices are in, null where a map is needed. */
  block: string | null;
}

/** Sets of the device addresses that have sent something within the last hour. */
export const SENDER_SETS = ['senders4', 'senders6'];
/** The sets and maps here whose elements stand in the text. */
export const INNER_TEXT_SETS = ['inner4', 'inner6', 'pairs4', 'pairs6'];

function familiesOf({ inner, innerPlaces }: HomeFacts): Family[] {
  const { block4, block6 } = innerPlaces;
  return [
    { ip: 'ip', suffix: '4', prefix: inner?.prefix4 ?? null, block: block4 },
    { ip: 'ip6', suffix: '6', prefix: inner?.prefix6 ?? null, block: block6 },
  ];
}

/** The maps and sets that {@link sourceNat} and {@link checkSource} ask. */
export function innerSets(facts: HomeFacts): string[][] {
  return familiesOf(facts).flatMap((family) => {
    const { ip, suffix } = family;
    const type = ip === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    const { mapped, pairs } = elementsOf(family, facts);
    return [
      block(`map inner${suffix}`, [`type ${type} : ${type}`, ...elements(mapped)]),
      block(`set pairs${suffix}`, [`type ${type} . ${type}`, ...elements(pairs)]),
      learnedSet(SENDER_SETS[ip === 'ip' ? 0 : 1]!, type, 2048, '1h', 'have sent something'),
    ];
  });
}

function elementsOf({ ip, prefix, block }: Family, { innerPlaces }: HomeFacts) {
  const mapped: string[] = [];
  const pairs: string[] = [];
  if (prefix === null || block !== null) return { mapped, pairs };
  for (const { address, low, hasShared } of innerPlaces.places) {
    if (address.includes(':') !== (ip === 'ip6')) continue;
    const inner = addressIn(prefix, low);
    mapped.push(`${address} : ${inner}`);
    pairs.push(`${address} . ${inner}`);
    const shared = ip === 'ip' ? SHARED_LOW4 : SHARED_LOW6;
    if (hasShared && low !== shared) pairs.push(`${address} . ${addressIn(prefix, shared)}`);
  }
  return { mapped, pairs };
}

function elements(list: readonly string[]): string[] {
  if (list.length === 0) return [];
  return ['elements = {', ...list.map((element) => `\t${element},`), '}'];
}

/**
 * Gives each connection of a device its inner address when it begins, and for as long as it lasts. A device that the map
 * does not have yet is held (its packet dropped, and noted) until the next look within a second has put it there: were it
 * let through under an address it shares, that connection would keep it.
 */
export function sourceNat(config: Config, facts: HomeFacts): string[] {
  const chain = ['type nat hook postrouting priority srcnat - 5; policy accept;'];
  if (!facts.inner) return chain;
  const out = `oifname "${config.tunnel.interface}"`;
  const families = familiesOf(facts).filter(({ prefix }) => prefix !== null);
  return [
    ...chain,
    ...families.map(({ ip, suffix, prefix, block }) =>
      block === null
        ? `${out} ${nfproto(ip)} snat ${ip} to ${ip} saddr map @inner${suffix}`
        : `${out} ${ip} saddr ${block} snat ${ip} prefix to ${prefix}`,
    ),
    ...families.map(({ ip, suffix }) => note(out, ip, suffix, `${ip} saddr`)),
    // Here already: a translation of somebody else's would give it the address of the netdev.
    `${out} counter name refused drop ${comment('held until it has an inner address')}`,
  ];
}

/**
 * Lets out what has the inner address that is its device's now. A packet that conntrack does not know keeps its own
 * source, and a connection may be older than the place of its device; neither may show to the endpoint as another.
 */
export function checkSource(config: Config, facts: HomeFacts): string[] {
  const out = `oifname "${config.tunnel.interface}"`;
  const families = facts.inner ? familiesOf(facts).filter(({ prefix }) => prefix !== null) : [];
  return [
    'type filter hook postrouting priority srcnat + 5; policy accept;',
    ...families.flatMap(({ ip, suffix, prefix, block }) => {
      const original = `ct original ${ip} saddr`;
      return [
        note(out, ip, suffix, original),
        block === null
          ? `${out} ${nfproto(ip)} ${original} . ${ip} saddr @pairs${suffix} accept`
          : `${out} ${original} ${block} ${ip} saddr ${prefix} accept`,
      ];
    }),
    `${out} counter name refused drop`,
  ];
}

/**
 * Addresses whose answers would not come back into the house: let on, each would get an inner address and a queue of its own,
 * so that one device that invents them takes these from the others.
 *
 * @param inZone matches what devices send towards the tunnel.
 */
export function refuseForeign(inZone: string, { houseNetdevs }: HomeFacts): string[] {
  if (houseNetdevs.length === 0) return [];
  const foreign = `ct state new fib saddr oifname != ${netdevSet(houseNetdevs)}`;
  return [`${inZone} ${foreign} counter name refused drop ${comment('no answer would find it')}`];
}

function note(out: string, ip: Family['ip'], suffix: Family['suffix'], address: string): string {
  return `${out} ${nfproto(ip)} update @senders${suffix} { ${address} }`;
}

function nfproto(ip: Family['ip']): string {
  return `meta nfproto ipv${ip === 'ip' ? '4' : '6'}`;
}
