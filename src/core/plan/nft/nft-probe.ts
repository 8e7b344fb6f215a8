// The nftables table that counts packets of our own where other programs' chains have let them pass, and drops them there.
import type { Ends } from '../../framing/ip-builder.ts';
import { block, countedIn, replaceTable } from './nft-text.ts';

/** Packets that were tried: `in` are to reach this machine, `through` are to be forwarded. */
export interface Probe extends Ends {
  name: string;
  /** UDP port at both ends. */
  port: number;
  netdev: string;
  hook: 'in' | 'through';
}

/** The whole table: each probe is counted as it arrives, and where it has passed every other chain of its hook. */
export function renderProbeTable(table: string, probes: readonly Probe[]): string {
  const ends = { in: 'input', through: 'postrouting' } as const;
  // Before any address is translated, and after all that filters.
  const last = { in: 'priority 32767', through: 'priority -32768' } as const;
  const chains = (['in', 'through'] as const).map((hook) =>
    block(`chain ${ends[hook]}`, [
      `type filter hook ${ends[hook]} ${last[hook]}; policy accept;`,
      ...probes
        .filter((probe) => probe.hook === hook)
        .map((probe) => `${matchOf(probe)} counter name ${probe.name}_passed drop`),
    ]),
  );
  return replaceTable(table, [
    ...probes.flatMap(({ name }) => [
      block(`counter ${name}_arrived`, []),
      block(`counter ${name}_passed`, []),
    ]),
    block('chain arrival', [
      'type filter hook prerouting priority -32768; policy accept;',
      ...probes.map((probe) => `${matchOf(probe, true)} counter name ${probe.name}_arrived`),
    ]),
    ...chains,
  ]);
}

function matchOf({ netdev, source, destination, port }: Probe, atArrival = false): string {
  const ip = source.includes(':') ? 'ip6' : 'ip';
  const where = atArrival ? `iifname "${netdev}" ` : '';
  return `${where}${ip} saddr ${source} ${ip} daddr ${destination} udp sport ${port} udp dport ${port}`;
}

/** Whether each probe passed, by name; null where it did not even arrive. @param listing of the table by nft */
export function readProbes(
  listing: string,
  probes: readonly Probe[],
): Record<string, boolean | null> {
  return Object.fromEntries(
    probes.map(({ name }) => [
      name,
      countedIn(listing, `${name}_arrived`) === 0 ? null : countedIn(listing, `${name}_passed`) > 0,
    ]),
  );
}
