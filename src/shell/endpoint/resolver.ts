// The resolver that answers homes at the endpoint's inner address: dnsmasq, kept running.

import {
  hasUdpSocket,
  listUdpPorts,
  type PortHolders,
  parseHolders,
  unitOf,
} from '../../core/delivery/udp-sockets.ts';
import type { ResolverFault } from '../../core/endpoint/delivery.ts';
import { notice } from '../../core/endpoint/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { DNS_PORT } from '../../core/plan/names.ts';
import { SupervisedChild } from '../system/child.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';

/** dnsmasq's arguments: it forwards to what the endpoint itself asks, answers inside only, and writes nothing down. */
function resolverArgv(netdev: string, addresses: readonly string[]): string[] {
  return [
    'dnsmasq',
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-hosts',
    '--pid-file=',
    '--user=nobody',
    '--bind-dynamic',
    `--interface=${netdev}`,
    '--except-interface=lo',
    ...addresses.map((address) => `--listen-address=${address}`),
    '--cache-size=1000',
    '--domain-needed',
    '--bogus-priv',
    '--stop-dns-rebind',
  ];
}

export const NOBODY: PortHolders = { isTaken: false, programs: [] };

/** Why the resolver does not listen on its address; null where it does, or where that can't be told. */
export async function findResolverFault(
  { files, processes }: Pick<System, 'files' | 'processes'>,
  address: string,
): Promise<ResolverFault | null> {
  const listing = await files.readText('/proc/net/udp').catch(() => null);
  if (listing === null || hasUdpSocket(listing, address, DNS_PORT)) return null;
  return { address, holders: await readHolders({ files, processes }, DNS_PORT, address) };
}

/** Every UDP port that a program of this machine has. */
export async function readTakenPorts({ files }: Pick<System, 'files'>): Promise<number[]> {
  const listings = ['udp', 'udp6'].map((name) =>
    files.readText(`/proc/net/${name}`).catch(() => ''),
  );
  return (await Promise.all(listings)).flatMap(listUdpPorts);
}

/** Who listens on a UDP port at this address or at all, see {@link parseHolders}; nobody where that can't be asked. */
export async function readHolders(
  { files, processes }: Pick<System, 'files' | 'processes'>,
  port: number,
  address: string | null,
): Promise<PortHolders> {
  try {
    const { stdout } = await processes.run(['ss', '-Hlunp', 'sport', '=', `:${port}`]);
    const { isTaken, programs } = parseHolders(stdout, address);
    const cgroupOf = (pid: number) => files.readText(`/proc/${pid}/cgroup`).catch(() => '');
    return {
      isTaken,
      programs: await Promise.all(
        programs.map(async (one) => ({ ...one, unit: unitOf(await cgroupOf(one.pid)) })),
      ),
    };
  } catch {
    return NOBODY;
  }
}

/** The one of an endpoint. */
export class Resolver {
  readonly #system: System;
  readonly #netdev: string;
  readonly #log: Log;
  #child: SupervisedChild | null = null;
  #addresses: readonly string[] = [];

  constructor(system: System, netdev: string, log: Log) {
    this.#system = system;
    this.#netdev = netdev;
    this.#log = log;
  }

  /** Starts it in the place of the one there was, once one that was left behind has ended. */
  async start(addresses: readonly string[]): Promise<void> {
    this.#addresses = addresses;
    await this.stop();
    const argv = resolverArgv(this.#netdev, addresses);
    const ours = argv.join(' ');
    await endLeftovers(this.#system, (other) => other.join(' ') === ours);
    this.#child = new SupervisedChild({
      system: this.#system,
      argv: () => argv,
      onLine: (line) => this.#log('info', line),
      onExit: (why) => this.#log('warning', wordsOf(notice('dnsmasq-stopped', { why }))),
    });
    this.#child.start();
  }

  /** Null where it listens, or was never started. */
  async findFault(): Promise<ResolverFault | null> {
    const [address] = this.#addresses;
    return address === undefined ? null : findResolverFault(this.#system, address);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }
}
