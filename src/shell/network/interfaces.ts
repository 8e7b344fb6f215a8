// Asks netifd which network device each of OpenWrt's interfaces has.
import {
  type Interfaces,
  namedNetdevs,
  parseInterfaces,
  resolveInterfaces,
  type Understood,
} from '../../core/config/interface-names.ts';
import type { Config } from '../../core/config/types.ts';
import type { System } from '../system/system.ts';
import { UbusClient } from '../ubus/client.ts';
import { netdevExists } from './netdev.ts';

/** Longer than a router takes that is busy, shorter than a person waits for. */
const ANSWER_MS = 2000;

/** Asks for the interfaces; null where nobody answers. */
export type InterfaceReader = () => Promise<Interfaces | null>;

/** Who asks on the bus at this socket, over a connection of its own each time. */
export function interfaceReader(
  system: Pick<System, 'files' | 'sockets' | 'timers'>,
  socketPath: string,
): InterfaceReader {
  return async () => {
    if (!system.files.exists(socketPath)) return null;
    const bus = new UbusClient(system, { socketPath, requestTimeoutMs: ANSWER_MS });
    try {
      await bus.whenConnected(ANSWER_MS);
      return parseInterfaces(await bus.call('network.interface', 'dump'));
    } catch {
      return null; // no bus, or one without netifd
    } finally {
      bus.close();
    }
  };
}

/**
 * The configuration with network devices alone, as they are now; netifd is asked only where a name is none's.
 *
 * @returns null where it had to be asked and did not answer.
 */
export async function understandConfig(
  system: Pick<System, 'files'>,
  config: Config,
  readInterfaces: InterfaceReader,
): Promise<Understood | null> {
  const isNetdev = (name: string): boolean => netdevExists(system, name);
  if (namedNetdevs(config).every(isNetdev)) return { config, notes: [] };
  const interfaces = await readInterfaces();
  return interfaces && resolveInterfaces(config, interfaces, isNetdev);
}
