// What may keep an endpoint from serving its homes, found in what its machine was seen to do. Pure.
import { type ForeignChain, letThroughAll } from '../delivery/foreign-chains.ts';
import { commandToStop, type PortHolders } from '../delivery/udp-sockets.ts';
import { isSame } from '../equality/equality.ts';
import { holds } from '../ip/within.ts';
import type { Notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { MOVE_PORT } from '../plan/names.ts';
import { dropped, holderOf, INSIDE, resolverTrouble } from './delivery.ts';
import { notice } from './notice.ts';

/** What the kernel refused when one was made for a moment; null where it did not. */
export interface KernelEvidence {
  tun: string | null;
  htb: string | null;
  nft: string | null;
}

/** Whether a packet of our own came through; null where it could not be tried. */
export type Passage = boolean | null;

/** What was seen on the endpoint's machine. */
export interface Examination {
  kernel: KernelEvidence;
  port: number;
  /** Others who listen where OpenVPN or the resolver is to. */
  portHolders: PortHolders;
  resolverHolders: PortHolders;
  /** From outside to the port, per family; from a home to the Internet. */
  reached: { ipv4: Passage; ipv6: Passage };
  forwarded: { ipv4: Passage; ipv6: Passage };
  /** From a home to the resolver. */
  asked: { ipv4: Passage; ipv6: Passage };
  /** Whether there is a way to the Internet, and systemd's service that sets up this machine's network. */
  hasInternet: boolean;
  networkService: string;
  /** Names of the chains there are, of every program. */
  chains: readonly string[];
  /** Chains of other programs that drop. */
  suspects: readonly ForeignChain[];
  /** Prefixes by the netdev they are reached by, without our own netdevs. */
  prefixes: readonly { prefix: string; netdev: string }[];
  inside: InsideRanges;
  resolver: string;
}

/** What is wrong and what to do about it, the gravest first; none on a machine that can serve. */
export function findEndpointFaults(seen: Examination): Notice[] {
  const kernel = findKernelFaults(seen.kernel);
  if (kernel.length > 0) return kernel;
  return [
    ...(seen.hasInternet
      ? []
      : [notice('endpoint-no-internet', { command: `systemctl restart ${seen.networkService}` })]),
    ...findRangeFaults(seen),
    ...findPortFaults(seen),
    ...findFirewallFaults(seen),
  ];
}

/** What no endpoint can do without, whatever else is in order. */
export function findKernelFaults({ tun, htb, nft }: KernelEvidence): Notice[] {
  return [
    ...(tun === null ? [] : [notice('kernel-without-tun', { error: tun })]),
    ...(htb === null ? [] : [notice('kernel-without-htb', { error: htb })]),
    ...(nft === null ? [] : [notice('kernel-without-nft', { error: nft })]),
  ];
}

function findRangeFaults({ prefixes, inside }: Examination): Notice[] {
  const ranges = [inside.tunnel, inside.inner4, ...(inside.inner6 === null ? [] : [inside.inner6])];
  return prefixes.flatMap(({ prefix, netdev }) =>
    ranges
      // Ours go before a wider one's.
      .filter((range) => holds(range, prefix))
      .map((range) => notice('endpoint-range-taken', { range, prefix, netdev })),
  );
}

function findPortFaults({ port, portHolders, resolver, resolverHolders }: Examination): Notice[] {
  const values = {
    ...{ port: `${port}`, program: holderOf(portHolders, port) },
    command: commandToStop(portHolders) ?? MOVE_PORT,
  };
  return [
    ...(portHolders.isTaken ? [notice('endpoint-port-taken', values)] : []),
    ...(resolverHolders.isTaken
      ? [resolverTrouble({ address: resolver, holders: resolverHolders }).notice]
      : []),
  ];
}

function findFirewallFaults(seen: Examination): Notice[] {
  const { reached, forwarded, asked, suspects, port } = seen;
  const faults: Notice[] = [];
  for (const family of [4, 6] as const) {
    if (reached[`ipv${family}`] !== false) continue;
    const command = commandToReach(seen, family);
    faults.push(
      notice('endpoint-port-closed', { port: `${port}`, family: `IPv${family}`, command }),
    );
  }
  for (const family of [4, 6] as const) {
    if (forwarded[`ipv${family}`] === false)
      faults.push(dropped(`forward${family}`, suspects).notice);
  }
  for (const family of [4, 6] as const) {
    // What opens the port opens the inside, too.
    if (asked[`ipv${family}`] !== false || reached[`ipv${family}`] === false) continue;
    const fault = dropped('names', suspects, family).notice;
    if (!faults.some(({ code, values }) => isSame({ code, values }, fault))) faults.push(fault);
  }
  return faults;
}

/** The one command that lets homes reach the port, for the firewall that is there. */
function commandToReach({ chains, suspects, port }: Examination, family: 4 | 6): string {
  if (chains.includes('filter_IN_public')) {
    const netdevs = INSIDE.map((one) => `--add-interface=${one.in}`).join(' ');
    return `firewall-cmd --permanent --add-port=${port}/udp && firewall-cmd --permanent --zone=trusted ${netdevs} && firewall-cmd --reload`;
  }
  return letThroughAll(suspects, 'input', family, [{ port }, ...INSIDE]);
}
