// What the name or address by which homes are to reach an endpoint leads to, as this machine sees it.
import { isOutward, isUnreachable } from '../../core/endpoint/host.ts';
import { ipVersion } from '../../core/ip/address.ts';
import { CommandError } from '../system/command.ts';
import type { System } from '../system/system.ts';

/** Resolvers that do not answer are given up after so long. */
const TIMEOUT_MS = 15_000;

export interface HostSight {
  /** Whether homes reach this machine by it, as far as may be seen from here. */
  isHere: boolean;
  /** A sentence that says what it leads to, and what to do where that is elsewhere. */
  said: string;
}

/** @throws {CommandError} where names can't be looked up at all */
export async function seeHost(
  system: Pick<System, 'processes' | 'sockets'>,
  host: string,
): Promise<HostSight> {
  const own = [...new Set(system.sockets.netdevAddresses().map(({ address }) => address))].filter(
    isOutward,
  );
  const isName = ipVersion(host) === 0;
  const found = isName ? await lookUp(system, host) : [host];
  if (found.length === 0) {
    return {
      isHere: false,
      said: `the name ${host} is not found yet; where its domain is kept, have it name this server's address (${listOf(own)})`,
    };
  }
  const leadsTo = isName ? `${host} is ${found.join(' and ')}` : host;
  const here = found.filter((address) => own.includes(address));
  const subject = isName ? `${leadsTo}, ` : `${leadsTo} is `;
  if (here.length === 0) {
    return {
      isHere: false,
      said: `${subject}none of this server's own addresses (${listOf(own)}): right where its provider translates addresses, else homes end up elsewhere`,
    };
  }
  if (here.every(isUnreachable)) {
    return {
      isHere: false,
      said: `${subject}a private address: homes reach it from the same network only; name the address that the server's provider shows`,
    };
  }
  const elsewhere = found.filter((address) => !own.includes(address));
  if (elsewhere.length > 0) {
    return {
      isHere: false,
      said: `${leadsTo}, of which ${listOf(elsewhere)} is not this server's: homes that take it end up elsewhere`,
    };
  }
  return { isHere: true, said: `${subject}this server's own` };
}

/** Addresses as the machine's own resolver has them (getent(1), of libc-bin); none where there is no such name. */
async function lookUp({ processes }: Pick<System, 'processes'>, name: string): Promise<string[]> {
  try {
    const { stdout } = await processes.run(['getent', 'ahosts', name], { timeoutMs: TIMEOUT_MS });
    return [...new Set(stdout.split('\n').flatMap((line) => /^\S+/.exec(line)?.[0] ?? []))];
  } catch (error) {
    // 2: not found.
    if (error instanceof CommandError && error.status === 2) return [];
    throw error;
  }
}

function listOf(addresses: readonly string[]): string {
  return addresses.join(', ') || 'it has none';
}
