// A home, its provider, an endpoint and an Internet in namespaces, with the built service on both ends, for tests.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Status } from '../../src/core/home/api.ts';
import { TUNNEL_NETDEV } from '../../src/core/plan/names.ts';
import { Cleanup } from '../../src/research/lab/bed/cleanup.ts';
import { buildNetwork } from '../../src/research/lab/bed/namespaces.ts';
import { lab, planTopology, type Topology } from '../../src/research/lab/bed/topology.ts';
import { askLocalApi, NotRunningError } from '../../src/shell/machine/local-api.ts';
import { CommandError } from '../../src/shell/system/command.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { limitRights } from './unit-rights.ts';

/** The program under test: another build's, where a comparison asks for it. */
const PROGRAM = resolve(process.env.IOTSHAPER_PROGRAM ?? 'dist/iotshaper.js');
const PROGRAMS = resolve('build/test/net/programs');
/** What runs the home in the place of Node.js and the program, where another platform is tried. */
const OTHER_HOME = process.env.IOTSHAPER_HOME?.split(' ');

/** Leaves a command the rights that systemd leaves the endpoint. */
const unitRights = limitRights(readFileSync('files/debian/iotshaper-endpoint.service', 'utf8'));

/** Address of the cloud program. */
export const CLOUD: string = lab.replayAddress;
export const CLOUD6 = '2001:db8:198::53';
export const DEVICE = '192.168.8.11';
export const DEVICE6 = '2001:db8:8::11';

export interface HomeOptions {
  id: string;
  ipv6?: boolean;
  /** Where the profile says the endpoint is. */
  host?: string;
  /** Lines of section main beside `enabled`. */
  main?: string[];
}

/** One home network; {@link HomeNetwork.close} takes all of it away. */
export class HomeNetwork {
  readonly topology: Topology;
  readonly dir: string;
  readonly #cleanup = new Cleanup((fault) => console.error(fault));
  readonly #children = new Set<ChildProcess>();
  readonly services = new Map<'home' | 'endpoint', ChildProcess>();
  readonly logs = new Map<'home' | 'endpoint', string>();
  /** What Node.js is told beside the program. */
  nodeFlags: Readonly<Record<'home' | 'endpoint', readonly string[]>> = { home: [], endpoint: [] };
  /** Runs the home in the place of Node.js and the program. */
  otherHome: readonly string[] | undefined = OTHER_HOME;

  private constructor(topology: Topology, dir: string) {
    this.topology = topology;
    this.dir = dir;
  }

  /** Builds the network, the endpoint and the home's profile; starts nothing yet. */
  static async build({
    id,
    ipv6 = false,
    host = lab.endpointAddress,
    main = [],
  }: HomeOptions): Promise<HomeNetwork> {
    const dir = await mkdtemp(join(tmpdir(), `iotshaper-${id}-`));
    await chmod(dir, 0o711); // OpenVPN at the endpoint is root no longer
    const network = new HomeNetwork(planTopology({ id, ipv6 }), dir);
    network.#cleanup.add(() => rm(dir, { recursive: true, force: true }));
    await buildNetwork(network.topology, network.#cleanup);
    await mkdir(network.path('run-home'), { mode: 0o700 });
    await network.endpoint('init', '--host', host);
    await writeFile(network.path('home.ovpn'), await network.endpoint('add-home', 'lab'), {
      mode: 0o600,
    });
    await network.configure(main);
    return network;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** Writes the UCI file. @param networks devices' netdevs, one section each; none where devices are chosen one by one. */
  configure(
    main: readonly string[],
    sections: readonly string[] = [],
    networks: readonly string[] = [lab.bridge],
  ): Promise<void> {
    const lines = ["option enabled '1'", ...main].map((line) => `\t${line}\n`).join('');
    const whole = networks.map((netdev) => `config network\n\toption device '${netdev}'\n`);
    return writeFile(
      this.path('iotshaper'),
      `config iotshaper 'main'\n${lines}\nconfig tunnel 'tunnel'\n\toption profile '${this.path('home.ovpn')}'\n\n${[...whole, ...sections].join('\n')}`,
    );
  }

  /** Runs `iotshaper endpoint …` and returns what it printed. */
  async endpoint(...words: string[]): Promise<string> {
    const argv = [
      process.execPath,
      PROGRAM,
      'endpoint',
      ...words,
      '--state-dir',
      this.path('endpoint'),
    ];
    return (await run(argv, { netns: this.topology.names.endpoint, timeoutMs: 120_000 })).stdout;
  }

  startEndpoint(): void {
    const words = ['endpoint', 'run', '--state-dir', this.path('endpoint')];
    this.#startService('endpoint', [...words, '--run-dir', this.path('run-endpoint')]);
  }

  startHome(): void {
    const words = ['run', '--config', this.path('iotshaper'), '--run-dir', this.path('run-home')];
    const bus = ['--ubus', this.path('ubus.sock')];
    this.#startService('home', [...words, '--state-dir', this.path('state-home'), ...bus]);
  }

  /** Ends a service with a signal and waits until it is gone. */
  async stop(role: 'home' | 'endpoint', signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.services.get(role)!;
    const gone = new Promise<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) done();
      else child.once('exit', () => done());
    });
    child.kill(signal);
    await gone;
  }

  /** What the home's service says of itself; null while it does not run. */
  status(): Promise<Status | null> {
    return this.#askHome('status') as Promise<Status | null>;
  }

  /** Has the home read its configuration again, without the command line's help. */
  async reread(): Promise<void> {
    await this.#askHome('reload');
  }

  /** As the command line asks, but without a process for each question. */
  async #askHome(method: string): Promise<unknown> {
    try {
      return await askLocalApi(
        nodeSystem,
        join(this.path('run-home'), 'api.sock'),
        { method },
        20_000,
      );
    } catch (error) {
      if (error instanceof NotRunningError) return null;
      throw error;
    }
  }

  /** Waits until the home is in this state. @throws Error with both logs when it is not in time. */
  async await(state: Status['state'], limitMs = 90_000): Promise<Status> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      const status = await this.status();
      if (status?.state === state) return status;
      if (performance.now() > untilMs) {
        throw new Error(
          `the home is ${status?.state} (${status?.reason}), not ${state}\n${this.logs.get('home')}\n${this.logs.get('endpoint')}`,
        );
      }
      await new Promise((wait) => setTimeout(wait, 150)); // the service is asked anew: it tells no other way here
    }
  }

  /** Waits until the home warns of this; resolves with what it says of itself then. */
  async warned(what: RegExp, limitMs = 40_000): Promise<Status> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      const status = await this.status();
      if (status?.config.warnings.some((warning) => what.test(warning))) return status;
      if (performance.now() > untilMs)
        throw new Error(`${what}: ${status?.config.warnings}\n${this.logs.get('home')}`);
      await new Promise((wait) => setTimeout(wait, 150)); // as above
    }
  }

  /** Waits until a service's log says this. */
  async logged(role: 'home' | 'endpoint', what: RegExp): Promise<void> {
    const { stderr } = this.services.get(role)!;
    while (!what.test(this.logs.get(role)!)) {
      await once(stderr!, 'data', { signal: AbortSignal.timeout(60_000) });
    }
  }

  /** Runs `iotshaper reload`; resolves with its standard error and whether it succeeded. */
  async reload(): Promise<{ ok: boolean; stderr: string }> {
    try {
      const argv = [process.execPath, PROGRAM, 'reload', '--run-dir', this.path('run-home')];
      return { ok: true, stderr: (await run(argv)).stderr };
    } catch (error) {
      if (error instanceof CommandError) return { ok: false, stderr: error.stderr };
      throw error;
    }
  }

  /** Starts the cloud program at an address and waits until it listens. */
  async startCloud(address = CLOUD): Promise<void> {
    const child = this.start('cloud', [process.execPath, join(PROGRAMS, 'cloud.js'), address]);
    await new Promise<void>((ready, fail) => {
      child.stdout!.once('data', () => ready());
      child.once('exit', (status) => fail(new Error(`the cloud program ended with ${status}`)));
    });
  }

  /** Runs one action of the device program. @param own the address it speaks from. */
  async device(
    action: string,
    peer = CLOUD,
    extra = '',
    own = peer.includes(':') ? DEVICE6 : DEVICE,
  ): Promise<Record<string, unknown>> {
    const argv = [process.execPath, join(PROGRAMS, 'device.js'), action, own, peer, extra];
    const { stdout } = await run(argv, { netns: this.topology.names.devices, timeoutMs: 100_000 });
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** Starts an action of the device program that does not end by itself. */
  startDevice(action: string): ChildProcess {
    return this.start('devices', [
      process.execPath,
      join(PROGRAMS, 'device.js'),
      action,
      DEVICE,
      CLOUD,
    ]);
  }

  /** Starts a command in one of the namespaces; it is ended with the network at the latest. */
  start(place: keyof Topology['names'], argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.topology.names[place], ...argv], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stderr.resume();
    child.stdin.on('error', () => {}); // it ended before it read everything
    this.#children.add(child);
    return child;
  }

  async netns(
    place: keyof Topology['names'],
    argv: readonly string[],
    input = '',
  ): Promise<string> {
    return (await run(argv, { netns: this.topology.names[place], input })).stdout;
  }

  /** Packets that the tunnel's netdev found no room for. */
  async droppedAtTun(place: keyof Topology['names']): Promise<number> {
    const path = `/sys/class/net/${TUNNEL_NETDEV}/statistics/tx_dropped`;
    return Number(await this.netns(place, ['cat', path]));
  }

  /** Captures at the provider's link to the home, or to the VPS, until the returned function is called; yields the file. */
  capture(name: string, link: 'home' | 'vps' = 'home'): Promise<() => Promise<string>> {
    return this.captureAt('provider', link, name);
  }

  /** The same at any netdev. */
  async captureAt(
    place: keyof Topology['names'],
    link: string,
    name: string,
  ): Promise<() => Promise<string>> {
    const file = this.path(name);
    const child = this.start(place, [
      'tcpdump',
      ...['-i', link, '-w', file, '-s', '128', '-U', '-B', '8192', '--immediate-mode'],
      '--time-stamp-precision=nano',
    ]);
    await new Promise<void>((ready) => {
      child.stderr!.on('data', (text) => String(text).includes('listening on') && ready());
    });
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    return async () => {
      child.kill('SIGINT');
      await gone;
      return file;
    };
  }

  /** What the router holds that a service might leave behind. */
  async traces(place: 'router' | 'endpoint' = 'router'): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const command of [
      'nft list ruleset',
      'tc qdisc show',
      'ip rule show',
      'ip -6 rule show',
      'ip route show table all',
      'ip -6 route show table all',
      'ip -o link show',
      'sysctl net.ipv4.ip_forward',
    ]) {
      found[command] = (await this.netns(place, command.split(' ')))
        .replace(/ expires \S+| pref \w+|packets \d+ bytes \d+/g, '')
        .replace(/ qlen \d+| state \w+/g, '');
    }
    const pids = (await run(['ip', 'netns', 'pids', this.topology.names[place]])).stdout;
    const processes: string[] = [];
    for (const pid of pids.split('\n').filter(Boolean)) {
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      if (name !== '') processes.push(name.trim());
    }
    found.processes = processes.sort().join('\n');
    return found;
  }

  async close(): Promise<void> {
    for (const child of [...this.services.values()]) child.kill('SIGTERM');
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#cleanup.run();
  }

  #startService(role: 'home' | 'endpoint', words: readonly string[]): void {
    const place = role === 'home' ? 'router' : 'endpoint';
    const rights = role === 'endpoint' ? unitRights : [];
    const node = [process.execPath, ...this.nodeFlags[role], PROGRAM];
    const command = [...rights, ...((role === 'home' && this.otherHome) || node)];
    const child = spawn('ip', ['netns', 'exec', this.topology.names[place], ...command, ...words], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.logs.set(role, '');
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.logs.set(role, (this.logs.get(role) + text).slice(-20_000));
    });
    this.services.set(role, child);
  }
}
