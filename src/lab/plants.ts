// Leaks planted on the running datapath from outside the product, at every event: what an audit has to find.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { TUNNEL_OVERHEAD_BYTES } from '../cost/cost.ts';
import { run } from '../system/command.ts';
import type { PlannedEvent } from './emulators/plan.ts';
import { LabError } from './error.ts';
import { playOnTime } from './play-on-time.ts';
import { lab } from './topology.ts';
import type { StartedVariant, VariantContext } from './variants/variant.ts';

const pauseMs = 200;

/**
 * Plants the leak of `options.plant` at each event.
 * @throws {LabError} where the variant has no tunnel
 */
export async function startPlant(
  context: VariantContext,
  { tunnelPort }: StartedVariant,
  events: readonly PlannedEvent[],
  startMs: number,
): Promise<void> {
  const { options, topology, progress } = context;
  if (tunnelPort === null) throw new LabError('--plant: this variant has no tunnel to leak by');
  const netns = topology.names.router;
  const plant =
    options.plant === 'pause'
      ? await preparePause(netns)
      : await prepareExtraSlot(netns, tunnelPort, options.packetBytes);
  playOnTime(events, startMs, () => {
    plant().catch((error: Error) => progress.warn(`planting: ${error.message}`));
  });
}

async function preparePause(netns: string): Promise<() => Promise<void>> {
  const { stdout } = await run(['ip', 'netns', 'pids', netns]);
  const pids = stdout.split('\n').filter(Boolean).map(Number);
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8')));
  const openvpn = pids.find((_, i) => names[i]!.trim() === 'openvpn');
  if (openvpn === undefined) throw new LabError('--plant pause: no OpenVPN runs in the home');
  return async () => {
    process.kill(openvpn, 'SIGSTOP');
    await delay(pauseMs);
    process.kill(openvpn, 'SIGCONT');
  };
}

/** A quota of one datagram that is filled up again at every event; what it lets through is sent twice. */
async function prepareExtraSlot(
  netns: string,
  tunnelPort: number,
  packetBytes: number,
): Promise<() => Promise<void>> {
  // One datagram fits, two do not.
  const quotaBytes = Math.round(1.5 * (packetBytes + TUNNEL_OVERHEAD_BYTES));
  const rules = `table ip iotlab_plant {
  quota extra {
    until ${quotaBytes} bytes used ${quotaBytes} bytes
  }
  chain postrouting {
    type filter hook postrouting priority 300;
    oifname "wan" udp dport ${tunnelPort} quota name "extra" dup to ${providerAddress} device "wan"
  }
}
`;
  await run(['nft', '-f', '-'], { netns, input: rules });
  return async () => {
    await run(['nft', 'reset', 'quota', 'ip', 'iotlab_plant', 'extra'], { netns });
  };
}

/** The next hop of everything that leaves the home. */
const providerAddress = lab.homeAddress.replace(/\d+$/, '1');
