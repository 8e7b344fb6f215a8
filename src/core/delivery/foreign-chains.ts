// Whose rules may be dropping what passes: chains of other programs that drop whatever they do not let through.
import { TABLE } from '../plan/names.ts';

/** A chain with a policy of drop. */
export interface ForeignChain {
  /** `ip`, `ip6`, `inet`. */
  family: string;
  table: string;
  name: string;
  hook: string;
}

/**
 * Reads what `nft list chains` prints.
 *
 * @returns chains of others that drop by default, those first that no firewall of OpenWrt's own made: that one lets the
 *   tunnel through by a rule of ours.
 */
export function parseForeignChains(listing: string): ForeignChain[] {
  const found: ForeignChain[] = [];
  let table: { family: string; name: string } | null = null;
  let chain = '';
  for (const line of listing.split('\n')) {
    const [, family, tableName] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
    if (family && tableName) table = { family, name: tableName };
    chain = /^\s*chain (\S+) \{/.exec(line)?.[1] ?? chain;
    const [, hook] = /type filter hook (\w+) .*policy drop;/.exec(line) ?? [];
    if (!hook || !table || (table.family === 'inet' && table.name === TABLE)) continue;
    found.push({ family: table.family, table: table.name, name: chain, hook });
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

/** Commands that let this through, ahead of all the chain drops. @param matches each as nft reads it */
export function letThrough(chain: ForeignChain, matches: readonly string[]): string {
  return matches.map((match) => `nft insert rule ${nameOf(chain)} ${match} accept`).join('; ');
}
