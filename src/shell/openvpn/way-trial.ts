// Finds out who answers where an endpoint does not: its machine otherwise, and the resolvers that this machine asks anyway.

import { encodeRootQuestion } from '../../core/delivery/probe-packets.ts';
import { ipVersion } from '../../core/ip/address.ts';
import type { WayEvidence } from '../../core/openvpn/troubles.ts';
import { DNS_PORT } from '../../core/plan/names.ts';
import { CommandError } from '../system/command.ts';
import { pause, type System } from '../system/system.ts';

const ANSWER_MS = 2000;
/** OpenWrt keeps those that its interfaces were told in the first one. */
const RESOLVER_FILES = ['/tmp/resolv.conf.d/resolv.conf.auto', '/etc/resolv.conf'];
const LOOPBACK = /^(?:127\.|::1$)/;
const MOST_RESOLVERS = 3;

type WaySystem = Pick<System, 'files' | 'processes' | 'sockets' | 'timers' | 'randomBytes'>;

/** Asks both at once; takes {@link ANSWER_MS} at most. */
export async function tryWay(system: WaySystem, address: string): Promise<WayEvidence> {
  const [server, names] = await Promise.all([ping(system, address), askNames(system)]);
  return { server, names };
}

/** Null where there is no ping. */
async function ping({ processes }: WaySystem, address: string): Promise<boolean | null> {
  const seconds = `${ANSWER_MS / 1000}`;
  try {
    await processes.run(['ping', '-c', '1', '-W', seconds, address], { timeoutMs: 2 * ANSWER_MS });
    return true;
  } catch (error) {
    return error instanceof CommandError && error.status !== null ? false : null;
  }
}

/** Null where no resolver is known but those of this machine itself. */
async function askNames(system: WaySystem): Promise<boolean | null> {
  const resolvers = await readResolvers(system);
  if (resolvers.length === 0) return null;
  const answers = await Promise.all(resolvers.map((address) => asksOne(system, address)));
  return answers.some(Boolean);
}

async function readResolvers({ files }: WaySystem): Promise<string[]> {
  for (const path of RESOLVER_FILES) {
    const text = await files.readText(path).catch(() => '');
    const named = [...text.matchAll(/^nameserver (\S+)/gm)].map(([, address = '']) => address);
    const found = named.filter((one) => ipVersion(one) !== 0 && !LOOPBACK.test(one));
    if (found.length > 0) return found.slice(0, MOST_RESOLVERS);
  }
  return [];
}

async function asksOne(
  { sockets, timers, randomBytes }: WaySystem,
  address: string,
): Promise<boolean> {
  const [high = 0, low = 0] = randomBytes(2);
  const { question, isAnswer } = encodeRootQuestion((high << 8) | low);
  const answered = new AbortController();
  let hasAnswer = false;
  const local = { address: address.includes(':') ? '::' : '0.0.0.0', port: 0 };
  try {
    const socket = await sockets.openUdp({
      local,
      onMessage: (datagram, from) => {
        if (from.port !== DNS_PORT || !isAnswer(datagram)) return;
        hasAnswer = true;
        answered.abort();
      },
    });
    try {
      socket.sendTo(question, address, DNS_PORT);
      await pause(timers, ANSWER_MS, answered.signal);
    } finally {
      socket.close();
    }
  } catch {
    return false;
  }
  return hasAnswer;
}
