// A plain OpenVPN tunnel, and a generator at each end that sends what a shaped stream's slots are: what shaping is compared with.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { COVER_PORT } from '../../../src/core/plan/names.ts';
import { Cleanup } from '../../../src/research/lab/bed/cleanup.ts';
import { buildNetwork } from '../../../src/research/lab/bed/namespaces.ts';
import { planTopology, type Topology } from '../../../src/research/lab/bed/topology.ts';
import { labDefaults } from '../../../src/research/lab/options.ts';
import { plainTunnel, startPlainTunnel } from '../../../src/research/lab/variants/plain-tunnel.ts';
import { run } from '../../../src/shell/system/node/processes.ts';

const GENERATOR = resolve('build/test/bench/wire-cost/generator.js');

/** As at the ends of a shaped tunnel: what is sent to nobody ends before anything answers it. */
const dropRules = `table inet iotlab_generator {
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "${plainTunnel.netdev}" udp dport ${COVER_PORT} drop
  }
}
`;

export class PlainTunnel {
  readonly topology: Topology;
  /** OpenVPN's process at each end. */
  readonly pids: { home: number; endpoint: number };
  readonly #cleanup: Cleanup;
  #generators: ChildProcess[] = [];

  private constructor(topology: Topology, pids: PlainTunnel['pids'], cleanup: Cleanup) {
    this.topology = topology;
    this.pids = pids;
    this.#cleanup = cleanup;
  }

  /** Builds a lab of its own and brings the tunnel up. */
  static async start(id: string): Promise<PlainTunnel> {
    const topology = planTopology({ id, ipv6: false });
    const cleanup = new Cleanup((fault) => console.error(fault));
    try {
      const workFolder = await mkdtemp(join(tmpdir(), `iotshaper-${id}-`));
      cleanup.add(() => rm(workFolder, { recursive: true, force: true }));
      const logFolder = join(workFolder, 'logs');
      await mkdir(logFolder);
      await buildNetwork(topology, cleanup);
      const { home, endpoint } = await startPlainTunnel({
        topology,
        options: {
          ...labDefaults,
          ...{ variant: 'vpn', out: workFolder, replay: null, devices: null, alternateS: null },
          ...{ dropPercent: 0, ipv6: false, id },
        },
        workFolder,
        logFolder,
        cleanup,
        progress: { step: () => {}, tick: () => {}, warn: (words) => console.error(words) },
        signal: new AbortController().signal,
      });
      const pids = { home: home[0]!.pid, endpoint: endpoint[0]!.pid };
      for (const place of ['router', 'endpoint'] as const) {
        await run(['nft', '-f', '-'], { netns: topology.names[place], input: dropRules });
      }
      // The services it is compared with take whichever core is free.
      const all = `0-${availableParallelism() - 1}`;
      for (const pid of Object.values(pids))
        await run(['taskset', '-a', '-c', '-p', all, `${pid}`]);
      return new PlainTunnel(topology, pids, cleanup);
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  /** Sends at this rate each way, until it is told another one. */
  generate(rateKBps: number, packetBytes: number, seed: number): void {
    this.quiet();
    this.#generators = (['router', 'endpoint'] as const).map((place, index) => {
      const peer = place === 'router' ? plainTunnel.endpointAddress : plainTunnel.homeAddress;
      const words = [peer, rateKBps, packetBytes, seed + index].map(String);
      const netns = ['netns', 'exec', this.topology.names[place]];
      return spawn('ip', [...netns, process.execPath, GENERATOR, ...words], { stdio: 'ignore' });
    });
  }

  quiet(): void {
    for (const generator of this.#generators) generator.kill('SIGKILL');
    this.#generators = [];
  }

  /** Packets that have gone into the tunnel at the home, and come out there. */
  async packets(): Promise<{ up: number; down: number }> {
    const folder = `/sys/class/net/${plainTunnel.netdev}/statistics`;
    const files = [`${folder}/tx_packets`, `${folder}/rx_packets`];
    const { stdout } = await run(['cat', ...files], { netns: this.topology.names.router });
    const [up = 0, down = 0] = stdout.trim().split('\n').map(Number);
    return { up, down };
  }

  async close(): Promise<void> {
    this.quiet();
    await this.#cleanup.run();
  }
}
