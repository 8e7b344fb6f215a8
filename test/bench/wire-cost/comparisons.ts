// What shaping is compared with: a plain OpenVPN tunnel with a generator at each end that sends what a shaped stream's slots are,
// and the paper's prototype.
import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { COVER_PORT } from '../../../src/core/plan/names.ts';
import { startPaper } from '../../../src/research/lab/variants/paper.ts';
import { plainTunnel, startPlainTunnel } from '../../../src/research/lab/variants/plain-tunnel.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { TunnelLab } from './tunnel-lab.ts';

const PROGRAM = resolve('dist/iotshaper.js');
const GENERATOR = resolve('build/test/bench/wire-cost/generator.js');

/** As at the ends of a shaped tunnel: what is sent to nobody ends before anything answers it. */
const dropRules = `table inet iotlab_generator {
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "${plainTunnel.netdev}" udp dport ${COVER_PORT} drop
  }
}
`;

/** The prototype, which keeps one rate for as long as it stands; a cover sender is one of its processes. */
export function buildPaper(id: string, rateKBps: number, packetBytes: number): Promise<TunnelLab> {
  return TunnelLab.build({
    ...{ id, variant: 'paper', rateKBps, packetBytes },
    start: (context) => startPaper(context, [process.execPath, PROGRAM, 'lab', 'cover']),
  });
}

export class PlainTunnel {
  readonly lab: TunnelLab;
  #generators: ChildProcess[] = [];

  private constructor(lab: TunnelLab) {
    this.lab = lab;
  }

  /** Builds a lab of its own and brings the tunnel up. */
  static async start(id: string, packetBytes: number): Promise<PlainTunnel> {
    const lab = await TunnelLab.build({
      ...{ id, variant: 'vpn', rateKBps: 0, packetBytes },
      start: startPlainTunnel,
    });
    for (const place of ['router', 'endpoint'] as const) {
      await run(['nft', '-f', '-'], { netns: lab.topology.names[place], input: dropRules });
    }
    return new PlainTunnel(lab);
  }

  /** Sends at this rate each way, until it is told another one; resolves with the senders' processes. */
  generate(
    rateKBps: number,
    packetBytes: number,
    seed: number,
  ): { home: number[]; endpoint: number[] } {
    this.quiet();
    this.#generators = (['router', 'endpoint'] as const).map((place, index) => {
      const peer = place === 'router' ? plainTunnel.endpointAddress : plainTunnel.homeAddress;
      const words = [peer, rateKBps, packetBytes, seed + index].map(String);
      return this.lab.start(place, [process.execPath, GENERATOR, ...words]);
    });
    const [home, endpoint] = this.#generators;
    return { home: [home!.pid!], endpoint: [endpoint!.pid!] };
  }

  quiet(): void {
    for (const generator of this.#generators) generator.kill('SIGKILL');
    this.#generators = [];
  }

  /** Packets that have gone into the tunnel at the home, and come out there. */
  async packets(): Promise<{ up: number; down: number }> {
    const folder = `/sys/class/net/${plainTunnel.netdev}/statistics`;
    const files = [`${folder}/tx_packets`, `${folder}/rx_packets`];
    const { stdout } = await run(['cat', ...files], { netns: this.lab.topology.names.router });
    const [up = 0, down = 0] = stdout.trim().split('\n').map(Number);
    return { up, down };
  }

  async close(): Promise<void> {
    this.quiet();
    await this.lab.close();
  }
}
