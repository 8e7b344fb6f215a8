// Stand-in for a whole machine: what a service does to it through its door is kept as a model, in a time of its own.
import type { InnerNetwork } from '../../../src/core/plan/facts.ts';
import { FRAME_PORT, NAMES_PORT, TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import { seededRandom } from '../../../src/core/random/random.ts';
import type { System } from '../../../src/shell/system/system.ts';
import { createIpMonitor, createNftMonitor, createSocat, tools } from './children.ts';
import { addCommands } from './commands.ts';
import { type Device, DeviceTraffic, innerPacket, type Way } from './device-traffic.ts';
import { type Call, Door, type Failing } from './door.ts';
import { ledFromLoopback, passHook } from './egress-hook.ts';
import { FactLog } from './facts.ts';
import { createSystem } from './fake-system.ts';
import { FarEndpoint } from './far-endpoint.ts';
import { FilesModel, Settings } from './files-model.ts';
import { failed, printed } from './ip-command.ts';
import { IpModel } from './ip-model.ts';
import { networkFolder, SETTINGS } from './kernel-folders.ts';
import { NftModel } from './nft-model.ts';
import { createNftSocket } from './nft-socket.ts';
import { NftWalk } from './nft-walk.ts';
import { OpenVpnModel, type OpenVpnWorld } from './openvpn-model.ts';
import { Plants } from './plants.ts';
import { ProcessTable } from './processes.ts';
import { createRouteSocket } from './route-socket.ts';
import { TcModel } from './tc-model.ts';
import { ThreadTable } from './threads.ts';
import { type Datagram, HEADER_BYTES, packetOf, UdpModel } from './udp-model.ts';
import { UnixSockets } from './unix-sockets.ts';
import { VirtualTime } from './virtual-time.ts';

export interface MachineOptions {
  /** Of the bytes that nobody can guess: the same ones for the same seed. */
  seed?: number;
  /** Secret of the home and its endpoint, 32 bytes. */
  controlKey: Uint8Array;
  /** Where devices appear inside, as the endpoint says. */
  inner: InnerNetwork;
  /** Netdev of devices' packets. */
  innerNetdev?: string;
  /** The home's tunnel address, with its length, and the endpoint's. */
  tunnel?: { home: string; endpoint: string };
  remote?: string;
  /** Puts the network of the devices into the machine. */
  addNetwork?: (machine: FakeMachine) => void;
}

const DNS_PORT = 53;
/** An address of the Internet that a device talks to. */
const CLOUD = '192.0.2.80';

/** One machine, with what is around it. Everything on it is done by virtual time: nothing happens but in {@link FakeMachine.advance}. */
export class FakeMachine {
  readonly time = new VirtualTime();
  readonly door = new Door(this.time);
  readonly files = new FilesModel(this.door, this.time);
  readonly nft = new NftModel(this.time);
  readonly walk = new NftWalk(this.nft);
  readonly ip = new IpModel();
  readonly tc = new TcModel(this.ip, this.time);
  readonly settings = new Settings(SETTINGS, () => [...this.ip.netdevs.keys()]);
  readonly processes = new ProcessTable(this.door, this.time);
  readonly threads = new ThreadTable(this.time);
  readonly udp: UdpModel;
  readonly unix: UnixSockets;
  readonly openvpn: OpenVpnModel;
  /** What OpenVPN finds on the Internet. */
  readonly world: OpenVpnWorld;
  /** The other end of a home's tunnel. */
  readonly far: FarEndpoint;
  readonly traffic: DeviceTraffic;
  /** What the world may do to it. */
  readonly plants: Plants;
  /** What holds, and since when not. */
  readonly facts: FactLog;
  /** The door to all this. */
  readonly system: System;
  /** Datagrams of the tunnel's inside that left by another netdev: there may be none, ever. */
  readonly strayed: Datagram[] = [];
  /** Answers of the router's own to devices that asked for names. */
  readonly namesAnswered: Datagram[] = [];
  /** Packets that came out of the tunnel for devices. */
  readonly delivered: Uint8Array[] = [];
  /** Devices of the house; the first stands for all where one is asked about. */
  devices: Device[] = [{ address: '192.168.8.11', mac: '02:00:00:00:08:0b', netdev: 'br-iot' }];
  readonly innerNetdev: string;
  readonly #socat: ReturnType<typeof createSocat>;
  readonly #known = new Map<string, { stamp: string; answer: unknown }>();

  constructor(options: MachineOptions) {
    const { time, door, files, nft, ip, tc, walk, processes } = this;
    const { home, endpoint } = options.tunnel ?? { home: '10.213.0.2/24', endpoint: '10.213.0.1' };
    this.innerNetdev = options.innerNetdev ?? 'iot0';
    this.unix = new UnixSockets(door, files, time);
    const onLeft = (netdev: string, datagram: Datagram) => this.#onLeft(netdev, datagram);
    const led = (sent: Parameters<typeof ledFromLoopback>[1]) => ledFromLoopback(nft, sent);
    this.udp = new UdpModel({ door, time, ip, tc, walk, uid: processes.uid, led, onLeft });
    this.world = {
      ...{ isReachable: true, answersPing: true, answersNames: true, carriedShare: 1 },
      refuses: () => false,
      connectMs: 300,
      assigned: home,
      remote: options.remote ?? '203.0.113.7',
    };
    this.openvpn = new OpenVpnModel({
      ...{ files, unix: this.unix, ip, time, world: this.world },
      makeNetdev: (name, address) => this.#makeTunnel(name, address),
      onConnected: () => this.far.note(),
    });
    this.far = new FarEndpoint({
      ...{ time, controlKey: options.controlKey, inner: options.inner, endpoint },
      home: home.split('/')[0]!,
      isPassing: () => this.isPassing,
      deliver: (datagram) => this.#comeIn(datagram),
    });
    this.traffic = new DeviceTraffic({
      ...{ nft, walk, ip, inner: this.innerNetdev, tunnel: TUNNEL_NETDEV },
    });
    this.#socat = createSocat(ip, this.udp, time, (packet) => void this.delivered.push(packet));
    addCommands(processes, { nft, ip, tc });
    processes.commands.push((argv) =>
      argv[0] !== 'ping' ? null : this.world.answersPing ? printed('') : failed(1, ''),
    );
    processes.programs.push(
      ...[this.openvpn.start, this.#socat.start, createNftMonitor(nft)],
      ...[createIpMonitor(ip), createRouteSocket(tc, ip), createNftSocket(nft), tools],
    );
    files.mount('/proc', processes.folder);
    files.mount('/proc/sys', this.settings);
    files.mount('/sys/class/net', networkFolder(ip));
    ip.onRemoved.push(({ name }) => this.settings.forget(name));
    ip.onRemoved.push(({ name }) => nft.forgetNetdev(name));
    this.system = createSystem(this, seededRandom(options.seed ?? 1));
    this.plants = new Plants(this, () => options.addNetwork?.(this));
    options.addNetwork?.(this);
    this.facts = new FactLog(this);
  }

  /** The effects that went through the door so far. */
  get calls(): readonly Call[] {
    return this.door.calls;
  }

  /** Has the `n`-th effect from now on fail once; 1 is the next one. */
  failNext(n = 1, failing: Failing = 'before'): void {
    this.door.failNext(n, failing);
  }

  /** Has the effect of this number, counted from 1, fail once. */
  failAt(number: number, failing: Failing = 'before'): void {
    this.door.failAt(number, failing);
  }

  /** Whether packets get through the tunnel, either way. */
  get isPassing(): boolean {
    const isUp = this.ip.netdevs.get(TUNNEL_NETDEV)?.isUp ?? false;
    return this.openvpn.isConnected && this.world.isReachable && isUp;
  }

  /** Lets time pass. Fails with what the models did not understand. */
  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
    this.verify();
  }

  /** Lets time pass, second by second, until this holds; no longer than so. */
  async awaitThat(holds: () => boolean, withinMs: number): Promise<void> {
    const untilMs = this.time.nowMs + withinMs;
    while (!holds() && this.time.nowMs < untilMs) await this.advance(1000);
  }

  /** Lets time pass until this work is done; fails where it is not within so long. */
  async finish<T>(work: Promise<T>, withinMs = 120_000): Promise<T> {
    const untilMs = this.time.nowMs + withinMs;
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    await this.time.settle();
    while (!isDone) {
      const hasMore = await this.time.step();
      if (hasMore && this.time.nowMs <= untilMs) continue;
      throw new Error(`not done within ${withinMs} ms:\n${this.door.print()}\n${this.print()}`);
    }
    this.verify();
    return work;
  }

  /** @throws Error when a command came that the models do not know. */
  verify(): void {
    const { notUnderstood } = this.processes;
    if (notUnderstood.length > 0) throw new Error(`not understood:\n${notUnderstood.join('\n')}`);
  }

  /** Has a device send one packet to the Internet; says where it went. */
  sendFromDevice(device = this.devices[0]!, bytes = 100): Way {
    const { way, packet } = this.traffic.wayOf(device, CLOUD, true);
    if (way === 'tunnel') {
      this.#socat.takes(this.innerNetdev, innerPacket(packet.source, packet.destination, bytes));
    }
    return way;
  }

  /** Where devices' packets to the Internet go now. */
  wayOfDevices(): Way {
    return this.#ask('way', () => this.traffic.wayOf(this.devices[0]!, CLOUD).way);
  }

  /** Ground truth: the rules let packets of devices into the packer, or their frames into the tunnel. */
  devicesMaySend(): boolean {
    return this.#ask('may send', () => {
      // Without rules that guard them exposed() tells.
      if (this.nft.tables.size === 0) return false;
      if (this.traffic.mayEnter(this.devices[0]!, CLOUD)) return true;
      const bytes = (this.ip.netdevs.get(TUNNEL_NETDEV)?.mtu ?? 512) - HEADER_BYTES;
      const end = { port: FRAME_PORT };
      const frame = {
        bytes: new Uint8Array(bytes),
        from: { ...end, address: this.far.home },
        to: { ...end, address: this.far.address },
      };
      return this.traffic.frameMayLeave(frame, this.processes.uid);
    });
  }

  /** Ground truth: packets of devices go out past the tunnel. To be asked while the service guards them. */
  exposed(): boolean {
    return this.wayOfDevices() === 'internet';
  }

  /** What is in the kernel and runs: rules, queues, netdevs, routes, processes, sockets, settings. */
  printKernel(): string {
    const parts: Record<string, string> = {
      nft: this.nft.print(),
      tc: this.tc.print(),
      ip: this.ip.print(),
      processes: this.processes.print(),
      threads: this.threads.print(),
      udp: this.udp.print(),
      sockets: this.unix.print(),
      settings: this.settings.print(),
    };
    return Object.entries(parts)
      .map(([name, text]) => `== ${name}\n${text.trimEnd()}\n`)
      .join('');
  }

  /** The whole state. */
  print(): string {
    return `${this.printKernel()}== files\n${this.files.print()}\n`;
  }

  /** What rules and routes say changes with them alone, and with elements whose time is over. */
  #ask<T>(question: string, find: () => T): T {
    const stamp = `${this.nft.stamp} ${this.ip.version}`;
    const known = this.#known.get(question);
    if (known?.stamp === stamp) return known.answer as T;
    const answer = find();
    this.#known.set(question, { stamp, answer });
    return answer;
  }

  #makeTunnel(name: string, address: string): void {
    const netdev = this.ip.addNetdev({ name, kind: 'tun', addresses: [address] });
    const before = this.far.sentPackets;
    let sent = 0;
    let sentBytes = 0;
    this.#count = (bytes) => {
      sent++;
      sentBytes += bytes;
    };
    netdev.sentBytes = () => {
      this.tc.queueOf(name)?.settle();
      return sentBytes;
    };
    netdev.sent = () => {
      this.tc.queueOf(name)?.settle();
      return sent;
    };
    netdev.received = () => this.far.sentPackets - before;
  }

  #count: (bytes: number) => void = () => {};
  /** What has become of shares of packets that the line carries. */
  #carried = 0;

  #onLeft(netdev: string, datagram: Datagram): void {
    if (netdev !== TUNNEL_NETDEV && datagram.to.port === DNS_PORT) {
      this.#answerName(datagram);
      return;
    }
    if (datagram.from.port === NAMES_PORT) {
      this.namesAnswered.push(datagram);
      return;
    }
    if (netdev !== TUNNEL_NETDEV) {
      this.strayed.push(datagram);
      return;
    }
    // While OpenVPN is not connected it throws away what it reads.
    if (!this.openvpn.isConnected) return;
    this.#count(packetOf(datagram, '', 0).bytes);
    // What OpenVPN sends takes its own way out.
    const { remote } = this.world;
    const way = this.ip.lookUp({ destination: remote })?.dev;
    const sent = { destination: remote, port: 1194, bytes: datagram.bytes.length };
    if (way && !passHook(this, way, sent)) return;
    this.#carried += this.world.carriedShare;
    if (this.#carried < 1) return;
    this.#carried--;
    if (this.isPassing) this.far.receive(datagram);
  }

  /** The router asks its own resolver. */
  #answerName({ bytes, from, to }: Datagram): void {
    if (!this.world.answersNames) return;
    const answer = bytes.slice();
    answer[2]! |= 0x80;
    this.udp.deliver({ bytes: answer, from: to, to: from });
  }

  #comeIn(datagram: Datagram): void {
    const packet = { ...packetOf(datagram, '', 0), iifname: TUNNEL_NETDEV, uid: null };
    if (this.walk.passes('prerouting', packet, true)) this.udp.deliver(datagram);
  }
}
