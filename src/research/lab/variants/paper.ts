// The paper's prototype as written, for comparison: bytes metered on the tunnel, nothing padded, cover by a timer.
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { run } from '../../../shell/system/node/processes.ts';
import { ownArgv, startProcess } from '../bed/processes.ts';
import { LabError } from '../error.ts';
import { plainTunnel, startPlainTunnel } from './plain-tunnel.ts';
import type { StartedVariant, VariantContext } from './variant.ts';

const COVER_PORT = 9;
/** How much more cover is sent than the rate needs: the shaper keeps the rate. */
const excess = 1.25;
const timerMs = 50;

/**
 * Tunnel, HTB over two priorities and a cover sender at either end.
 *
 * @param coverArgv what runs a cover sender; its own words follow
 */
export async function startPaper(
  context: VariantContext,
  coverArgv: readonly string[] = ownArgv('lab', 'cover'),
): Promise<StartedVariant> {
  const started = await startPlainTunnel(context);
  const { router, endpoint } = context.topology.names;
  const { rateKBps, packetBytes } = context.options;
  context.progress.step('shaping the tunnel as the paper did');
  for (const [netns, peer, processes, name] of [
    [router, plainTunnel.endpointAddress, started.home, 'router'],
    [endpoint, plainTunnel.homeAddress, started.endpoint, 'endpoint'],
  ] as const) {
    await run(['tc', '-batch', '-'], { netns, input: shaperBatch(rateKBps) });
    await run(['nft', '-f', '-'], { netns, input: coverRules });
    const cover = await startProcess({
      argv: [...coverArgv, peer, String(packetBytes), String(rateKBps)],
      netns,
      core: 'shaping',
      logPath: join(context.logFolder, `cover-${name}.log`),
    });
    context.cleanup.add(() => cover.stop());
    processes.push(cover);
  }
  return { ...started, expectedKBps: rateKBps };
}

/** HTB: one rate, devices before cover, each lending what it does not use to the other. */
function shaperBatch(rateKBps: number): string {
  const dev = `dev ${plainTunnel.netdev}`;
  const rate = `${Math.round(rateKBps * 1000)}bps`; // tc's bps are bytes
  const half = `${Math.round(rateKBps * 500)}bps`;
  return `qdisc add ${dev} root handle 1: htb default 10
class add ${dev} parent 1: classid 1:1 htb rate ${rate} ceil ${rate}
class add ${dev} parent 1:1 classid 1:10 htb rate ${half} ceil ${rate} prio 0
class add ${dev} parent 1:1 classid 1:20 htb rate ${half} ceil ${rate} prio 1
filter add ${dev} parent 1: protocol ip u32 match ip protocol 17 0xff match ip dport ${COVER_PORT} 0xffff flowid 1:20
`;
}

const coverRules = `table inet iotlab_cover {
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "${plainTunnel.netdev}" udp dport ${COVER_PORT} drop
  }
}
`;

/**
 * Sends cover to `peer` by a timer until it is ended; `lab cover` of the command line.
 * @param packetBytes length of each IP packet
 */
export function runCover(peer: string, packetBytes: number, rateKBps: number): void {
  if (!(packetBytes > 28 && rateKBps > 0)) {
    throw new LabError('lab cover: packet size must be above 28 bytes and the rate above 0 KB/s');
  }
  const socket = createSocket('udp4');
  const payload = Buffer.alloc(packetBytes - 28);
  let outstanding = 0;
  let owed = 0;
  socket.on('error', () => {}); // the tunnel may be down for a moment
  setInterval(() => {
    owed += (excess * rateKBps * timerMs) / packetBytes;
    for (; owed >= 1; owed--) {
      if (outstanding > 64) continue; // the shaper's queue is full of it
      outstanding++;
      socket.send(payload, COVER_PORT, peer, () => {
        outstanding--;
      });
    }
  }, timerMs);
}
