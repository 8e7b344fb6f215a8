// A home of the fleet's bench: a router with the built service, and behind it one device that asks the cloud five times a second.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Status } from '../../src/core/home/api.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { askLocalApi, NotRunningError } from '../../src/shell/machine/local-api.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { CLOUD, type HomeNetwork } from '../net/home-network.ts';

const PROGRAM = resolve('dist/iotshaper.js');
const PING_EVERY_S = 0.2;

/** What a service printed, and when. */
interface Line {
  atMs: number;
  text: string;
}

/** From {@link FleetHome.build} to {@link FleetHome.close}. */
export class FleetHome {
  readonly name: string;
  readonly profile: string;
  readonly lines: Line[] = [];
  /** When the device was answered, ms of performance.now(). */
  readonly answeredMs: number[] = [];
  /** Packets for the cloud on the home's line. */
  readonly outside: string[] = [];
  readonly #router: string;
  readonly #device: string;
  readonly #dir: string;
  readonly #children: ChildProcess[] = [];

  private constructor(name: string, profile: string, router: string, device: string, dir: string) {
    this.name = name;
    this.profile = profile;
    this.#router = router;
    this.#device = device;
    this.#dir = dir;
  }

  /** The `number`th at the network's provider, with this profile; nothing of it is started. */
  static async build(network: HomeNetwork, number: number, profile: string): Promise<FleetHome> {
    const name = homeName(number);
    const names = [`iotlab-fleet-router${number}`, `iotlab-fleet-device${number}`] as const;
    const [router, device] = names;
    const { provider } = network.topology.names;
    const line = `100.64.${100 + number}`;
    const quiet = ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
    const home = new FleetHome(name, profile, router, device, network.path(name));
    for (const one of names) {
      await run(['ip', 'netns', 'add', one]);
      await run(['sysctl', '-q', '-w', ...quiet, 'net.ipv4.ip_forward=1'], { netns: one });
      await run(['ip', '-n', one, 'link', 'set', 'lo', 'up']);
    }
    for (const command of [
      `ip -n ${router} link add ${lab.bridge} type bridge stp_state 0 forward_delay 0`,
      `ip -n ${router} address add ${lab.lanAddress}/24 dev ${lab.bridge}`,
      `ip -n ${router} link set ${lab.bridge} up`,
      `ip -n ${device} link add d1 type veth peer name p1 netns ${router}`,
      `ip -n ${device} address add ${lab.lanPrefix}11/24 dev d1`,
      `ip -n ${device} link set d1 up`,
      `ip -n ${device} route add default via ${lab.lanAddress}`,
      `ip -n ${router} link set p1 master ${lab.bridge} up`,
      `ip -n ${router} link add wan type veth peer name ${name} netns ${provider}`,
      `ip -n ${provider} address add ${line}.1/24 dev ${name}`,
      `ip -n ${provider} link set ${name} up`,
      `ip -n ${router} address add ${line}.2/24 dev wan`,
      `ip -n ${router} link set wan up`,
      `ip -n ${router} route add default via ${line}.1`,
    ]) {
      await run(command.split(' '));
    }
    await run(['nft', '-f', '-'], { netns: router, input: network.topology.routerRules });
    await mkdir(join(home.#dir, 'run'), { recursive: true, mode: 0o700 });
    await writeFile(join(home.#dir, 'home.ovpn'), profile, { mode: 0o600 });
    const config = [
      "config iotshaper 'main'\n\toption enabled '1'\n",
      `config tunnel 'tunnel'\n\toption profile '${join(home.#dir, 'home.ovpn')}'\n`,
      `config network\n\toption device '${lab.bridge}'\n`,
    ];
    await writeFile(join(home.#dir, 'iotshaper'), config.join('\n'));
    return home;
  }

  /** Its service, its device, and somebody who looks at its line. */
  async start(network: HomeNetwork): Promise<void> {
    const { provider } = network.topology.names;
    const watch = this.#spawn(provider, [
      ...['tcpdump', '-n', '-l', '--immediate-mode', '-i', this.name, 'dst', 'host', CLOUD],
    ]);
    await new Promise<void>((ready) => {
      watch.stderr!.on('data', (text) => String(text).includes('listening on') && ready());
    });
    // As it ends it prints an empty line.
    watch.stdout!.on('data', (text) => String(text).trim() && this.outside.push(String(text)));
    const paths = ['--config', join(this.#dir, 'iotshaper'), '--run-dir', join(this.#dir, 'run')];
    const service = this.#spawn(this.#router, [
      ...[process.execPath, PROGRAM, 'run', ...paths, '--state-dir', join(this.#dir, 'state')],
      ...['--ubus', join(this.#dir, 'ubus.sock')],
    ]);
    service.stderr!.on('data', (piece) => {
      for (const text of String(piece).split('\n').filter(Boolean))
        this.lines.push({ atMs: performance.now(), text });
    });
  }

  /** Once the home is shaped for the first time: before that nothing is between its device and the line. */
  startDevice(): void {
    const device = this.#spawn(this.#device, ['ping', '-n', '-i', `${PING_EVERY_S}`, CLOUD]);
    device.stdout!.on('data', (piece) => {
      if (String(piece).includes('bytes from')) this.answeredMs.push(performance.now());
    });
  }

  async state(): Promise<Status['state'] | null> {
    return (await this.status())?.state ?? null;
  }

  /** What its service says of itself, as its page shows it; null while it does not run. */
  async status(): Promise<Status | null> {
    const path = join(this.#dir, 'run', 'api.sock');
    try {
      return (await askLocalApi(nodeSystem, path, { method: 'status' }, 20_000)) as Status;
    } catch (error) {
      if (error instanceof NotRunningError) return null;
      throw error;
    }
  }

  /** The longest time in which its device was not answered so far. */
  longestGapMs(fromMs: number): number {
    const answered = this.answeredMs.filter((atMs) => atMs >= fromMs);
    const times = [fromMs, ...answered, performance.now()];
    return Math.max(0, ...times.slice(1).map((atMs, at) => atMs - times[at]!));
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    for (const name of [this.#router, this.#device])
      await run(['ip', 'netns', 'del', name]).catch(() => {});
  }

  #spawn(netns: string, argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', netns, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    return child;
  }
}

export function homeName(number: number): string {
  return `home${number}`;
}
