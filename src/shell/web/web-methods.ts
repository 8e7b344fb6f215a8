// What the page's browser may call: the service's own methods as they stand on OpenWrt's bus, and what LuCI has beside them.
import type { Lease } from '../../core/home/devices/leases.ts';
import type { ListedNetdev } from '../../core/home/netdev-kinds.ts';
import { type AccessList, accessOf } from '../../core/web/access.ts';
import type { Method } from '../ubus/object.ts';
import { statusCode, type UbusError } from '../ubus/status.ts';
import type { Table } from '../ubus/values.ts';
import type { WebSettings } from './web-settings.ts';

/** The status of ubus, and what was answered where it is 0. */
export type Answer = [status: number, data?: object];

/** What the machine knows of its networks and who is in them. */
export interface HouseFacts {
  leases(): Promise<Lease[]>;
  /** What `ip -j` lists. */
  ip<T>(words: readonly string[]): Promise<T[]>;
  /** Whether a netdev is the service's own. */
  isOwn(netdev: string): boolean;
}

export interface MethodsOptions {
  access: AccessList;
  /** The object `iotshaper`. */
  service: Readonly<Record<string, Method>>;
  settings: WebSettings;
  facts: HouseFacts;
}

type Call = (args: Table) => object | null | undefined | Promise<object | null | undefined>;

/** The page runs as the service does: who answers at all has the rights of root. */
const CALLER = { user: 'root', group: 'root' };

export class WebMethods {
  readonly #access: AccessList;
  readonly #objects: Readonly<Record<string, Readonly<Record<string, Call>>>>;

  constructor({ access, service, settings, facts }: MethodsOptions) {
    this.#access = access;
    this.#objects = {
      iotshaper: Object.fromEntries(
        Object.entries(service).map(([name, { handler }]) => [
          name,
          (args: Table) => handler(args, CALLER),
        ]),
      ),
      uci: { get: () => settings.get(), apply: (args) => settings.apply(args) },
      'luci-rpc': {
        getHostHints: () => readHints(facts),
        getDHCPLeases: async () => leasesOf(await facts.leases()),
      },
      'network.interface': { dump: () => dump(facts) },
      // It answers, so it runs.
      rc: { list: () => ({ iotshaper: { enabled: true, running: true } }) },
    };
  }

  /** Never throws: what a method does not take is a status, as on the bus. */
  async call(object: string, method: string, args: Table): Promise<Answer> {
    if (!accessOf(this.#access, object, method)) return [statusCode.PERMISSION_DENIED];
    const methods = Object.hasOwn(this.#objects, object) ? this.#objects[object]! : {};
    const call = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (!call) return [statusCode.METHOD_NOT_FOUND];
    try {
      const data = await call(args);
      if (data === null) return [statusCode.INVALID_ARGUMENT];
      return data === undefined ? [statusCode.OK] : [statusCode.OK, data];
    } catch (error) {
      // By its name: the service, in another bundle, has its own class.
      const { name, code } = error as UbusError;
      return [name === 'UbusError' ? code : statusCode.UNKNOWN_ERROR];
    }
  }
}

interface Neighbour {
  dst: string;
  dev: string;
  lladdr?: string;
  state?: string[];
}

/** As LuCI has them: by MAC address, without names, which leases have. On the Internet's side nobody is a device. */
async function readHints(facts: HouseFacts): Promise<object> {
  const outside = new Set((await readDefaultRoutes(facts)).map(({ dev }) => dev));
  const hints: Record<string, { ipaddrs: string[]; ip6addrs: string[] }> = {};
  for (const { dst, dev, lladdr, state = [] } of await facts.ip<Neighbour>(['neigh', 'show'])) {
    if (lladdr === undefined || state.includes('FAILED')) continue;
    if (outside.has(dev) || facts.isOwn(dev)) continue;
    hints[lladdr] ??= { ipaddrs: [], ip6addrs: [] };
    hints[lladdr][dst.includes(':') ? 'ip6addrs' : 'ipaddrs'].push(dst);
  }
  return hints;
}

function leasesOf(leases: readonly Lease[]): object {
  return {
    dhcp_leases: leases.map(({ mac, address, name }) => ({
      macaddr: mac,
      ipaddr: address,
      hostname: name,
    })),
    dhcp6_leases: [],
  };
}

interface Route {
  dst: string;
  dev?: string;
  gateway?: string;
}

async function readDefaultRoutes({ ip }: HouseFacts): Promise<Route[]> {
  const families = ['-4', '-6'].map((family) => ip<Route>([family, 'route', 'show', 'default']));
  return (await Promise.all(families)).flat();
}

/** Netdevs with addresses, in the shape of netifd's interfaces. */
async function dump(facts: HouseFacts): Promise<object> {
  const listed = await facts.ip<ListedNetdev>(['addr', 'show']);
  const routes = await readDefaultRoutes(facts);
  const netdevs = listed.filter(
    ({ ifname, addr_info = [] }) => addr_info.length > 0 && !facts.isOwn(ifname),
  );
  return {
    interface: netdevs.map(({ ifname, addr_info = [] }) => {
      const of = (family: string) =>
        addr_info.filter((one) => one.family === family).map(({ local }) => ({ address: local }));
      return {
        interface: ifname,
        l3_device: ifname,
        'ipv4-address': of('inet'),
        'ipv6-address': of('inet6'),
        route: routes
          .filter(({ dev }) => dev === ifname)
          .map(({ gateway }) => ({ target: '0.0.0.0', mask: 0, nexthop: gateway })),
      };
    }),
  };
}
