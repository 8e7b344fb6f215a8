// A server with homes behind it, ready for the endpoint's service; what leaves for a home is looked at packet by packet.
import type { StoredHome } from '../../src/core/endpoint/identity.ts';
import { judgeEndpoint } from '../../src/core/endpoint/judgement.ts';
import { commonNameOf } from '../../src/core/endpoint/keeping.ts';
import {
  CONTROL_PORT,
  FRAME_PORT,
  PACKET_PORT,
  SMALLEST_PACKET_BYTES,
  SOCAT_PORT,
  TABLE,
  TUNNEL_NETDEV,
} from '../../src/core/plan/names.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { EndpointService } from '../../src/shell/endpoint/endpoint-service.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { inner, keyOf } from '../control/proofs.ts';
import { buildIpv4 } from '../framing/ip-packets.ts';
import { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import { type Datagram, HEADER_BYTES, packetOf } from '../stand-ins/fake-system/udp-model.ts';
import { FarHome } from './far-home.ts';
import { identity } from './play.ts';

const STATE_DIR = '/etc/iotshaper/endpoint';
const RUN_DIR = '/var/run/iotshaper';
const HOMES_PATH = `${STATE_DIR}/homes.json`;

/** Few slots a second, so that a second of it is soon over. */
export const shape: Shape = { rateKBps: 4, packetBytes: 512, mode: 'vit', sdPercent: 30 };

function stored(host: number): StoredHome {
  const controlKey = Buffer.from(keyOf(host)).toString('base64');
  const name = `home${host}`;
  const commonName = commonNameOf(name, Buffer.from(keyOf(host)).toString('hex', 0, 8));
  return { name, host, commonName, fingerprint: `AA:${host}`, controlKey };
}

/** What lets frames leave lasts so long, and is renewed once a second. */
const PERMIT_MS = 4500;
/** Packets from the Internet for each home. */
const PACKET_EVERY_MS = 250;

/** One endpoint. */
export class EndpointMachine {
  readonly machine: FakeMachine;
  readonly homes = new Map<number, FarHome>();
  /**
   * Frames to a home that was not judged; leave to send them that outlasts that; frames that left where nothing of ours held
   * them back; and packets of another size than the home's stream has.
   */
  readonly violations: { atMs: number; what: string }[] = [];
  readonly logged: string[] = [];
  service: EndpointService;
  readonly #judge: typeof judgeEndpoint;
  /** When each home was last judged to be in order. */
  readonly #judgedMs = new Map<number, number>();
  /** Somebody else changed the rules; they are put back. */
  #tamperedMs = Number.NEGATIVE_INFINITY;
  #stamp = '';
  /** Packet sizes that each home has asked for. */
  readonly #sizes = new Map<number, Set<number>>();

  constructor(hosts: readonly number[], judge = judgeEndpoint) {
    const machine = new FakeMachine({
      ...{ inner, controlKey: keyOf(1) },
      tunnel: { home: '10.213.0.2/24', endpoint: '10.213.0.1' },
    });
    this.machine = machine;
    this.#judge = judge;
    // What a home's leave to send rests on is nothing here.
    machine.time.watchers.length = 0;
    machine.time.watchers.push(() => this.#watch());
    const { send } = machine.udp;
    machine.udp.send = (datagram, onFreed) => {
      const packet = send.call(machine.udp, datagram, onFreed);
      this.#onSent(datagram);
      return packet;
    };
    machine.far.receive = (datagram) => this.#onLeft(datagram);
    const { files, ip } = machine;
    ip.addNetdev({ name: 'lo', mac: '00:00:00:00:00:00', addresses: ['127.0.0.1/8'] });
    ip.addNetdev({ name: 'eth0', mac: '02:00:00:00:00:01', addresses: ['203.0.113.7/24'] });
    ip.setRoute({
      ...{ family: 4, table: 'main', type: 'unicast', destination: 'default' },
      ...{ dev: 'eth0', via: '203.0.113.1', metric: 0, protocol: 'static' },
    });
    files.plant('/etc/passwd', 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
    files.plant('/etc/group', 'root:x:0:\nnogroup:x:65534:\n');
    files.plant(`${STATE_DIR}/endpoint.json`, JSON.stringify(identity), 0o600);
    this.store(hosts);
    files.makeFolder(RUN_DIR, 0o711);
    for (const host of hosts) this.#addHome(host);
    this.service = this.#createService();
  }

  /** Starts the service; one that can't start is ended, and started over as whatever supervises it would. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.machine.finish(this.service.start());
        return;
      } catch (error) {
        if (tries === 20) throw error;
        await this.machine.finish(this.service.stop());
        this.service = this.#createService();
      }
    }
  }

  /** Puts these homes into the store. */
  store(hosts: readonly number[]): void {
    this.machine.files.plant(HOMES_PATH, JSON.stringify(hosts.map(stored)), 0o600);
  }

  /** Allows homes this. */
  allow(limits: unknown): void {
    this.machine.files.plant(`${STATE_DIR}/limits.json`, JSON.stringify(limits), 0o600);
  }

  /** What was kept of data in this month, by home. */
  async kept(): Promise<unknown> {
    const text = await this.machine.files.view.readText(`${STATE_DIR}/usage.json`);
    return (JSON.parse(text) as { homes: unknown }).homes;
  }

  /** Another service, once the one before has stopped. */
  renew(): void {
    this.service = this.#createService();
  }

  /** Removes its folder, as "rm -r" does. */
  removeState(): void {
    this.machine.files.remove(STATE_DIR);
  }

  /** Puts back a copy of it. */
  restoreState(hosts: readonly number[]): void {
    const text = JSON.stringify(identity);
    this.machine.files.plant(`${STATE_DIR}/endpoint.json`, text, 0o600);
    this.store(hosts);
  }

  /** Another endpoint in its place, as "endpoint init" makes it. */
  makeAnew(): void {
    this.removeState();
    this.restoreState([]);
    this.machine.files.plant(`${STATE_DIR}/endpoint.key`, 'another', 0o600);
  }

  home(host: number): FarHome {
    return this.homes.get(host)!;
  }

  /** Has a home ask for another stream; both are right from now on. */
  want(host: number, change: Partial<Shape>): void {
    const home = this.home(host);
    const next = { ...home.shape, ...change };
    this.#sizes.get(host)!.add(next.packetBytes);
    home.want(next);
  }

  /** Has a home say so much in one go, each time that it wants another one of these streams. */
  flood(host: number, shapes: readonly Shape[], count: number): void {
    for (const { packetBytes } of shapes) this.#sizes.get(host)!.add(packetBytes);
    this.home(host).flood(shapes, count);
  }

  /** A packet from the Internet for a device of this home. */
  sendFromInternet(host: number): void {
    const packet = buildIpv4([192, 0, 2, 80], [10, 214, host, 7], Buffer.alloc(100));
    this.machine.udp.deliver({
      bytes: packet,
      from: { address: '127.0.0.1', port: SOCAT_PORT },
      to: { address: '127.0.0.1', port: PACKET_PORT },
    });
  }

  /** Lets time pass, in which the Internet answers devices of all homes four times a second. */
  async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += PACKET_EVERY_MS) {
      for (const host of this.homes.keys()) this.sendFromInternet(host);
      await this.machine.advance(Math.min(PACKET_EVERY_MS, ms - passed));
    }
  }

  /** Packets of devices that came to each home since the last call. */
  takeDelivered(): Record<number, number> {
    const delivered = [...this.homes].map(([host, home]) => {
      const { devicePackets } = home.received;
      home.received.devicePackets = 0;
      return [host, devicePackets];
    });
    return Object.fromEntries(delivered);
  }

  #createService(): EndpointService {
    const { system } = this.machine;
    return new EndpointService(
      {
        system,
        store: new EndpointStore(system, STATE_DIR),
        runDir: RUN_DIR,
        judge: (evidence) => {
          const verdict = this.#judge(evidence);
          for (const host of verdict.open) this.#judgedMs.set(host, this.machine.time.nowMs);
          return verdict;
        },
        log: (level, text) => void this.logged.push(`${level}: ${text}`),
      },
      identity,
    );
  }

  #violate(what: string): void {
    this.violations.push({ atMs: this.machine.time.nowMs, what });
  }

  #sinceJudgedMs(host: number): number {
    return this.machine.time.nowMs - (this.#judgedMs.get(host) ?? Number.NEGATIVE_INFINITY);
  }

  #onSent({ to }: Datagram): void {
    if (to.port !== FRAME_PORT) return;
    // One that its socket had no room for was handed over before.
    if (this.#sinceJudgedMs(hostOf(to.address)) <= PERMIT_MS) return;
    this.#violate(`a frame to ${to.address}, which was not judged`);
  }

  /** Looks at what rules let out, whenever they have changed and once in a while. */
  #watch(): void {
    const { nft, time, traffic, processes, ip } = this.machine;
    const { nowMs } = time;
    if (this.machine.strayed.length > 0) this.#violate('a datagram of the tunnel left past it');
    const stamp = `${nft.stamp} ${ip.version} ${Math.floor(nowMs / 500)}`;
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const table = nft.tables.get(`inet ${TABLE}`);
    if (!table || table.isTampered) this.#tamperedMs = nowMs;
    if (!table || nowMs - this.#tamperedMs < PERMIT_MS) return;
    for (const [host, { address, shape }] of this.homes) {
      const bytes = new Uint8Array(shape.packetBytes - HEADER_BYTES);
      const end = { port: FRAME_PORT };
      const from = { ...end, address: '10.213.0.1' };
      const frame = { bytes, from, to: { ...end, address } };
      if (this.#sinceJudgedMs(host) > PERMIT_MS && traffic.frameMayLeave(frame, processes.uid)) {
        this.#violate(`frames to ${address} may leave`);
      }
    }
  }

  #addHome(host: number): void {
    const { time } = this.machine;
    const deliver = (datagram: Datagram) => this.#comeIn(datagram);
    this.homes.set(host, new FarHome({ time, host, deliver }, shape));
    this.#sizes.set(host, new Set([SMALLEST_PACKET_BYTES, shape.packetBytes]));
  }

  #comeIn(datagram: Datagram): void {
    const { machine } = this;
    if (!machine.isPassing) return;
    machine.time.timers.soon(() => {
      const packet = { ...packetOf(datagram, '', 0), iifname: TUNNEL_NETDEV, uid: null };
      const { walk, udp } = machine;
      if (!walk.passes('prerouting', packet, true)) return;
      if (walk.passes('input', packet, true)) udp.deliver(datagram);
    });
  }

  #onLeft(datagram: Datagram): void {
    const host = hostOf(datagram.to.address);
    const { bytes } = packetOf(datagram, '', 0);
    const home = this.homes.get(host);
    const isAnswer =
      datagram.to.port === CONTROL_PORT && home?.saidBytes.has(datagram.bytes.length);
    if (!isAnswer && !this.#sizes.get(host)?.has(bytes)) {
      this.#violate(`${bytes} bytes to ${datagram.to.address}`);
    }
    const queue = this.machine.tc.queueOf(TUNNEL_NETDEV);
    if (datagram.to.port === FRAME_PORT && !(queue?.classes.has(host) && queue.isByAddress)) {
      this.#violate(`a frame to ${datagram.to.address} that nothing held back`);
    }
    home?.receive(datagram);
  }
}

function hostOf(address: string): number {
  return Number(address.split('.').at(-1));
}
