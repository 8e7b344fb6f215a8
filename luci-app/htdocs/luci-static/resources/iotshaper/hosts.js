// Every device the page can show: what the router knows, what the service sees, what UCI says.
'use strict';
'require baseclass';
'require rpc';
'require iotshaper.makers as makers';
'require iotshaper.core as core';

/** @typedef {import('../../../../../src/core/home/api.ts').Status} Status */
/** @typedef {import('../../../../../src/core/home/api.ts').DeviceStatus} DeviceStatus */

/** @typedef {Record<string, { name?: string, ipaddrs?: string[], ip6addrs?: string[] }>} Hints */
/** @typedef {{ macaddr?: string, hostname?: string, ipaddr?: string, ip6addr?: string }} Lease */
/** @typedef {{ dhcp_leases?: Lease[], dhcp6_leases?: Lease[] }} Leases */
/** @typedef {{ address: string }} Address */
/**
 * @typedef {{ interface: string, l3_device?: string, route?: { target: string, mask: number, nexthop?: string }[],
 *   'ipv4-address'?: Address[], 'ipv6-address'?: Address[] }} Interface
 */

/**
 * @typedef {object} Host
 * @property {string} key the MAC address, or the address where there is none
 * @property {string} mac lower case, '' when it is known by address only
 * @property {string[]} ip
 * @property {string} name
 * @property {string} maker
 * @property {string | null} section its section in UCI
 * @property {string} policy '' when UCI has none for it
 * @property {DeviceStatus | null} seen what the service says of it
 */

const callHints = rpc.declare({ object: 'luci-rpc', method: 'getHostHints', expect: { '': {} } });
const callLeases = rpc.declare({ object: 'luci-rpc', method: 'getDHCPLeases', expect: { '': {} } });
const callInterfaces = rpc.declare({
  object: 'network.interface',
  method: 'dump',
  expect: { interface: [] },
});

/** @param {string} address */
const isLinkLocal = (address) => /^fe[89ab]/i.test(address);

/** @param {unknown} value */
const listOf = (value) =>
  L.toArray(value)
    .filter((item) => typeof item === 'string')
    .filter((item) => item !== '');

/** Hosts by key and by address, made as they are asked for. */
class Register {
  /** @type {Map<string, Host>} */
  hosts = new Map();
  /** @type {Map<string, Host>} */
  byAddress = new Map();

  /** @param {string} mac @param {string[]} ip */
  get(mac, ip) {
    const key = mac || ip[0] || '';
    const host = (mac ? this.hosts.get(key) : this.byAddress.get(key)) ?? this.add(key, mac);
    for (const address of ip) {
      if (!host.ip.includes(address)) host.ip.push(address);
      if (!this.byAddress.has(address)) this.byAddress.set(address, host);
    }
    return host;
  }

  /** @param {string} key @param {string} mac @returns {Host} */
  add(key, mac) {
    const maker = mac === '' ? '' : makers.find(mac);
    const host = { key, mac, ip: [], name: '', maker, section: null, policy: '', seen: null };
    this.hosts.set(key, host);
    return host;
  }
}

const api = {
  /** What the router knows of its hosts; nothing where the login may not ask. */
  async load() {
    const [hints, leases] = await Promise.all([
      L.resolveDefault(/** @type {Promise<Hints>} */ (callHints()), {}),
      L.resolveDefault(/** @type {Promise<Leases>} */ (callLeases()), {}),
    ]);
    return { hints, leases };
  },

  /** Networks that do not lead to the Internet; addresses that no device has: the router's own, and of who stands before it. */
  async loadNetworks() {
    const interfaces = await L.resolveDefault(
      /** @type {Promise<Interface[]>} */ (callInterfaces()),
      [],
    );
    const networks = interfaces
      .filter(({ l3_device: netdev, route = [] }) => {
        const leadsOut = route.some(({ mask }) => mask === 0);
        return netdev && netdev !== 'lo' && !leadsOut;
      })
      .map(({ interface: name, l3_device: netdev = '' }) => ({ name, netdev }));
    const own = interfaces.flatMap((each) =>
      [...(each['ipv4-address'] ?? []), ...(each['ipv6-address'] ?? [])].map(
        ({ address }) => address,
      ),
    );
    const gateways = interfaces.flatMap(({ route = [] }) =>
      route.flatMap(({ mask, nexthop }) => (mask === 0 && nexthop ? [nexthop] : [])),
    );
    return { networks, own: [...own, ...gateways] };
  },

  /**
   * One host for each device, whoever knows of it, those with a policy first, then by name.
   * @param {{ hints: Hints, leases: Leases }} router
   * @param {readonly DeviceStatus[]} seen
   * @param {readonly UciSection[]} sections
   * @param {readonly string[]} [own] addresses of the router itself and its gateways, which are no devices
   * @returns {Host[]}
   */
  merge({ hints, leases }, seen, sections, own = []) {
    const register = new Register();
    for (const [mac, { name, ipaddrs, ip6addrs }] of Object.entries(hints)) {
      const ip = [...listOf(ipaddrs), ...listOf(ip6addrs)].filter((ip) => !isLinkLocal(ip));
      register.get(mac.toLowerCase(), ip).name ||= name?.replace(/\.lan$/, '') ?? '';
    }
    for (const lease of [...(leases.dhcp_leases ?? []), ...(leases.dhcp6_leases ?? [])]) {
      if (!lease.macaddr) continue;
      const ip = listOf(lease.ipaddr ?? lease.ip6addr);
      register.get(lease.macaddr.toLowerCase(), ip).name ||= lease.hostname ?? '';
    }
    for (const device of seen) {
      if (!device.mac && device.ip.length === 0) continue;
      const host = register.get(device.mac, device.ip);
      // The service calls a device it has no name for by its MAC address.
      if (device.name !== device.mac) host.name = device.name || host.name;
      host.seen = device;
    }
    for (const section of sections) {
      const mac = String(section.mac ?? '').toLowerCase();
      const ip = listOf(section.ip);
      if (!mac && ip.length === 0) continue;
      const host = register.get(mac, ip);
      host.section = section['.name'];
      host.policy = core.readDraft(core.deviceSection, section).policy ?? '';
      host.name = String(section.name ?? '') || host.name;
    }
    const order = new Intl.Collator(undefined, { numeric: true }).compare;
    return [...register.hosts.values()]
      .filter(
        ({ ip, name, seen, section }) =>
          section !== null ||
          seen !== null ||
          ((ip.length > 0 || name !== '') && !ip.some((address) => own.includes(address))),
      )
      .sort(
        (a, b) =>
          Number(b.section !== null) - Number(a.section !== null) ||
          Number(a.name === '') - Number(b.name === '') ||
          order(a.name || a.key, b.name || b.key),
      );
  },

  /** What to call a host that has no name. @param {Host} host */
  title({ name, maker, mac, key }) {
    if (name) return name;
    return maker && mac ? `${maker} ${mac.slice(-5)}` : key;
  },

  /** Who made it, in words. @param {Host} host */
  makerText({ maker, mac }) {
    if (maker) return maker;
    if (mac && makers.isMadeUp(mac)) return _('made-up address');
    return _('maker unknown');
  },
};

/** @typedef {typeof api} Hosts */

// @ts-expect-error: LuCI evaluates this file as the body of a function.
return baseclass.extend(api);
