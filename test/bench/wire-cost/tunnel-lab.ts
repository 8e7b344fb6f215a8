// A lab of its own in which one of the lab's variants stands, for the bench to play devices in and to read what it takes.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from '../../../src/research/lab/bed/cleanup.ts';
import { buildNetwork } from '../../../src/research/lab/bed/namespaces.ts';
import { planTopology, type Topology } from '../../../src/research/lab/bed/topology.ts';
import { labDefaults, type Variant } from '../../../src/research/lab/options.ts';
import type { StartedVariant, VariantContext } from '../../../src/research/lab/variants/variant.ts';
import { run } from '../../../src/shell/system/node/processes.ts';

export interface TunnelLabOptions {
  id: string;
  variant: Variant;
  rateKBps: number;
  packetBytes: number;
  start(context: VariantContext): Promise<StartedVariant>;
}

export class TunnelLab {
  readonly topology: Topology;
  /** Processes that do the protecting at each end. */
  readonly pids: { home: number[]; endpoint: number[] };
  /** How long the variant took from nothing, its keys made, s. */
  readonly startS: number;
  readonly #folder: string;
  readonly #cleanup: Cleanup;

  private constructor(
    { topology, workFolder, cleanup }: VariantContext,
    pids: TunnelLab['pids'],
    startS: number,
  ) {
    this.topology = topology;
    this.pids = pids;
    this.startS = startS;
    this.#folder = workFolder;
    this.#cleanup = cleanup;
  }

  static async build({ id, start, ...asked }: TunnelLabOptions): Promise<TunnelLab> {
    const cleanup = new Cleanup((fault) => console.error(fault));
    try {
      const workFolder = await mkdtemp(join(tmpdir(), `iotshaper-${id}-`));
      cleanup.add(() => rm(workFolder, { recursive: true, force: true }));
      const logFolder = join(workFolder, 'logs');
      await mkdir(logFolder);
      const topology = planTopology({ id, ipv6: false });
      await buildNetwork(topology, cleanup);
      const context: VariantContext = {
        ...{ topology, workFolder, logFolder, cleanup },
        options: {
          ...{ ...labDefaults, ...asked, id, out: workFolder },
          ...{ replay: null, devices: null, alternateS: null, dropPercent: 0, ipv6: false },
        },
        progress: { step: () => {}, tick: () => {}, warn: (words) => console.error(words) },
        signal: new AbortController().signal,
      };
      const beganMs = performance.now();
      const { home, endpoint } = await start(context);
      const startS = (performance.now() - beganMs) / 1000;
      const pids = { home: home.map(({ pid }) => pid), endpoint: endpoint.map(({ pid }) => pid) };
      // The services it is compared with take whichever core is free.
      const all = `0-${availableParallelism() - 1}`;
      for (const pid of [...pids.home, ...pids.endpoint]) {
        await run(['taskset', '-a', '-c', '-p', all, `${pid}`]);
      }
      return new TunnelLab(context, pids, startS);
    } catch (error) {
      await cleanup.run();
      throw error;
    }
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Starts a command in one of its namespaces; it is ended with the lab at the latest. */
  start(place: keyof Topology['names'], argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.topology.names[place], ...argv], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.on('error', () => {}); // it ended before it read everything
    this.#cleanup.add(() => child.kill('SIGKILL'));
    return child;
  }

  close(): Promise<void> {
    return this.#cleanup.run();
  }
}
