// A firewall that lets no device out of the home: the paper's first defence (its section 6.1).
import { run } from '../../../shell/system/node/processes.ts';
import { lab } from '../bed/topology.ts';
import { type StartedVariant, type VariantContext, withoutTunnel } from './variant.ts';

/** Refuses what devices send to the Internet; they reach the router as before, its resolver among it. */
export async function startBlocking({
  topology,
  progress,
}: VariantContext): Promise<StartedVariant> {
  progress.step('shutting the devices in');
  await run(['nft', '-f', '-'], { netns: topology.names.router, input: rules });
  return withoutTunnel;
}

const rules = `table inet iotlab_block {
  chain forward {
    type filter hook forward priority filter;
    iifname "${lab.bridge}" oifname "wan" reject
  }
}
`;
