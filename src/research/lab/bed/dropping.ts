// A provider that loses datagrams of the tunnel, and counts them.
import { run } from '../../../shell/system/node/processes.ts';
import { LabError } from '../error.ts';
import type { StartedVariant, VariantContext } from '../variants/variant.ts';

/** The provider loses some of the tunnel's datagrams: after its capture on the way up, before it on the way down. */
export async function startDropping(
  { topology, options }: VariantContext,
  { tunnelPort }: StartedVariant,
): Promise<void> {
  if (tunnelPort === null)
    throw new LabError('--drop: this variant has no tunnel to drop datagrams of');
  const share = `numgen random mod 10000 < ${Math.round(options.dropPercent * 100)}`;
  const rules = `table inet iotlab_drop {
  chain forward {
    type filter hook forward priority filter;
    iifname "home" udp dport ${tunnelPort} ${share} counter drop comment "up"
    oifname "home" udp sport ${tunnelPort} ${share} counter drop comment "down"
  }
}
`;
  await run(['nft', '-f', '-'], { netns: topology.names.provider, input: rules });
}

/** Datagrams it has lost so far. */
export async function readDrops({
  topology,
  options,
}: VariantContext): Promise<{ up: number; down: number }> {
  if (options.dropPercent === 0) return { up: 0, down: 0 };
  const { stdout } = await run(['nft', 'list', 'table', 'inet', 'iotlab_drop'], {
    netns: topology.names.provider,
  });
  const dropped = (which: string) =>
    Number(stdout.match(new RegExp(`packets (\\d+) .*comment "${which}"`))?.[1] ?? 0);
  return { up: dropped('up'), down: dropped('down') };
}
