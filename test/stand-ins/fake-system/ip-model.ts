// Netdevs, addresses, routes, rules and neighbours of the stand-in machine.
import { networkOf } from '../../../src/core/ip/address.ts';
import { contains } from './nft-rule.ts';

export type Family = 4 | 6;

export interface NetdevSpec {
  name: string;
  /** As the kernel names it; none for hardware. */
  kind?: string;
  mac?: string;
  /** Bridge it is a port of. */
  master?: string;
  /** In CIDR form. */
  addresses?: string[];
  /** The other end of a pair, which goes with it. */
  peer?: string;
}

export interface Netdev extends NetdevSpec {
  index: number;
  mtu: number;
  queuePackets: number;
  addresses: string[];
  isUp: boolean;
  /** Packets so far. */
  sent: () => number;
  sentBytes: () => number;
  received: () => number;
}

export interface Route {
  family: Family;
  table: string;
  type: 'unicast' | 'unreachable' | 'blackhole' | 'local';
  /** `default`, a prefix or an address. */
  destination: string;
  dev: string | null;
  via: string | null;
  metric: number;
  protocol: string;
}

export interface PolicyRule {
  family: Family;
  priority: number;
  table: string;
  mark: number;
  mask: number;
  iif: string | null;
  protocol: string | null;
  /** Whom it is about, in CIDR form; all where left out. */
  source?: string | null;
  /** Preference that is gone on with, in place of a table. */
  goto?: number | null;
  /** It does nothing. */
  isNop?: boolean;
}

export interface Neighbour {
  dst: string;
  dev: string;
  lladdr: string;
  state: string[];
}

export interface RouteQuestion {
  destination: string;
  source?: string;
  iif?: string;
  mark?: number;
}

/** What `ip -o monitor label` says of a change. */
export type Monitor = (line: string) => void;

/** All that `ip` shows and changes. */
export class IpModel {
  readonly netdevs = new Map<string, Netdev>();
  routes: Route[] = [];
  rules: PolicyRule[] = [];
  neighbours: Neighbour[] = [];
  /** Kinds of netdevs that the kernel does not have. */
  readonly missingKinds = new Set<string>();
  /** Goes up with every change. */
  version = 0;
  readonly monitors = new Set<Monitor>();
  /** Told when a netdev has gone. */
  readonly onRemoved: ((netdev: Netdev) => void)[] = [];
  /** Its queue starts over: all that stood in it is dropped (dev_change_tx_queue_len of net/core/dev.c). */
  readonly onEmptied: ((netdev: Netdev) => void)[] = [];
  #lastIndex = 0;
  /** Routes found since the last change. */
  readonly #answers = new Map<string, Route | null>();
  #answeredAt = -1;
  #own = new Set<string>();
  #ownAt = -1;
  /** Routing tables that ever held a route, by family: asking for another is an error. */
  readonly #knownTables = new Set<string>();

  constructor() {
    for (const family of [4, 6] as const) {
      for (const [priority, table] of [
        [0, 'local'],
        [32766, 'main'],
        ...(family === 4 ? [[32767, 'default'] as const] : []),
      ] as const) {
        const plain = { mark: 0, mask: 0, iif: null, protocol: null };
        this.rules.push({ family, priority, table, ...plain });
        this.#knownTables.add(`${family} ${table}`);
      }
    }
  }

  /** Makes a netdev; its addresses bring their routes. */
  addNetdev(spec: NetdevSpec): Netdev {
    const netdev: Netdev = {
      mtu: 1500,
      queuePackets: 1000,
      sent: () => 0,
      sentBytes: () => 0,
      received: () => 0,
      ...spec,
      index: ++this.#lastIndex,
      addresses: [],
      isUp: true,
    };
    this.netdevs.set(spec.name, netdev);
    this.#changed(
      `[LINK]${netdev.index}: ${spec.name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500`,
    );
    for (const address of spec.addresses ?? []) this.addAddress(spec.name, address);
    return netdev;
  }

  /** The kernel takes its addresses, routes and neighbours with it. */
  removeNetdev(name: string): void {
    const netdev = this.netdevs.get(name);
    if (!netdev) return;
    for (const address of [...netdev.addresses]) this.removeAddress(name, address);
    for (const route of this.routes.filter(({ dev }) => dev === name)) this.removeRoute(route);
    for (const { dst } of this.neighbours.filter(({ dev }) => dev === name)) {
      this.#changed(`[NEIGH]Deleted ${dst} dev ${name} FAILED `);
    }
    this.neighbours = this.neighbours.filter(({ dev }) => dev !== name);
    this.netdevs.delete(name);
    this.#changed(
      `[LINK]Deleted ${netdev.index}: ${name}: <BROADCAST,MULTICAST> mtu ${netdev.mtu}`,
    );
    for (const told of this.onRemoved) told(netdev);
    if (netdev.peer) this.removeNetdev(netdev.peer);
  }

  setQueueLength(netdev: Netdev, packets: number): void {
    if (netdev.queuePackets === packets) return;
    netdev.queuePackets = packets;
    for (const told of this.onEmptied) told(netdev);
  }

  /** The kernel takes the routes of one that goes down, and knows only the networks of one that comes up. */
  setUp(name: string, isUp: boolean): void {
    const netdev = this.netdevs.get(name);
    if (!netdev || netdev.isUp === isUp) return;
    netdev.isUp = isUp;
    this.#changed(`[LINK]${netdev.index}: ${name}: <BROADCAST${isUp ? ',UP' : ''}> mtu 1500`);
    for (const route of this.routes.filter(({ dev }) => dev === name)) this.removeRoute(route);
    if (isUp) for (const cidr of netdev.addresses) this.#connect(name, cidr);
  }

  /** Adds an address unless it is there. */
  addAddress(name: string, cidr: string): void {
    const netdev = this.netdevs.get(name)!;
    if (netdev.addresses.includes(cidr)) return;
    netdev.addresses.push(cidr);
    const inet = cidr.includes(':') ? 'inet6' : 'inet';
    this.#changed(`[ADDR]${netdev.index}: ${name}    ${inet} ${cidr} scope global ${name}\\`);
    if (netdev.isUp) this.#connect(name, cidr);
  }

  #connect(name: string, cidr: string): void {
    const [local = '', length] = cidr.split('/');
    const family = local.includes(':') ? 6 : 4;
    const connected = { family, dev: name, via: null, protocol: 'kernel' } as const;
    const metric = family === 4 ? 0 : 256;
    this.setRoute({ ...connected, table: 'local', type: 'local', destination: local, metric: 0 });
    this.setRoute({
      ...connected,
      table: 'main',
      type: 'unicast',
      destination: networkOf(local, Number(length)),
      metric,
    });
  }

  removeAddress(name: string, cidr: string): void {
    const netdev = this.netdevs.get(name)!;
    netdev.addresses = netdev.addresses.filter((one) => one !== cidr);
    const [local = '', length] = cidr.split('/');
    const inet = local.includes(':') ? 'inet6' : 'inet';
    this.#changed(
      `[ADDR]Deleted ${netdev.index}: ${name}    ${inet} ${cidr} scope global ${name}\\`,
    );
    const gone = [local, networkOf(local, Number(length))];
    for (const route of this.routes) {
      const isOurs = route.protocol === 'kernel' && route.dev === name;
      if (isOurs && gone.includes(route.destination)) this.removeRoute(route);
    }
  }

  /** Adds a route, in place of one of the same destination and metric in its table. */
  setRoute(route: Route): void {
    const isSame = (one: Route): boolean =>
      one.family === route.family &&
      one.table === route.table &&
      one.destination === route.destination &&
      one.metric === route.metric &&
      // Two netdevs may have the same connected network.
      (route.protocol !== 'kernel' || one.dev === route.dev);
    this.routes = [...this.routes.filter((one) => !isSame(one)), route];
    this.#knownTables.add(`${route.family} ${route.table}`);
    this.#changed(`[ROUTE]${printRoute(route)}`);
  }

  removeRoute(route: Route): void {
    this.routes = this.routes.filter((one) => one !== route);
    this.#changed(`[ROUTE]Deleted ${printRoute(route)}`);
  }

  hasTable(family: Family, table: string): boolean {
    return this.#knownTables.has(`${family} ${table}`);
  }

  addRule(rule: PolicyRule): void {
    this.rules = [...this.rules, rule].sort((a, b) => a.priority - b.priority);
    this.#knownTables.add(`${rule.family} ${rule.table}`);
    this.#changed(`[RULE]${printRule(rule)}`);
  }

  removeRule(rule: PolicyRule): void {
    this.rules = this.rules.filter((one) => one !== rule);
    this.#changed(`[RULE]Deleted ${printRule(rule)}`);
  }

  addNeighbour(dev: string, dst: string, lladdr: string): void {
    this.neighbours = this.neighbours.filter((one) => one.dst !== dst);
    this.neighbours.push({ dst, dev, lladdr, state: ['REACHABLE'] });
    this.#changed(`[NEIGH]${dst} dev ${dev} lladdr ${lladdr} REACHABLE `);
  }

  /** Whether one of this machine's netdevs has the address. */
  isOwn(address: string): boolean {
    if (this.#ownAt !== this.version) {
      const all = [...this.netdevs.values()].flatMap(({ addresses }) => addresses);
      this.#own = new Set(all.map((cidr) => cidr.split('/')[0]!));
      this.#ownAt = this.version;
    }
    return this.#own.has(address);
  }

  /** The route that a packet takes; null where nothing leads anywhere. */
  lookUp(question: RouteQuestion): Route | null {
    const { destination, iif = '', mark = 0 } = question;
    if (this.#answeredAt !== this.version) this.#answers.clear();
    this.#answeredAt = this.version;
    const key = `${destination} ${iif} ${mark} ${question.source ?? ''}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const found = this.#find(question);
    this.#answers.set(key, found);
    return found;
  }

  #find({ destination, source, iif, mark = 0 }: RouteQuestion): Route | null {
    const family = destination.includes(':') ? 6 : 4;
    let fromPriority = 0;
    for (const rule of this.rules) {
      if (rule.priority < fromPriority || rule.isNop) continue;
      if (rule.family !== family || ((mark ^ rule.mark) & rule.mask) !== 0) continue;
      if (rule.iif !== null && rule.iif !== iif) continue;
      if (rule.source && (source === undefined || !contains(rule.source, source))) continue;
      if (rule.goto) {
        const target = rule.goto;
        const isThere = this.rules.some((one) => one.family === family && one.priority === target);
        if (isThere) fromPriority = target;
        continue;
      }
      const found = this.routes
        .filter(
          (route) =>
            route.family === family &&
            route.table === rule.table &&
            (route.destination === 'default' || contains(route.destination, destination)),
        )
        .sort((a, b) => lengthOf(b) - lengthOf(a) || a.metric - b.metric)[0];
      if (found) return found;
    }
    return null;
  }

  /** Netdevs, rules and routes but for the kernel's own, one a line. */
  print(): string {
    const netdevs = [...this.netdevs.values()].map(({ name, mtu, queuePackets, addresses }) =>
      `${name} mtu ${mtu} qlen ${queuePackets} ${addresses.join(' ')}`.trimEnd(),
    );
    const rules = this.rules.map((rule) => `-${rule.family} ${printRule(rule)}`);
    const routes = this.routes
      .filter(({ protocol }) => protocol !== 'kernel')
      .map((route) => `-${route.family} ${printRoute(route)}`);
    return [...netdevs.sort(), ...rules.sort(), ...routes.sort()].join('\n');
  }

  #changed(line: string): void {
    this.version++;
    for (const monitor of this.monitors) monitor(line);
  }
}

function lengthOf({ destination, family }: Route): number {
  if (destination === 'default') return 0;
  const [, length] = destination.split('/');
  return length === undefined ? (family === 4 ? 32 : 128) : Number(length);
}

function printRoute({ type, destination, dev, via, table, protocol, metric }: Route): string {
  return [
    ...(type === 'unicast' ? [] : [type]),
    destination,
    ...(via === null ? [] : ['via', via]),
    ...(dev === null ? [] : ['dev', dev]),
    ...(table === 'main' ? [] : ['table', table]),
    ...(protocol === 'boot' ? [] : ['proto', protocol]),
    ...(metric === 0 ? [] : ['metric', `${metric}`]),
    '',
  ].join(' ');
}

function printRule(rule: PolicyRule): string {
  const { priority, table, mark, mask, iif, protocol, source, goto, isNop } = rule;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    `${priority}:\tfrom ${source ?? 'all'}`,
    ...(mask === 0 ? [] : [`fwmark ${hex(mark)}/${hex(mask)}`]),
    ...(iif === null ? [] : [`iif ${iif}`]),
    isNop ? 'nop' : goto ? `goto ${goto}` : `lookup ${table}`,
    ...(protocol === null ? [] : [`proto ${protocol}`]),
  ].join(' ');
}
