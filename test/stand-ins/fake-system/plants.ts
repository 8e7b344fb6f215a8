// Faults of the world, to be planted into the stand-in machine: what others do to it, what breaks, and what comes back.
import { CLOCK_NETDEV, COVER_PORT, TABLE, TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import { REDIRECTED_SET, WITNESS_COUNTER } from '../../../src/core/plan/nft/nft-home.ts';
import { CLOCK_TABLE } from '../../../src/core/plan/outer-clock.ts';
import type { FakeMachine } from './machine.ts';
import type { NetdevQueue } from './netdev-queue.ts';

/** Table and preference of a rule that somebody else puts before ours. */
const FOREIGN_TABLE = '100';
const FOREIGN_PREFERENCE = 100;

/** Each method is one fault, or its end; none waits. What can't be done as things are is not done. */
export class Plants {
  readonly #machine: FakeMachine;
  /** Puts the network of the devices back. */
  readonly #addNetwork: () => void;
  #houses = 0;

  constructor(machine: FakeMachine, addNetwork: () => void) {
    this.#machine = machine;
    this.#addNetwork = addNetwork;
  }

  // The queue

  deleteQueue(): void {
    this.#changeQueue((queue) => queue.setRoot('pfifo_fast', '0:'));
  }

  /** Another program's qdisc takes the place of ours. */
  changeQueue(kind = 'fq_codel'): void {
    this.#changeQueue((queue) => queue.setRoot(kind, '8001:'));
  }

  /** The classes lose their priorities. */
  dropLeaves(): void {
    this.#changeQueue((queue) => {
      for (const one of queue.classes.values()) one.leaf = null;
    });
  }

  /** A class that nobody asked for. */
  addClass(): void {
    this.#changeQueue((queue) => {
      if (queue.isHtb) queue.addClass(0x77, 1000, 512);
    });
  }

  // The clock behind OpenVPN

  deleteClock(): void {
    this.#machine.ip.removeNetdev(CLOCK_NETDEV);
  }

  /** Another program's qdisc takes the place of its queue. */
  changeClock(): void {
    this.#machine.tc.queueOf(CLOCK_NETDEV)?.setRoot('fq_codel', '8001:');
  }

  /** Nothing leads there any more. */
  flushClockChains(): void {
    const { nft } = this.#machine;
    if (nft.tables.has(CLOCK_TABLE)) nft.load(`flush table ${CLOCK_TABLE}\n`, true);
  }

  // Rules and routes

  flushRuleset(): void {
    this.#machine.nft.load('flush ruleset\n', true);
  }

  /** Puts a rule at the head of one of our chains. */
  editChain(chain = 'forward', rule = 'accept'): void {
    this.#machine.nft.insertRule(`inet ${TABLE}`, chain, rule);
  }

  /** A rule of another program comes before ours and sends devices by the WAN. */
  addForeignRule(): void {
    const { ip } = this.#machine;
    if (ip.rules.some(({ priority }) => priority === FOREIGN_PREFERENCE)) return;
    ip.setRoute({
      ...{ family: 4, table: FOREIGN_TABLE, type: 'unicast', destination: 'default' },
      ...{ dev: 'wan', via: '198.51.100.1', metric: 0, protocol: 'static' },
    });
    ip.addRule({
      ...{ family: 4, priority: FOREIGN_PREFERENCE, table: FOREIGN_TABLE },
      ...{ mark: 0, mask: 0, iif: this.#network, protocol: null },
    });
  }

  removeForeignRule(): void {
    const { ip } = this.#machine;
    for (const rule of ip.rules) if (rule.priority === FOREIGN_PREFERENCE) ip.removeRule(rule);
    for (const route of ip.routes) if (route.table === FOREIGN_TABLE) ip.removeRoute(route);
  }

  /** Somebody deletes our rule and our routes. */
  removeRoutes(table: string): void {
    const { ip } = this.#machine;
    for (const rule of ip.rules) if (rule.table === table) ip.removeRule(rule);
    for (const route of ip.routes) if (route.table === table) ip.removeRoute(route);
  }

  /** Packets of devices were stopped on a way that others gave them. */
  countAstray(packets = 1): void {
    const counter = this.#machine.nft.tables.get(`inet ${TABLE}`)?.counters.get(WITNESS_COUNTER);
    if (counter) counter.packets += packets;
  }

  /** A redirect of others brought to this router what a device asked the Internet for at this port. */
  redirect(port: number): void {
    this.#machine.nft.load(`add element inet ${TABLE} ${REDIRECTED_SET} { ${port} }\n`, false);
  }

  /** Somebody takes a netdev of ours down; its routes go. */
  takeDown(netdev: string): void {
    this.#machine.ip.setUp(netdev, false);
  }

  /** Somebody deletes the tunnel's netdev; its addresses and routes go. */
  deleteTunnel(): void {
    this.#machine.ip.removeNetdev(TUNNEL_NETDEV);
  }

  /** Somebody takes the addresses of a netdev of ours, and their routes. */
  loseAddresses(netdev: string): void {
    const { ip } = this.#machine;
    for (const address of ip.netdevs.get(netdev)?.addresses ?? []) {
      ip.removeAddress(netdev, address);
    }
  }

  /** Somebody deletes the route into the tunnel. */
  loseTunnelRoute(): void {
    const { ip } = this.#machine;
    for (const route of ip.routes) {
      if (route.dev === TUNNEL_NETDEV && route.table === 'main') ip.removeRoute(route);
    }
  }

  /** Somebody's settings take the place of ours. */
  changeSettings(): void {
    const { settings, innerNetdev } = this.#machine;
    settings.write('net/ipv4/ip_forward', '0');
    settings.write(`net/ipv4/conf/${innerNetdev}/rp_filter`, '1');
  }

  // The tunnel and its far end

  /** @param isNoticed the other end says so, and OpenVPN is not left to find out. */
  tunnelDown(isNoticed = true): void {
    this.#setReachable(false);
    if (isNoticed) this.#machine.openvpn.notice();
  }

  tunnelUp(): void {
    this.#setReachable(true);
  }

  /** The line carries this share of what is sent up, and of what comes down. */
  lineCarries(up: number, down: number): void {
    const { far, world } = this.#machine;
    far.note();
    world.carriedShare = up;
    far.arrivingShare = down;
  }

  openvpnDies(): void {
    this.#kill('--config');
  }

  /** Goes on whatever it is asked, until it is killed. */
  openvpnIgnoresTerm(): void {
    for (const one of this.#machine.processes.find('--config')) one.ignoresTerm = true;
  }

  endpointSilent(): void {
    this.#machine.far.answers = false;
  }

  endpointAnswers(): void {
    this.#machine.far.answers = true;
  }

  /** It is another run, which knows no home. */
  endpointRestarts(): void {
    this.#machine.far.restart();
  }

  downloadStops(): void {
    this.#machine.far.streams = false;
  }

  downloadRuns(): void {
    this.#machine.far.streams = true;
  }

  // The program's own

  /** The sockets of cover take nothing any more. */
  coverStops(): void {
    for (const socket of this.#machine.udp.sockets) {
      if (socket.peer?.port === COVER_PORT) socket.isStuck = true;
    }
  }

  threadThrows(text = 'planted fault'): void {
    for (const thread of [...this.#machine.threads.running]) thread.fail(text);
  }

  socatDies(): void {
    this.#kill('socat');
  }

  /** The socket to the kernel's traffic control. */
  routeSocketDies(): void {
    this.#kill('SOCKET-SENDTO:16:3:0:x00000000000000000000');
  }

  monitorsDie(): void {
    this.#kill('monitor');
  }

  // The house

  networkGone(): void {
    const { ip } = this.#machine;
    for (const [name, { master }] of [...ip.netdevs]) {
      if (name === this.#network || master === this.#network) ip.removeNetdev(name);
    }
  }

  networkBack(): void {
    if (!this.#machine.ip.netdevs.has(this.#network)) this.#addNetwork();
  }

  /** Another network comes into the house. */
  houseChanges(): void {
    const number = ++this.#houses;
    const address = `192.168.${100 + number}.1/24`;
    this.#machine.ip.addNetdev({ name: `br-new${number}`, kind: 'bridge', addresses: [address] });
  }

  removeNewHouses(): void {
    const { ip } = this.#machine;
    for (const name of [...ip.netdevs.keys()]) if (/^br-new/.test(name)) ip.removeNetdev(name);
  }

  neighbourComes(): void {
    const number = ++this.#houses;
    const mac = `02:00:00:00:09:${number.toString(16).padStart(2, '0')}`;
    this.#machine.ip.addNeighbour('br-lan', `192.168.1.${100 + number}`, mac);
  }

  clockJumps(byMs: number): void {
    this.#machine.time.jumpUnix(byMs);
  }

  get #network(): string {
    return this.#machine.devices[0]!.netdev;
  }

  #changeQueue(change: (queue: NetdevQueue) => void): void {
    const queue = this.#machine.tc.queueOf(TUNNEL_NETDEV);
    if (!queue) return;
    change(queue);
    queue.isTampered = true;
  }

  #setReachable(isReachable: boolean): void {
    const { far, world } = this.#machine;
    far.note();
    world.isReachable = isReachable;
    far.note();
  }

  #kill(word: string): void {
    const { processes } = this.#machine;
    for (const { pid } of processes.find(word)) processes.signal(pid, 'SIGKILL');
  }
}
