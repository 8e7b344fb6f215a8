// The endpoint's side towards the Internet: whether it has IPv6, the kernel's forwarding, and the netdev of devices' packets.
import { encodeConnect, portOf } from '../../core/delivery/probe-packets.ts';
import type { EndpointIdentity } from '../../core/endpoint/identity.ts';
import { DEVICE_MTU } from '../../core/plan/names.ts';
import { INNER_NETDEV, trialSource } from '../../core/plan/nft/nft-endpoint.ts';
import { ipJson } from '../network/ip-json.ts';
import { readMtu, readSysctl, setLink, writeSysctl } from '../network/netdev.ts';
import type { Sysctls } from '../network/sysctls.ts';
import type { System } from '../system/system.ts';

const DEVICE_QUEUE_PACKETS = 1000;
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
  await sysctls.set('net/ipv4/ip_forward', '1');
  if (!ipv6) return;
  // Forwarding makes the kernel deaf to router advertisements unless accept_ra is 2 (ip-sysctl.rst).
  const question = ['-6', 'route', 'show', 'default'];
  for (const { dev } of await ipJson<{ dev?: string }>(system, question)) {
    const path = `net/ipv6/conf/${dev}/accept_ra`;
    if ((await readSysctl(system, path)) === '1') await sysctls.set(path, '2');
  }
  await sysctls.set('net/ipv6/conf/all/forwarding', '1');
}

/** Settings of the netdev of devices' packets, after it was made. */
export async function configureNetdev(
  system: System,
  { address4, address6 }: { address4: string; address6: string | null },
): Promise<void> {
  await setLink(system, INNER_NETDEV, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
  await writeSysctl(system, `net/ipv4/conf/${INNER_NETDEV}/rp_filter`, '0');
  await writeSysctl(system, `net/ipv6/conf/${INNER_NETDEV}/accept_ra`, '0');
  const words = ['dev', INNER_NETDEV];
  await system.processes.run(['ip', 'addr', 'replace', address4, ...words]);
  if (address6 === null) return;
  await system.processes.run(['ip', 'addr', 'replace', address6, ...words, 'nodad']);
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
