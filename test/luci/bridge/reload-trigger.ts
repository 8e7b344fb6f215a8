// What tells the service that its configuration was committed.
import type { UbusClient } from '../../../src/shell/ubus/client.ts';

/**
 * As rpcd's apply runs `reload_config`, on which procd runs the init script of every service with a
 * reload trigger for a committed configuration. `iotshaper` has one for itself; here it is asked to
 * reload over the bus. Resolves when it has; a service that does not run hears nothing.
 *
 * @param configs names of the configurations committed
 */
export async function triggerReload(bus: UbusClient, configs: readonly string[]): Promise<void> {
  if (configs.includes('iotshaper')) await bus.call('iotshaper', 'reload').catch(() => {});
}
