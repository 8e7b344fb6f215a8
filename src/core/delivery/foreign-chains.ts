// Whose rules may be dropping what passes: chains of other programs that drop whatever they do not let through.
import { TABLE } from '../plan/names.ts';

/** A chain with a policy of drop. */
export interface ForeignChain {
  /** `ip`, `ip6`, `inet`. */
  family: string;
  table: string;
  name: string;
  hook: string;
  /** ufw keeps it, and forgets what others put there. */
  isUfw?: true;
}

/**
 * Reads what `nft list chains` prints.
 *
 * @returns chains of others that drop by default, those first that no firewall of OpenWrt's own made: that one lets the
 *   tunnel through by a rule of ours.
 */
export function parseForeignChains(listing: string): ForeignChain[] {
  const found: ForeignChain[] = [];
  const names = parseChainNames(listing);
  const keptByUfw = (family: string): boolean =>
    names.includes(family === 'ip6' ? 'ufw6-user-input' : 'ufw-user-input');
  let table: { family: string; name: string } | null = null;
  let chain = '';
  for (const line of listing.split('\n')) {
    const [, family, tableName] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
    if (family && tableName) table = { family, name: tableName };
    chain = /^\s*chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const [, hook] = /type filter hook (\w+) .*policy drop;/.exec(line) ?? [];
    if (!hook || !table || (table.family === 'inet' && table.name === TABLE)) continue;
    const isUfw = table.name === 'filter' && keptByUfw(table.family);
    const kept = isUfw ? { isUfw: true as const } : {};
    found.push({ family: table.family, table: table.name, name: chain, hook, ...kept });
  }
  const rank = ({ table: name }: ForeignChain): number => (name === 'fw4' ? 1 : 0);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Names of all chains in what `nft list chains` prints. */
export function parseChainNames(listing: string): string[] {
  return [...listing.matchAll(/^\s*chain (\S+) \{/gm)].map(([, name]) => name!);
}

/** The chain that most likely drops packets of this family at this hook; null where none is known. */
export function suspectOf(
  chains: readonly ForeignChain[],
  hook: 'forward' | 'input',
  family: 4 | 6 = 4,
): ForeignChain | null {
  const families = ['inet', family === 4 ? 'ip' : 'ip6'];
  return chains.find((chain) => chain.hook === hook && families.includes(chain.family)) ?? null;
}

/** As a person finds it again. */
export function nameOf({ family, table, name }: ForeignChain): string {
  return `${family} ${table} ${name}`;
}

/** What is to be let through: what comes to a UDP port, what comes in by a netdev, what leaves by one. */
export type Wanted = { port: number } | { in: string } | { out: string };

/** Commands that let this through, ahead of all the chain drops. */
export function letThrough(chain: ForeignChain, wanted: readonly Wanted[]): string {
  const one = (what: Wanted): string =>
    chain.isUfw
      ? `ufw ${chain.hook === 'forward' ? 'route ' : ''}allow ${asUfw(what)}`
      : `nft insert rule ${nameOf(chain)} ${asNft(what)} accept`;
  return wanted.map(one).join('; ');
}

function asNft(what: Wanted): string {
  if ('port' in what) return `udp dport ${what.port}`;
  return 'in' in what ? `iifname "${what.in}"` : `oifname "${what.out}"`;
}

function asUfw(what: Wanted): string {
  if ('port' in what) return `${what.port}/udp`;
  return 'in' in what ? `in on ${what.in}` : `out on ${what.out}`;
}
