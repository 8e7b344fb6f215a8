// The endpoint's side towards the Internet: whether it has IPv6, the kernel's forwarding, and the netdev of devices' packets.

import { encodeConnect, portOf } from '../../core/delivery/probe-packets.ts';
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import { findNear, type ListedLink, type ListedRoute } from '../../core/endpoint/surroundings.ts';
import { networkOf } from '../../core/ip/address.ts';
import { DEVICE_MTU, FIXED_NETDEVS, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { INNER_NETDEV, NOT_INTERNET, trialSource } from '../../core/plan/nft/nft-endpoint.ts';
import { ipJson } from '../network/ip-json.ts';
import {
  netdevIndex,
  readMtu,
  readSysctl,
  setLink,
  setUp,
  writeSysctl,
} from '../network/netdev.ts';
import type { Sysctls } from '../network/sysctls.ts';
import { keepLittleUnresolved } from '../network/unresolved.ts';
import type { System } from '../system/system.ts';

const DEVICE_QUEUE_PACKETS = 1000;
const FORWARD_4 = 'net/ipv4/ip_forward';
const FORWARD_6 = 'net/ipv6/conf/all/forwarding';
/** Of a root name server: an address on the Internet for as long as there is one. Nothing is ever sent there. */
const TRIAL_ADDRESS = '198.41.0.4';

/** Whether the Internet is reached by IPv6. */
export async function hasIpv6({ processes }: Pick<System, 'processes'>): Promise<boolean> {
  const argv = ['ip', '-6', 'route', 'show', 'default'];
  return (await processes.run(argv)).stdout.trim() !== '';
}

/** Has the kernel pass packets on, for as long as these settings are kept. */
export async function allowForwarding(
  system: System,
  sysctls: Sysctls,
  ipv6: boolean,
): Promise<void> {
  await sysctls.set(FORWARD_4, '1');
  await keepLittleUnresolved(sysctls, await uplinksOf(system, '-4'));
  if (!ipv6) return;
  const uplinks = await uplinksOf(system, '-6');
  await keepLittleUnresolved(sysctls, uplinks);
  // Forwarding makes the kernel deaf to router advertisements unless accept_ra is 2 (ip-sysctl.rst).
  for (const dev of uplinks) {
    const path = `net/ipv6/conf/${dev}/accept_ra`;
    if ((await readSysctl(system, path)) === '1') await sysctls.set(path, '2');
  }
  await sysctls.set(FORWARD_6, '1');
}

/** Netdevs that default routes of a family name. */
async function uplinksOf(
  system: Pick<System, 'processes'>,
  family: '-4' | '-6',
): Promise<string[]> {
  const routes = await ipJson<{ dev?: string }>(system, [family, 'route', 'show', 'default']);
  return routes.map(({ dev }) => dev).filter((dev) => dev !== undefined);
}

/** Switches that {@link allowForwarding} has set and that are off, as sysctl names them. */
export async function findSwitchedOff(
  system: Pick<System, 'files'>,
  ipv6: boolean,
): Promise<string[]> {
  const off: string[] = [];
  for (const path of [FORWARD_4, ...(ipv6 ? [FORWARD_6] : [])]) {
    if ((await readSysctl(system, path)) === '0') off.push(path.replaceAll('/', '.'));
  }
  return off;
}

/** Netdevs with their addresses; null where ip does not say. */
export async function readLinks(
  system: Pick<System, 'processes'>,
): Promise<readonly ListedLink[] | null> {
  try {
    return await ipJson<ListedLink>(system, ['addr', 'show']);
  } catch {
    return null;
  }
}

/** Networks this machine is in, see {@link findNear}. */
export async function readNear(system: Pick<System, 'processes'>): Promise<string[]> {
  const links = await ipJson<ListedLink>(system, ['addr', 'show']);
  const routes: ListedRoute[] = [];
  for (const family of ['-4', '-6'])
    routes.push(...(await ipJson<ListedRoute>(system, [family, 'route', 'show', 'table', 'main'])));
  return findNear(links, routes, [INNER_NETDEV, ...FIXED_NETDEVS], NOT_INTERNET);
}

/** The tunnel's netdev as OpenVPN made it; its queue goes on. */
export async function putTunnelBack(
  system: Pick<System, 'processes'>,
  address: string,
): Promise<void> {
  await setUp(system, TUNNEL_NETDEV);
  const on = ['dev', TUNNEL_NETDEV];
  await system.processes.run(['ip', 'addr', 'replace', address, ...on]);
  const [own = '', length] = address.split('/');
  const route = [networkOf(own, Number(length)), ...on, 'proto', 'kernel', 'scope', 'link'];
  await system.processes.run(['ip', 'route', 'replace', ...route, 'src', own]);
}

/** Settings of the netdev of devices' packets, after it was made; resolves with its index. */
export async function configureNetdev(
  system: System,
  { address4, address6 }: { address4: string; address6: string | null },
): Promise<number | null> {
  const index = await netdevIndex(system, INNER_NETDEV);
  await setLink(system, INNER_NETDEV, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
  await writeSysctl(system, `net/ipv4/conf/${INNER_NETDEV}/rp_filter`, '0');
  await writeSysctl(system, `net/ipv6/conf/${INNER_NETDEV}/accept_ra`, '0');
  const words = ['dev', INNER_NETDEV];
  await system.processes.run(['ip', 'addr', 'replace', address4, ...words]);
  if (address6 !== null)
    await system.processes.run(['ip', 'addr', 'replace', address6, ...words, 'nodad']);
  return index;
}

/** A packet as if a home had sent it; rules of ours count it behind the forward hook and let it go no further. */
export function drawTrial(
  { randomBytes }: Pick<System, 'randomBytes'>,
  identity: EndpointIdentity,
): Uint8Array {
  const [high = 0, low = 0] = randomBytes(2);
  return encodeConnect(trialSource(identity), TRIAL_ADDRESS, portOf(high, low));
}

/** MTU of the netdev that the first default route names. */
export async function readUplinkMtu({ files }: Pick<System, 'files'>): Promise<number | null> {
  const routes = await files.readText('/proc/net/route').catch(() => '');
  const [, name] = /^(\S+)\t00000000\t/m.exec(routes) ?? [];
  return name === undefined ? null : readMtu({ files }, name);
}
