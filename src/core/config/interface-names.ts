// OpenWrt's names of interfaces where a network device is asked for: `iot` is understood as `br-iot`. Pure.
import { type Notice, notice } from '../notices/notice.ts';
import { packageName } from './config-reading.ts';
import type { Config } from './types.ts';

/** Names of interfaces, each with its network device. */
export type Interfaces = ReadonlyMap<string, string>;

/** A configuration whose options name network devices alone. */
export interface Understood {
  config: Config;
  /** What was understood instead of what stands there, one for each option. */
  notes: Notice[];
}

/** Reads the answer of `ubus call network.interface dump`; whatever is not as netifd has it is left out. */
export function parseInterfaces(dump: unknown): Interfaces {
  const found = new Map<string, string>();
  const { interface: listed } = (dump ?? {}) as { interface?: unknown };
  if (!Array.isArray(listed)) return found;
  for (const { interface: name, l3_device, device } of listed.filter(isObject)) {
    // While an interface is down only the device it is configured with is told.
    const netdev = l3_device ?? device;
    if (typeof name === 'string' && typeof netdev === 'string') found.set(name, netdev);
  }
  return found;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Every name of a network device that the configuration asks the router for. */
export function namedNetdevs({ networks, main }: Config): string[] {
  return [...new Set([...networks.map(({ device }) => device), ...main.house])];
}

/**
 * Puts network devices in the place of interfaces' names.
 *
 * @param isNetdev whether there is a network device of this name: it is what is meant then.
 */
export function resolveInterfaces(
  config: Config,
  interfaces: Interfaces,
  isNetdev: (name: string) => boolean,
): Understood {
  const notes: Notice[] = [];
  const resolve = (name: string, path: string): string => {
    const netdev = isNetdev(name) ? undefined : interfaces.get(name);
    if (netdev === undefined || netdev === name) return name;
    notes.push(notice('interface-understood', { path, name, netdev }));
    return netdev;
  };
  const networks = config.networks.map((network) => ({
    ...network,
    device: resolve(network.device, `${packageName}.${network.section}.device`),
  }));
  const house = config.main.house.map((name) => resolve(name, `${packageName}.main.house`));
  const isFirst = ({ device }: { device: string }, index: number) =>
    networks.findIndex((other) => other.device === device) === index;
  return {
    config: {
      ...config,
      main: { ...config.main, house: [...new Set(house)] },
      // Two names may mean the same.
      networks: networks.filter(isFirst),
    },
    notes,
  };
}
