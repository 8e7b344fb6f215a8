// The settings of the netdev that devices' packets take, and of the one OpenVPN makes.
import type { Work } from '../../core/home/machine/events.ts';
import { DEVICE_MTU, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { netdevExists, netdevIndex, readSysctl, setLink, writeSysctl } from '../network/netdev.ts';
import type { Sysctls } from '../network/sysctls.ts';
import { keepLittleUnresolved } from '../network/unresolved.ts';
import type { System } from '../system/system.ts';

const DEVICE_QUEUE_PACKETS = 500;

/** Its settings, after it was made and whenever others may have changed them; those of the whole system are put back later. */
export async function configureNetdev(
  system: Pick<System, 'files' | 'processes'>,
  sysctls: Sysctls,
  { netdev, houseNetdevs, uplinks }: Omit<Extract<Work, { part: 'netdev' }>, 'part'>,
): Promise<void> {
  await keepLittleUnresolved(sysctls, uplinks);
  if (!netdevExists(system, netdev)) return;
  await setLink(system, netdev, DEVICE_MTU, DEVICE_QUEUE_PACKETS);
  await writeSysctl(system, `net/ipv4/conf/${netdev}/rp_filter`, '2');
  await writeSysctl(system, `net/ipv6/conf/${netdev}/accept_ra`, '0');
  await sysctls.set('net/ipv4/ip_forward', '1');
  await loosenReversePaths(system, sysctls, houseNetdevs);
}

/**
 * Where marks count in looking for the way back (`src_valid_mark`, as wg-quick sets it), a marked packet of a device seems to
 * have come in by the wrong netdev: strict filtering drops it, loose does not (fib_frontend.c). The larger of the values for
 * all and for one netdev counts.
 *
 * @param netdevs by which devices' packets come in.
 */
async function loosenReversePaths(
  system: Pick<System, 'files'>,
  sysctls: Sysctls,
  netdevs: readonly string[],
): Promise<void> {
  for (const netdev of netdevs) {
    const most = async (name: string): Promise<number> => {
      const paths = ['all', netdev].map((one) => `net/ipv4/conf/${one}/${name}`);
      const values = await Promise.all(paths.map((path) => readSysctl(system, path)));
      return Math.max(...values.map(Number));
    };
    if ((await most('src_valid_mark')) !== 1 || (await most('rp_filter')) !== 1) continue;
    await sysctls.set(`net/ipv4/conf/${netdev}/rp_filter`, '2');
  }
}

/** The netdev that OpenVPN has made: nothing but the streams leaves by it. Resolves with its index, null where there is none. */
export async function configureTunnel(system: Pick<System, 'files'>): Promise<number | null> {
  await writeSysctl(system, `net/ipv6/conf/${TUNNEL_NETDEV}/disable_ipv6`, '1');
  return netdevIndex(system, TUNNEL_NETDEV);
}
