// The settings of the netdev that devices' packets take, and of the one OpenVPN makes.
import { DEVICE_MTU, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { netdevExists, netdevIndex, setLink, writeSysctl } from '../network/netdev.ts';
import type { Sysctls } from '../network/sysctls.ts';
import type { System } from '../system/system.ts';

const DEVICE_QUEUE_PACKETS = 500;

/** Its settings, after it was made and whenever others may have changed them; those of the whole system are put back later. */
export async function configureNetdev(
  system: Pick<System, 'files' | 'processes'>,
  sysctls: Sysctls,
  netdev: string,
): Promise<void> {
  if (!netdevExists(system, netdev)) return;
  await setLink(system, netdev, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
  await writeSysctl(system, `net/ipv4/conf/${netdev}/rp_filter`, '2');
  await writeSysctl(system, `net/ipv6/conf/${netdev}/accept_ra`, '0');
  await sysctls.set('net/ipv4/ip_forward', '1');
}

/** The netdev that OpenVPN has made: nothing but the streams leaves by it. Resolves with its index, null where there is none. */
export async function configureTunnel(system: Pick<System, 'files'>): Promise<number | null> {
  await writeSysctl(system, `net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
  return netdevIndex(system, TUNNEL_NETDEV);
}
