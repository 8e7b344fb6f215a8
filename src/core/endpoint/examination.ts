// What may keep an endpoint from serving its homes, found in what its machine was seen to do. Pure.
import { type Notice, notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { INNER_NETDEV } from '../plan/nft-endpoint.ts';
import { overlap } from '../ip/overlap.ts';

/** What the kernel refused when one was made for a moment; null where it did not. */
export interface KernelEvidence {
  tun: string | null;
  htb: string | null;
  nft: string | null;
}

/** A chain that is asked about packets, or one that such a chain may go to. */
export interface FirewallChain {
  family: string;
  table: string;
  name: string;
  /** Where it is asked; null for a chain that others go to. */
  hook: string | null;
  /** What becomes of packets that no rule has decided about. */
  policy: string | null;
}

/** Whether a packet of our own came through; null where it could not be tried. */
export type Passage = boolean | null;

/** Who listens on a UDP port. */
export interface UdpListener {
  address: string;
  port: number;
  /** Its name, '' where that can't be seen. */
  program: string;
}

/** What was seen on the endpoint's machine. */
export interface Examination {
  kernel: KernelEvidence;
  /** Our own OpenVPN and resolver run, so that what listens on their ports is they. */
  isRunning: boolean;
  port: number;
  listeners: readonly UdpListener[];
  /** From outside to the port, per family; from a home to the Internet. */
  reached: { ipv4: Passage; ipv6: Passage };
  forwarded: { ipv4: Passage; ipv6: Passage };
  /** Whether there is a way to the Internet. */
  hasInternet: boolean;
  chains: readonly FirewallChain[];
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
    ...(seen.hasInternet ? [] : [notice('endpoint-no-internet')]),
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
      .filter((range) => overlap(prefix, range))
      .map((range) => notice('endpoint-range-taken', { range, prefix, netdev })),
  );
}

function findPortFaults({ listeners, isRunning, port, resolver }: Examination): Notice[] {
  const faults: Notice[] = [];
  const other = listeners.find((one) => one.port === port);
  if (other && !isRunning)
    faults.push(notice('endpoint-port-taken', { port: `${port}`, program: nameOf(other) }));
  const names = listeners.find(
    (one) => one.port === 53 && (one.address === '0.0.0.0' || one.address === '*' || (one.address === resolver && !isRunning)),
  );
  if (names)
    faults.push(
      notice('endpoint-resolver-port-taken', { address: resolver, program: nameOf(names) }),
    );
  return faults;
}

function nameOf({ program }: UdpListener): string {
  return program === '' ? 'another program' : program;
}

function findFirewallFaults({ reached, forwarded, chains, port }: Examination): Notice[] {
  const faults: Notice[] = [];
  for (const [family, passed] of Object.entries(reached)) {
    if (passed === false)
      faults.push(
        notice('endpoint-port-closed', {
          port: `${port}`,
          family: nameOfFamily(family),
          command: commandToReach(chains, family, port),
        }),
      );
  }
  for (const [family, passed] of Object.entries(forwarded)) {
    if (passed === false)
      faults.push(
        notice('endpoint-forward-closed', {
          family: nameOfFamily(family),
          command: commandToForward(chains, family),
        }),
      );
  }
  return faults;
}

function nameOfFamily(family: string): string {
  return family === 'ipv6' ? 'IPv6' : 'IPv4';
}

function has(chains: readonly FirewallChain[], name: string): boolean {
  return chains.some((chain) => chain.name === name);
}

/** The chain of a firewall that is asked here and drops what it does not know; one that may drop, where none does. */
function chainAt(
  chains: readonly FirewallChain[],
  hook: string,
  family: string,
): FirewallChain | undefined {
  const families = ['inet', family === 'ipv6' ? 'ip6' : 'ip'];
  const asked = chains.filter((chain) => chain.hook === hook && families.includes(chain.family));
  return asked.find(({ policy }) => policy === 'drop') ?? asked[0];
}

function insertRules(chain: FirewallChain, rules: readonly string[]): string {
  const at = `insert rule ${chain.family} ${chain.table} ${chain.name}`;
  return `nft '${rules.map((rule) => `${at} ${rule}`).join('; ')}'`;
}

/** The one command that lets homes reach the port, for the firewall that is there. */
export function commandToReach(
  chains: readonly FirewallChain[],
  family: string,
  port: number,
): string {
  const isSix = family === 'ipv6';
  if (has(chains, isSix ? 'ufw6-user-input' : 'ufw-user-input')) return `ufw allow ${port}/udp`;
  if (chains.some(({ table }) => table === 'firewalld'))
    return `firewall-cmd --permanent --add-port=${port}/udp && firewall-cmd --reload`;
  const chain = chainAt(chains, 'input', family);
  if (chain) return insertRules(chain, [`udp dport ${port} accept`]);
  return `${isSix ? 'ip6tables' : 'iptables'} -I INPUT -p udp --dport ${port} -j ACCEPT`;
}

/** The one command that lets homes' packets through to the Internet and back. */
export function commandToForward(chains: readonly FirewallChain[], family: string): string {
  const isSix = family === 'ipv6';
  const tables = isSix ? 'ip6tables' : 'iptables';
  const docker = chains.some(
    (chain) => chain.name === 'DOCKER-USER' && chain.family === (isSix ? 'ip6' : 'ip'),
  );
  const both = (chain: string) =>
    `${tables} -I ${chain} -i ${INNER_NETDEV} -j ACCEPT && ${tables} -I ${chain} -o ${INNER_NETDEV} -j ACCEPT`;
  if (docker) return both('DOCKER-USER');
  if (has(chains, isSix ? 'ufw6-user-forward' : 'ufw-user-forward'))
    return `ufw route allow in on ${INNER_NETDEV}`;
  if (chains.some(({ table }) => table === 'firewalld'))
    return `firewall-cmd --permanent --zone=trusted --add-interface=${INNER_NETDEV} && firewall-cmd --reload`;
  const chain = chainAt(chains, 'forward', family);
  if (chain)
    return insertRules(chain, [
      `iifname "${INNER_NETDEV}" accept`,
      `oifname "${INNER_NETDEV}" accept`,
    ]);
  return both('FORWARD');
}
