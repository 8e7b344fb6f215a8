// A second home on the same endpoint, with a line of its own: the real service, or OpenVPN alone with somebody who says what he likes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Status } from '../../../src/core/home/api.ts';
import { checkProfile, type Profile } from '../../../src/core/openvpn/profile.ts';
import { renderHomeOpenVpn } from '../../../src/core/plan/openvpn.ts';
import { removeNamespace } from '../../../src/research/lab/bed/namespaces.ts';
import { askLocalApi } from '../../../src/shell/machine/local-api.ts';
import { pemReader } from '../../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import type { HomeNetwork } from '../../net/home-network.ts';

const ADDRESS = '100.64.9.2';
const GATEWAY = '100.64.9.1';
const NETDEV = 'home2';
const PROGRAM = resolve('dist/iotshaper.js');

/** From {@link SecondHome.build} to {@link SecondHome.close}. */
export class SecondHome {
  readonly #network: HomeNetwork;
  readonly #netns: string;
  readonly #children: ChildProcess[] = [];
  #runs = 0;

  private constructor(network: HomeNetwork) {
    this.#network = network;
    this.#netns = network.topology.names.router.replace(/router$/, 'second');
  }

  static async build(network: HomeNetwork): Promise<SecondHome> {
    const home = new SecondHome(network);
    const own = home.#netns;
    const { provider } = network.topology.names;
    await run(['ip', 'netns', 'add', own]);
    const link = ['link', 'add', 'wan', 'type', 'veth', 'peer', 'name', NETDEV, 'netns', provider];
    for (const argv of [
      ['ip', '-n', own, 'link', 'set', 'lo', 'up'],
      ['ip', '-n', own, ...link],
      ['ip', '-n', own, 'address', 'add', `${ADDRESS}/24`, 'dev', 'wan'],
      ['ip', '-n', own, 'link', 'set', 'wan', 'up'],
      ['ip', '-n', provider, 'address', 'add', `${GATEWAY}/24`, 'dev', NETDEV],
      ['ip', '-n', provider, 'link', 'set', NETDEV, 'up'],
      ['ip', '-n', own, 'route', 'add', 'default', 'via', GATEWAY],
      ['ip', '-n', own, 'link', 'add', 'br-iot', 'type', 'bridge'],
      ['ip', '-n', own, 'address', 'add', '192.168.9.1/24', 'dev', 'br-iot'],
      ['ip', '-n', own, 'link', 'set', 'br-iot', 'up'],
    ])
      await run(argv);
    return home;
  }

  /** Starts the service with a profile. */
  async startService(profile: string): Promise<void> {
    const { dir } = this.#network;
    await mkdir(join(dir, 'run-second'), { mode: 0o700, recursive: true });
    const config = join(dir, 'iotshaper-second');
    await writeFile(
      config,
      `config iotshaper 'main'\n\toption enabled '1'\nconfig tunnel 'tunnel'\n\toption profile '${profile}'\nconfig network\n\toption device 'br-iot'\n`,
    );
    // Each run is another router's: what one has kept the next does not know.
    const state = join(dir, `state-second-${this.#runs++}`);
    const places = ['--run-dir', join(dir, 'run-second'), '--state-dir', state];
    const bus = ['--ubus', join(dir, 'ubus-second.sock')];
    this.start([process.execPath, PROGRAM, 'run', '--config', config, ...places, ...bus]);
  }

  status(): Promise<Status | null> {
    const socket = join(this.#network.dir, 'run-second', 'api.sock');
    return askLocalApi(nodeSystem, socket, { method: 'status' }, 5000).catch(
      () => null,
    ) as Promise<Status | null>;
  }

  /** Connects by OpenVPN and nothing else; resolves with the profile once it is connected. */
  async connect(profileText: string): Promise<Profile> {
    const verdict = checkProfile(profileText, pemReader);
    if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
    const config = renderHomeOpenVpn({
      profile: verdict.profile,
      ...{ managementSocket: 'unused', queuePackets: 100, plainUser: null },
    }).replace(/^management.*$/gm, '');
    const path = this.#network.path('second.conf');
    await writeFile(path, config, { mode: 0o600 });
    const openvpn = this.start(['openvpn', '--config', path]);
    await new Promise<void>((connected) => {
      openvpn.stdout!.on('data', (text) => {
        if (String(text).includes('Initialization Sequence Completed')) connected();
      });
    });
    return verdict.profile;
  }

  start(argv: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.#netns, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.resume();
    child.stderr.resume();
    this.#children.push(child);
    return child;
  }

  /** Ends all that was started; its line stays. */
  async leave(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
  }

  async close(): Promise<void> {
    await this.leave();
    // A namespace takes its netdevs away some time after it is gone, and the next one needs the name.
    await run(['ip', '-n', this.#netns, 'link', 'del', 'wan']);
    await removeNamespace(this.#netns);
  }
}
