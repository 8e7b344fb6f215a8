// What a home's service leaves on the machine, taken away.
import { TABLE } from '../../core/plan/names.ts';
import { deleteTable } from '../network/nft.ts';
import { applyInsideRoutes, removeRoutes } from '../network/routing.ts';
import { endLeftovers } from '../system/leftovers.ts';
import type { System } from '../system/system.ts';
import { isSocatOf } from '../tunnel/packet-port.ts';

/** Removes what the service makes on a home, found by name, whoever made it. */
export async function removeEverything(system: System, netdev: string): Promise<void> {
  await endLeftovers(system, (argv) => isSocatOf(netdev, argv));
  await removeRoutes(system);
  await deleteTable(system, TABLE);
  await applyInsideRoutes(system, []);
}
