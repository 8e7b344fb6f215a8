// The netdev that devices' packets take into the tunnel.
import { DEVICE_MTU } from '../../core/plan/names.ts';
import { netdevExists, setLink, writeSysctl } from '../network/netdev.ts';
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
