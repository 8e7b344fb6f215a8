// Reads the sections of type network: LAN interfaces behind which everything is a device.
import { notice } from '../notices/notice.ts';
import { problem } from './config-error.ts';
import { type Found, packageName, type Reading } from './config-reading.ts';
import { networkSection } from './options/options.ts';
import type { NetworkConfig, TunnelConfig } from './types.ts';

/** Network devices the kernel or the service itself has under these names. */
export const takenNetdevs: readonly string[] = ['lo', 'iotvpn0'];

/** No two networks may be the same, and none the tunnel; problems go to `reading`. */
export function readNetworks(
  found: readonly Found[],
  tunnel: TunnelConfig,
  reading: Reading,
): NetworkConfig[] {
  const owners = new Map([[tunnel.interface, `${packageName}.tunnel.interface`]]);
  return found.map((one) => {
    const values = reading.read(networkSection, one, one.path);
    const { device } = values;
    const path = `${one.path}.device`;
    const other = owners.get(device);
    if (other !== undefined) {
      reading.errors.push(problem(path, device, (at) => notice('same-as-other', { ...at, other })));
    } else if (takenNetdevs.includes(device)) {
      reading.errors.push(
        problem(path, device, (at) => notice('netdev-name-taken', { ...at, name: device })),
      );
    } else if (typeof device === 'string') owners.set(device, path);
    return { section: one.name, ...values };
  });
}
