// The `ip` commands that the program gives, on the model, with what iproute2 answers.
import { addressInfo } from '../../system/netdevs.ts';
import type { Family, IpModel, Netdev, Route } from './ip-model.ts';
import { NotUnderstood } from './nft-text.ts';

/** How a command ended. */
export interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

export function printed(stdout: string): Ended {
  return { status: 0, stdout, stderr: '' };
}

export function failed(status: number, stderr: string): Ended {
  return { status, stdout: '', stderr };
}

const DONE = printed('');
const noDevice = (name: string): Ended => failed(1, `Cannot find device "${name}"`);
const answers = (what: string): Ended => failed(2, `RTNETLINK answers: ${what}`);
const list = (rows: object[]): Ended => printed(`${JSON.stringify(rows)}\n`);

/** Words that come in pairs: `dev wan metric 10`. */
class Words {
  readonly #words: readonly string[];

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get(name: string): string | null {
    const index = this.#words.indexOf(name);
    return index < 0 ? null : (this.#words[index + 1] ?? null);
  }
}

/**
 * Runs one command.
 *
 * @param argv words after `ip`.
 * @throws {NotUnderstood}
 */
export function runIp(model: IpModel, argv: readonly string[]): Ended {
  const flags = argv.filter((word) => word.startsWith('-'));
  const [object = '', verb = '', ...rest] = argv.filter((word) => !word.startsWith('-'));
  const family: Family | null = flags.includes('-4') ? 4 : flags.includes('-6') ? 6 : null;
  const words = new Words(rest);
  switch (`${object} ${verb}`) {
    case 'addr show':
      return list([...model.netdevs.values()].map(describeNetdev));
    case 'addr replace':
      return replaceAddress(model, rest[0]!, words.get('dev')!);
    case 'link add':
      return addLink(model, rest);
    case 'link del':
      if (!model.netdevs.has(rest[0]!)) return noDevice(rest[0]!);
      model.removeNetdev(rest[0]!);
      return DONE;
    case 'link set':
      return setLink(model, words, rest.includes('up'));
    case 'neigh show':
      return list(model.neighbours);
    case 'rule show':
      return list(model.rules.filter((rule) => rule.family === (family ?? 4)).map(describeRule));
    case 'rule add':
    case 'rule del':
      return changeRule(model, verb, family ?? 4, words, rest.includes('nop'));
    case 'route show':
      return showRoutes(model, family ?? 4, rest, words, flags.includes('-j'));
    case 'route get':
      return getRoute(model, rest[0]!, words);
    case 'route replace':
    case 'route del':
      return changeRoute(model, verb, family ?? 4, rest, words);
    case 'route flush':
      return flushRoutes(model, family ?? 4, rest, words);
    default:
      throw new NotUnderstood(`ip ${argv.join(' ')}`);
  }
}

function describeNetdev(netdev: Netdev): object {
  const { index, name, kind, mac, master, mtu, queuePackets, addresses, isUp } = netdev;
  return {
    ifindex: index,
    ifname: name,
    flags: isUp ? ['UP'] : [],
    mtu,
    txqlen: queuePackets,
    link_type: kind === 'tun' ? 'none' : name === 'lo' ? 'loopback' : 'ether',
    ...(mac ? { address: mac } : {}),
    ...(master ? { master } : {}),
    ...(kind
      ? { linkinfo: { info_kind: kind, info_data: kind === 'tun' ? { type: kind } : {} } }
      : {}),
    addr_info: addresses.map((cidr) =>
      addressInfo(cidr, name === 'lo' ? 'host' : cidr.startsWith('fe80:') ? 'link' : 'global'),
    ),
  };
}

function replaceAddress(model: IpModel, cidr: string, name: string): Ended {
  if (!model.netdevs.has(name)) return noDevice(name);
  model.addAddress(name, cidr);
  return DONE;
}

function addLink(
  model: IpModel,
  [name = '', , kind = '', , , peer = '']: readonly string[],
): Ended {
  if (model.missingKinds.has(kind)) return failed(2, 'Error: Unknown device type.');
  if (model.netdevs.has(name) || model.netdevs.has(peer)) return answers('File exists');
  for (const [one, other] of [
    [name, peer],
    [peer, name],
  ] as const) {
    model.addNetdev({ name: one, kind, peer: other });
    model.setUp(one, false);
  }
  return DONE;
}

function setLink(model: IpModel, words: Words, isUp: boolean): Ended {
  const name = words.get('dev')!;
  const netdev = model.netdevs.get(name);
  if (!netdev) return noDevice(name);
  netdev.mtu = Number(words.get('mtu') ?? netdev.mtu);
  model.setQueueLength(netdev, Number(words.get('txqueuelen') ?? netdev.queuePackets));
  model.version++;
  if (isUp) model.setUp(name, true);
  return DONE;
}

function describeRule(rule: IpModel['rules'][number]): object {
  const { priority, table, mark, mask, iif, protocol, source, goto, isNop } = rule;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return {
    priority,
    ...describeSource(source ?? null),
    ...(mask === 0 ? {} : { fwmark: hex(mark), fwmask: hex(mask) }),
    ...(iif === null ? {} : { iif }),
    ...(isNop ? { nop: null } : goto ? { goto } : { table }),
    ...(protocol === null ? {} : { protocol }),
  };
}

function describeSource(source: string | null): object {
  const [src = 'all', length] = source?.split('/') ?? [];
  const isSingle = length === undefined || length === (src.includes(':') ? '128' : '32');
  return isSingle ? { src } : { src, srclen: Number(length) };
}

function changeRule(
  model: IpModel,
  verb: string,
  family: Family,
  words: Words,
  isNop: boolean,
): Ended {
  const priority = Number(words.get('pref'));
  const table = words.get('lookup') ?? '';
  const goto = words.get('goto') === null ? null : Number(words.get('goto'));
  const iif = words.get('iif');
  const source = words.get('from')?.replace(/\/(?:32|128)$/, '') ?? null;
  const known = model.rules.find(
    (rule) =>
      rule.family === family &&
      rule.priority === priority &&
      rule.table === table &&
      rule.iif === iif &&
      // As the kernel does, which compares what is given alone (fib4_rule_compare).
      (source === null || (rule.source ?? null) === source) &&
      (rule.goto ?? null) === goto,
  );
  if (verb === 'del') {
    if (!known) return answers('No such file or directory');
    model.removeRule(known);
    return DONE;
  }
  if (known) return answers('File exists');
  const [mark, mask] = (words.get('fwmark') ?? '0/0').split('/').map(Number) as [number, number];
  const protocol = words.get('protocol');
  const action = { table, goto, isNop };
  model.addRule({ family, priority, ...action, mark, mask, iif, source, protocol });
  return DONE;
}

function tableOf(words: Words): string {
  return words.get('table') ?? 'main';
}

const noTable = (family: Family, end: string): Ended =>
  failed(2, `Error: ipv${family}: FIB table does not exist.\n${end} terminated`);

function showRoutes(
  model: IpModel,
  family: Family,
  rest: readonly string[],
  words: Words,
  asJson: boolean,
): Ended {
  const table = tableOf(words);
  const protocol = words.get('proto');
  const isDefault = rest.includes('default');
  if (table !== 'all' && !model.hasTable(family, table)) return noTable(family, 'Dump');
  const routes = model.routes.filter(
    (route) =>
      route.family === family &&
      (table === 'all' || route.table === table) &&
      (protocol === null || route.protocol === protocol) &&
      (!isDefault || route.destination === 'default'),
  );
  const rows = routes.map((route) => describeRoute(route, table === 'all', protocol === null));
  if (asJson) return list(rows);
  return printed(routes.map(({ destination, dev }) => `${destination} dev ${dev} \n`).join(''));
}

function describeRoute(route: Route, withTable: boolean, withProtocol: boolean): object {
  const { type, destination, dev, via, table, protocol, metric, family } = route;
  const named = dev ?? (family === 6 ? 'lo' : null);
  return {
    ...(type === 'unicast' ? {} : { type }),
    dst: destination,
    ...(via === null ? {} : { gateway: via }),
    ...(named === null ? {} : { dev: named }),
    ...(withTable && table !== 'main' ? { table } : {}),
    ...(withProtocol ? { protocol } : {}),
    ...(metric === 0 ? {} : { metric }),
    flags: [],
  };
}

function getRoute(model: IpModel, destination: string, words: Words): Ended {
  const iif = words.get('iif');
  if (iif !== null && !model.netdevs.has(iif)) return noDevice(iif);
  const source = words.get('from');
  const mark = Number(words.get('mark') ?? 0);
  const route = model.lookUp({
    destination,
    mark,
    ...(iif === null ? {} : { iif }),
    ...(source === null ? {} : { source }),
  });
  if (!route) return answers('Network is unreachable');
  if (route.type === 'unreachable') return answers('No route to host');
  if (route.type === 'blackhole') return answers('Invalid argument');
  return list([{ dst: destination, dev: route.type === 'local' ? 'lo' : route.dev, flags: [] }]);
}

const TYPES = ['unreachable', 'blackhole', 'local'];

function changeRoute(
  model: IpModel,
  verb: string,
  family: Family,
  rest: readonly string[],
  words: Words,
): Ended {
  const isTyped = TYPES.includes(rest[0]!);
  const type = (isTyped ? rest[0] : 'unicast') as Route['type'];
  const destination = isTyped ? rest[1]! : rest[0]!;
  const dev = words.get('dev');
  if (dev !== null && !model.netdevs.has(dev)) return noDevice(dev);
  const isDown = dev !== null && !model.netdevs.get(dev)!.isUp;
  if (verb === 'replace' && type === 'unicast' && isDown) return answers('Network is down');
  const table = tableOf(words);
  const protocol = words.get('proto');
  const metric = words.get('metric');
  if (verb === 'replace') {
    model.setRoute({
      ...{ family, table, type, destination, dev, via: words.get('via') },
      metric: Number(metric ?? (family === 6 ? 1024 : 0)),
      protocol: protocol ?? 'boot',
    });
    return DONE;
  }
  const known = model.routes.find(
    (route) =>
      route.family === family &&
      route.table === table &&
      route.type === type &&
      route.destination === destination &&
      (dev === null || route.dev === dev) &&
      (protocol === null || route.protocol === protocol) &&
      (metric === null || route.metric === Number(metric)),
  );
  if (!known) return answers('No such process');
  model.removeRoute(known);
  return DONE;
}

function flushRoutes(model: IpModel, family: Family, rest: readonly string[], words: Words): Ended {
  if (rest[0] === 'cache') return DONE;
  const table = words.get('table');
  if (table === null) throw new NotUnderstood(`ip route flush ${rest.join(' ')}`);
  if (!model.hasTable(family, table)) return noTable(family, 'Flush');
  for (const route of model.routes.filter((one) => one.family === family && one.table === table)) {
    model.removeRoute(route);
  }
  return DONE;
}
