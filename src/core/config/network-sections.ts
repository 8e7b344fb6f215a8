// Reads the sections of type network: LAN interfaces behind which everything is a device.
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
  const owners = new Map(takenNetdevs.map((name) => [name, `${name}, which is taken`]));
  owners.set(tunnel.interface, `${packageName}.tunnel.interface`);
  return found.map((one) => {
    const values = reading.read(networkSection, one, one.path);
    const { device } = values;
    const path = `${one.path}.device`;
    const owner = owners.get(device);
    if (owner !== undefined)
      reading.errors.push(problem(path, `must differ from ${owner}`, device));
    else if (typeof device === 'string') owners.set(device, path);
    return { section: one.name, ...values };
  });
}
