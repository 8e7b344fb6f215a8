// Whose rules may be dropping what passes: chains of other programs that drop by default, or by a rule.
import { TABLE } from '../plan/names.ts';

/** A chain at one of the kernel's hooks that drops packets. */
export interface ForeignChain {
  /** `ip`, `ip6`, `inet`. */
  family: string;
  table: string;
  name: string;
  hook: string;
  /** It drops whatever it does not let through; else a rule in it, or in a chain it leads to, drops some. */
  byDefault: boolean;
  /** ufw keeps it, and forgets what others put there. */
  isUfw?: true;
}

/** A chain as it is listed. */
interface ListedChain {
  family: string;
  table: string;
  name: string;
  /** Null for one that others lead to. */
  hook: string | null;
  byDefault: boolean;
  hasDrop: boolean;
  leadsTo: string[];
}

/**
 * Reads what `nft -t list ruleset` prints.
 *
 * @returns chains of others that drop, those first that do so by default, and last those of OpenWrt's own firewall: that
 *   one lets the tunnel through by a rule of ours.
 */
export function parseForeignChains(listing: string): ForeignChain[] {
  const all = listChains(listing);
  const keptByUfw = (family: string): boolean =>
    all.some(({ name }) => name === (family === 'ip6' ? 'ufw6-user-input' : 'ufw-user-input'));
  const chains = all.filter(({ family, table }) => !(family === 'inet' && table === TABLE));
  const found = chains.flatMap((chain): ForeignChain[] => {
    const { family, table, name, hook, byDefault } = chain;
    if (hook === null || !(byDefault || mayDrop(chain, chains))) return [];
    const kept = table === 'filter' && keptByUfw(family) ? { isUfw: true as const } : {};
    return [{ family, table, name, hook, byDefault, ...kept }];
  });
  const rank = ({ table, byDefault }: ForeignChain): number =>
    (table === 'fw4' ? 2 : 0) + (byDefault ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

function listChains(listing: string): ListedChain[] {
  const chains: ListedChain[] = [];
  let [family, table] = ['', ''];
  let chain: ListedChain | null = null;
  for (const printed of listing.split('\n')) {
    // Names of netdevs and comments may be any words.
    const line = printed.replace(/"[^"]*"/g, '');
    const [, newFamily, newTable] = /^table (\S+) (\S+) \{/.exec(line) ?? [];
    if (newFamily && newTable) [family, table, chain] = [newFamily, newTable, null];
    const name = /^\s*chain (\S+) \{/.exec(line)?.[1];
    if (name) {
      chain = { family, table, name, hook: null, byDefault: false, hasDrop: false, leadsTo: [] };
      chains.push(chain);
    } else if (/^\s*\}/.test(line)) chain = null;
    else if (chain) readLine(chain, line);
  }
  return chains;
}

function readLine(chain: ListedChain, line: string): void {
  const [isHook, hook, policy] = /^\s*type filter hook (\w+) .*policy (\w+);/.exec(line) ?? [];
  if (isHook) {
    chain.hook = hook!;
    chain.byDefault = policy === 'drop';
    return;
  }
  if (/\b(?:drop|reject)\b/.test(line)) chain.hasDrop = true;
  for (const [, to] of line.matchAll(/\b(?:jump|goto) ([^\s,}]+)/g)) chain.leadsTo.push(to!);
}

/** Whether a rule in it, or in one it leads to, drops. */
function mayDrop(chain: ListedChain, all: readonly ListedChain[]): boolean {
  const seen = new Set<ListedChain>([chain]);
  // Those that are led to are added while it is walked.
  for (const { family, table, hasDrop, leadsTo } of seen) {
    if (hasDrop) return true;
    for (const one of all)
      if (one.family === family && one.table === table && leadsTo.includes(one.name)) seen.add(one);
  }
  return false;
}

/** Names of all chains in what nft lists. */
export function parseChainNames(listing: string): string[] {
  return listChains(listing).map(({ name }) => name);
}

/** The chain that most likely drops packets of this family at this hook by default; null where none is known. */
export function suspectOf(
  chains: readonly ForeignChain[],
  hook: 'forward' | 'input',
  family: 4 | 6 = 4,
): ForeignChain | null {
  const at = chains.filter((chain) => chain.hook === hook && isOf(chain, family));
  return at.find(({ byDefault }) => byDefault) ?? null;
}

function isOf(chain: ForeignChain, family: 4 | 6): boolean {
  return ['inet', family === 4 ? 'ip' : 'ip6'].includes(chain.family);
}

/** Hooks that a packet passes on its way through the machine, or to a program on it. */
const HOOKS = {
  forward: ['prerouting', 'forward', 'postrouting'],
  input: ['prerouting', 'input'],
} as const;

/** As a person finds it again. */
export function nameOf({ family, table, name }: ForeignChain): string {
  return `${family} ${table} ${name}`;
}

/** What is to be let through: what comes to a UDP port, what comes in by a netdev, what leaves by one. */
export type Wanted = { port: number } | { in: string } | { out: string };

/** Commands that let this through, ahead of all the chain drops. */
export function letThrough(chain: ForeignChain, wanted: readonly Wanted[]): string {
  const one = (what: Wanted): string =>
    chain.isUfw && isUfwsHook(chain.hook)
      ? `ufw ${chain.hook === 'forward' ? 'route ' : ''}allow ${asUfw(what)}`
      : `nft insert rule ${nameOf(chain)} ${asNft(what)} accept`;
  return wanted
    .filter((what) => isKnownAt(chain.hook, what))
    .map(one)
    .join('; ');
}

function isUfwsHook(hook: string): boolean {
  return hook === 'forward' || hook === 'input';
}

/** Where a packet leaves is not known before it is routed, nor where it came from once it has left. */
function isKnownAt(hook: string, what: Wanted): boolean {
  if ('out' in what) return hook !== 'prerouting' && hook !== 'input';
  return !('in' in what) || hook !== 'postrouting';
}

/**
 * One command that lets this through every chain of others that may drop it, in nft's tables or, where nothing there
 * does, in those of iptables, which nft does not list.
 *
 * @param way to a program on this machine, or through it.
 */
export function letThroughAll(
  chains: readonly ForeignChain[],
  way: 'forward' | 'input',
  family: 4 | 6,
  wanted: readonly Wanted[],
): string {
  const hooks: readonly string[] = HOOKS[way];
  const suspects = chains.filter((chain) => hooks.includes(chain.hook) && isOf(chain, family));
  const commands = suspects.map((chain) => letThrough(chain, wanted)).filter((one) => one !== '');
  if (commands.length > 0) return commands.join('; ');
  const insert = `${family === 6 ? 'ip6tables' : 'iptables'} -I ${way.toUpperCase()}`;
  return wanted.map((what) => `${insert} ${asIptables(what)} -j ACCEPT`).join('; ');
}

function asIptables(what: Wanted): string {
  if ('port' in what) return `-p udp --dport ${what.port}`;
  return 'in' in what ? `-i ${what.in}` : `-o ${what.out}`;
}

function asNft(what: Wanted): string {
  if ('port' in what) return `udp dport ${what.port}`;
  return 'in' in what ? `iifname "${what.in}"` : `oifname "${what.out}"`;
}

function asUfw(what: Wanted): string {
  if ('port' in what) return `${what.port}/udp`;
  return 'in' in what ? `in on ${what.in}` : `out on ${what.out}`;
}
