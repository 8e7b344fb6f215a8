// An endpoint and a namespace full of homes, one wire between them: the real service, or its OpenVPN alone without shaping.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { withLimits } from '../../../src/core/endpoint/admission/limits.ts';
import { frameBytes } from '../../../src/core/framing/frame.ts';
import { checkProfile, type Profile } from '../../../src/core/openvpn/profile.ts';
import { COVER_PORT, TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import { renderHomeOpenVpn } from '../../../src/core/plan/openvpn.ts';
import { slotsPerSecond } from '../../../src/core/stream/stream.ts';
import { removeNamespace } from '../../../src/research/lab/bed/namespaces.ts';
import { EndpointStore } from '../../../src/shell/endpoint/store.ts';
import { pemReader } from '../../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { run } from '../../../src/shell/system/node/processes.ts';
import { limitRights } from '../../net/unit-rights.ts';
import {
  addressOf,
  type FromSwarm,
  portOf,
  type SwarmHome,
  type SwarmOrders,
  type ToSwarm,
  tableOf,
  tunOf,
} from './messages.ts';

/** Another build's, where a comparison asks for it. */
const PROGRAM = resolve(process.env.IOTSHAPER_PROGRAM ?? 'dist/iotshaper.js');
/** Flags of Node.js beside the unit's own: for profiles. */
const FLAGS = (process.env.SCALE_NODE_FLAGS ?? '').split(' ').filter(Boolean);
const ENDPOINT = 'iotlab-scale-endpoint';
const HOMES = 'iotlab-scale-homes';
const ENDPOINT_ADDRESS = '198.51.100.10';
const HOMES_ADDRESS = '198.51.100.20';
/** At the homes' end of the wire. */
const WIRE = 'wire';
export const FIRST_HOST = 2;
/** The home whose intervals are looked at. */
export const OBSERVED = FIRST_HOST;
const PACKET_BYTES = 512;
const UNIT = readFileSync('files/debian/iotshaper-endpoint.service', 'utf8');
const UNIT_FLAGS = /IOTSHAPER_NODE_FLAGS=(\S+)/.exec(UNIT)![1]!.split(':');
/** So far apart that nobody is refused. */
const MOST_SLOTS = 100_000;
const READY_MS = 60_000;

export interface Row {
  homes: number;
  rateKBps: number;
  isShaped: boolean;
}

export type Served = Extract<FromSwarm, { kind: 'served' }>;

/** From {@link Bed.build} to {@link Bed.close}; one row after the other. */
export class Bed {
  readonly dir: string;
  readonly #store: EndpointStore;
  readonly #profiles: Profile[] = [];
  readonly #children: ChildProcess[] = [];
  service: ChildProcess | null = null;
  generator: ChildProcess | null = null;
  #swarm: ChildProcess | null = null;
  log = '';
  readonly endpointNamespace = ENDPOINT;
  readonly homesNamespace = HOMES;

  private constructor(dir: string) {
    this.dir = dir;
    this.#store = new EndpointStore(nodeSystem, join(dir, 'store'));
  }

  static async build(): Promise<Bed> {
    const dir = await mkdtemp(join(tmpdir(), 'iotshaper-scale-'));
    await chmod(dir, 0o711); // OpenVPN at the endpoint is root no longer
    const bed = new Bed(dir);
    await run(['ip', 'netns', 'add', ENDPOINT]);
    await run(['ip', 'netns', 'add', HOMES]);
    for (const line of [
      `ip -n ${ENDPOINT} link set lo up`,
      `ip -n ${HOMES} link set lo up`,
      `ip -n ${HOMES} link add ${WIRE} type veth peer name eth0 netns ${ENDPOINT}`,
      `ip -n ${ENDPOINT} address add ${ENDPOINT_ADDRESS}/24 dev eth0`,
      `ip -n ${HOMES} address add ${HOMES_ADDRESS}/24 dev ${WIRE}`,
      `ip -n ${ENDPOINT} link set eth0 up`,
      `ip -n ${HOMES} link set ${WIRE} up`,
      `ip -n ${ENDPOINT} route add default via ${HOMES_ADDRESS}`,
    ])
      await run(line.split(' '));
    await bed.#store.init(ENDPOINT_ADDRESS, 1194);
    await bed.#store.changeLimits((book) => withLimits(book, 'machine', { slots: MOST_SLOTS }));
    return bed;
  }

  /** The endpoint has so many homes from now on; none is taken away. */
  async addHomes(count: number): Promise<void> {
    while (this.#profiles.length < count) {
      const text = await this.#store.addHome(`home${this.#profiles.length}`);
      const verdict = checkProfile(text, pemReader);
      if (!verdict.ok) throw new Error(JSON.stringify(verdict.problems));
      this.#profiles.push(verdict.profile);
    }
    await this.#prepareHomes();
  }

  /** Their netdevs and ways, and what counts the slots that come for each on the wire. */
  async #prepareHomes(): Promise<void> {
    await removeNetdevs(this.#hosts.map(tunOf));
    const [tunnelNet] = this.#tunnelNet;
    const lines = this.#hosts.flatMap((host) => [
      `link set ${tunOf(host)} up`,
      `address add ${tunnelNet}.${host}/32 dev ${tunOf(host)}`,
      `route add ${tunnelNet}.1 dev ${tunOf(host)} src ${tunnelNet}.${host} table ${tableOf(host)}`,
      `rule add from ${tunnelNet}.${host} lookup ${tableOf(host)} pref ${tableOf(host)}`,
    ]);
    const made = this.#hosts.flatMap((host) => [
      `tuntap add dev ${tunOf(host)} mode tun`,
      `address replace ${addressOf(host)}/32 dev ${WIRE}`,
    ]);
    await run(['ip', '-batch', '-'], { netns: HOMES, input: `${made.join('\n')}\n` });
    await run(['ip', '-force', '-batch', '-'], {
      netns: HOMES,
      input: `${[...this.#hosts.map((host) => `rule del pref ${tableOf(host)}`), ...lines].join('\n')}\n`,
    }).catch(() => {}); // no such rule yet
    const rules = `table inet scale
delete table inet scale
table inet scale {
  set got { type inet_service; counter; elements = { ${this.#hosts.map(portOf).join(', ')} } }
  chain shed { }
  chain came {
    type filter hook prerouting priority -300; policy accept;
    iifname "${WIRE}" udp dport @got jump shed
    iifname "t*" udp dport ${COVER_PORT} drop
  }
}
`;
    await run(['nft', '-f', '-'], { netns: HOMES, input: rules });
  }

  get #hosts(): number[] {
    return this.#profiles.map((_, index) => FIRST_HOST + index);
  }

  get #tunnelNet(): [string] {
    return [this.#profiles[0]!.inside.tunnel.replace(/\.0\/24$/, '')];
  }

  /** Starts the service, or OpenVPN alone, and waits until it listens. */
  async startEndpoint({ isShaped, rateKBps }: Row): Promise<void> {
    if (isShaped) await this.#startService();
    else await this.#startPlain(rateKBps);
  }

  async #startService(): Promise<void> {
    this.log = '';
    await mkdir(join(this.dir, 'run'), { mode: 0o711, recursive: true });
    const places = ['--state-dir', this.#store.dir, '--run-dir', join(this.dir, 'run')];
    const node = [process.execPath, ...UNIT_FLAGS, ...FLAGS, PROGRAM, 'endpoint', 'run'];
    this.service = this.#start(ENDPOINT, [...limitRights(UNIT), ...node, ...places], 'ignore');
    this.service.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.log = (this.log + text).slice(-20_000);
    });
    await this.#logged(/Initialization Sequence Completed/);
  }

  /** What OpenVPN was told by the service before, without what belongs to a service. */
  async #startPlain(rateKBps: number): Promise<void> {
    const folder = join(this.dir, 'plain');
    const text = await readFile(join(folder, 'openvpn.conf'), 'utf8');
    const config = text
      .replace(/^(management|user|group).*\n/gm, '')
      .replace(/^client-config-dir .*$/m, `client-config-dir ${join(folder, 'clients')}`);
    await writeFile(join(folder, 'alone.conf'), config, { mode: 0o600 });
    const openvpn = this.#start(ENDPOINT, ['openvpn', '--config', join(folder, 'alone.conf')]);
    await new Promise<void>((ready, fail) => {
      let said = '';
      openvpn.stdout!.on('data', (piece) => {
        said += piece;
        if (said.includes('Initialization Sequence Completed')) ready();
      });
      openvpn.once('exit', () => fail(new Error(said)));
    });
    await run(['nft', '-f', '-'], {
      netns: ENDPOINT,
      input: `table inet scale {
  chain in { type filter hook prerouting priority -300; policy accept; iifname "${TUNNEL_NETDEV}" udp dport ${COVER_PORT} drop; }
}
`,
    });
    const [tunnelNet] = this.#tunnelNet;
    this.generator = this.#start(ENDPOINT, [
      ...[process.execPath, 'build/test/bench/scale/generator.js', `${frameBytes(PACKET_BYTES)}`],
      `${slotsPerSecond({ rateKBps, packetBytes: PACKET_BYTES })}`,
      `${COVER_PORT}`,
      ...this.#hosts.map((host) => `${tunnelNet}.${host}`),
    ]);
  }

  /** Keeps what OpenVPN is told, for {@link Row}s without shaping. */
  async keepOpenVpn(): Promise<void> {
    const folder = join(this.dir, 'plain');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o711 });
    const from = join(this.dir, 'run');
    await cp(join(from, 'openvpn.conf'), join(folder, 'openvpn.conf'));
    const [, clients] = /^client-config-dir (.*)$/m.exec(
      await readFile(join(from, 'openvpn.conf'), 'utf8'),
    )!;
    await cp(clients!, join(folder, 'clients'), { recursive: true });
  }

  /** All homes come at once; resolves once each has its slots, or the limit is over. */
  async startHomes({ rateKBps, isShaped }: Row, limitMs: number): Promise<Served> {
    const [tunnelNet] = this.#tunnelNet;
    const orders: SwarmOrders = {
      dir: this.dir,
      homes: this.#hosts.map((host, index) => this.#homeOf(host, this.#profiles[index]!)),
      endpointAddress: `${tunnelNet}.1`,
      ...{ rateKBps, isShaped, limitMs, packetBytes: PACKET_BYTES },
      inner: this.#profiles[0]!.inside,
    };
    const argv = [process.execPath, 'build/test/bench/scale/swarm.js'];
    const swarm = spawn('ip', ['netns', 'exec', HOMES, ...argv], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#children.push(swarm);
    this.#swarm = swarm;
    swarm.send({ kind: 'orders', orders } satisfies ToSwarm);
    const [message] = await once(swarm, 'message');
    return message;
  }

  #homeOf(host: number, profile: Profile): SwarmHome {
    const [tunnelNet] = this.#tunnelNet;
    const config = renderHomeOpenVpn({
      ...{ profile, managementSocket: 'unused', queuePackets: 100, plainUser: null },
    })
      .replace(/^(management|nice).*\n/gm, '')
      .replace(/^verb .*$/m, 'verb 1')
      .replace(/^dev .*$/m, `dev ${tunOf(host)}`)
      .replace(/^nobind$/m, `local ${addressOf(host)}\nlport ${portOf(host)}\nifconfig-noexec`);
    const controlKey = Buffer.from(profile.controlKey).toString('base64');
    return { host, config, address: `${tunnelNet}.${host}`, controlKey };
  }

  /** What the swarm has sent so far. */
  async counts(): Promise<Extract<FromSwarm, { kind: 'counts' }>> {
    this.#swarm!.send({ kind: 'count' } satisfies ToSwarm);
    const [message] = await once(this.#swarm!, 'message');
    return message;
  }

  /** Of eight packets that come for a home, seven are not decrypted; the observed home's are. */
  async shed(): Promise<void> {
    const rule = `udp dport != ${portOf(OBSERVED)} meta length > 500 numgen inc mod 8 != 0 drop`;
    await run(['nft', 'add', 'rule', 'inet', 'scale', 'shed', ...rule.split(' ')], {
      netns: HOMES,
    });
  }

  /** Packets that came on the wire so far, for each home. */
  async came(): Promise<Map<number, number>> {
    const { stdout } = await run(['nft', '-j', 'list', 'set', 'inet', 'scale', 'got'], {
      netns: HOMES,
    });
    const { nftables } = JSON.parse(stdout);
    const { set } = nftables.find((one: object) => 'set' in one);
    return new Map(
      set.elem.map(({ elem }: { elem: { val: number; counter: { packets: number } } }) => [
        elem.val - portOf(0),
        elem.counter.packets,
      ]),
    );
  }

  /** Packets that came out of the endpoint's OpenVPN so far, of all homes. */
  async cameUp(): Promise<number> {
    const path = `/sys/class/net/${TUNNEL_NETDEV}/statistics/rx_packets`;
    return Number((await run(['cat', path], { netns: ENDPOINT })).stdout);
  }

  /** Looks at the observed home's packets on the wire; the returned function ends that, with their times in ms. */
  async observe(): Promise<() => Promise<number[]>> {
    const filter = `udp and dst port ${portOf(OBSERVED)} and greater 500`;
    const argv = ['tcpdump', '-i', WIRE, '-n', '-tt', '-q', '--time-stamp-precision=nano', filter];
    const child = this.#start(HOMES, argv);
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    await new Promise<void>((ready) => {
      child.stderr!.on('data', (piece) => String(piece).includes('listening on') && ready());
    });
    return async () => {
      await end(child, 'SIGINT');
      return [...text.matchAll(/^(\d+\.\d+) IP/gm)].map(([, time]) => Number(time) * 1000);
    };
  }

  /** Ends all of a row; the homes stay the endpoint's. */
  async clear(): Promise<void> {
    const { service, generator } = this;
    if (this.#swarm) await end(this.#swarm, 'SIGKILL');
    await endAll(HOMES);
    if (generator) await end(generator, 'SIGKILL');
    if (service) await end(service, 'SIGTERM');
    await endAll(ENDPOINT);
    this.service = null;
    this.generator = null;
    this.#swarm = null;
    await run(['nft', 'delete', 'table', 'inet', 'scale'], { netns: ENDPOINT }).catch(() => {});
    await run(['nft', 'flush', 'chain', 'inet', 'scale', 'shed'], { netns: HOMES });
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await removeNamespace(HOMES);
    await removeNamespace(ENDPOINT);
    await rm(this.dir, { recursive: true, force: true });
  }

  #start(
    namespace: string,
    argv: readonly string[],
    stdout: 'pipe' | 'ignore' = 'pipe',
  ): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
      stdio: ['ignore', stdout, 'pipe'],
    });
    child.stderr!.resume();
    child.stdout?.resume();
    this.#children.push(child);
    return child;
  }

  async #logged(what: RegExp): Promise<void> {
    const signal = AbortSignal.timeout(READY_MS);
    while (!what.test(this.log)) await once(this.service!.stderr!, 'data', { signal });
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Ends what a namespace still has. */
async function endAll(namespace: string): Promise<void> {
  for (;;) {
    const { stdout } = await run(['ip', 'netns', 'pids', namespace]);
    const pids = stdout.split('\n').filter(Boolean).map(Number);
    if (pids.length === 0) return;
    for (const pid of pids) nodeSystem.processes.signal(pid, 'SIGKILL');
    await pause(100); // the kernel tells of no end of what is not our child
  }
}

/** Takes netdevs away that OpenVPN was given; of those that are not there nothing is said. */
async function removeNetdevs(names: readonly string[]): Promise<void> {
  const input = names.map((name) => `link del ${name}\n`).join('');
  await run(['ip', '-force', '-batch', '-'], { netns: HOMES, input }).catch(() => {});
}
