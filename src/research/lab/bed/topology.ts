// The lab's network as data: namespaces, links, addresses and the commands that build them. Pure.
import { deviceCatalogue, type HouseDevice } from '../../devices/catalogue.ts';
import { crowdDevices } from '../traffic/loads.ts';

export type Place = 'devices' | 'router' | 'provider' | 'endpoint' | 'cloud';

/** Addresses of the lab (RFC 6598, RFC 5737 and RFC 3849 ranges, so nothing real is ever meant). */
export const lab = {
  bridge: 'br-iot',
  lanAddress: '192.168.8.1',
  lanPrefix: '192.168.8.',
  homeAddress: '100.64.8.2',
  endpointAddress: '203.0.113.10',
  dnsAddress: '192.88.99.53',
  replayAddress: '192.88.99.99',
  replayPort: 9999,
  /** Where the household's activity ends in the placebo: the router's own address on the LAN. */
  sinkAddress: '192.168.8.1',
  sinkDnsPort: 5300,
} as const;

export interface LabDevice {
  /** `replay` is the device that plays a capture. */
  id: HouseDevice | 'replay';
  name: string;
  mac: string;
  ip: string;
  ip6: string;
  netdev: string;
}

export interface Topology {
  names: Record<Place, string>;
  devices: LabDevice[];
  /** Commands in order, each a whole argument vector, once the namespaces exist. */
  commands: string[][];
  /** Kernel settings of each namespace, for `sysctl -w`. */
  settings: Record<Place, string[]>;
  /** nft rules of the provider's customer: what any home router does. */
  routerRules: string;
}

export interface TopologyOptions {
  /** Part of every name, so that several labs can stand side by side. */
  id: string;
  ipv6: boolean;
  /** MAC of the device that plays a capture. */
  replayMac?: string | null;
  /** Many devices rather than one of each kind. */
  crowd?: boolean;
}

/** Names are given so that a lab is told from everything else on the machine: `iotlab-<id>-<place>`. */
function namespaceName(id: string, place: Place): string {
  return `iotlab-${id}-${place}`;
}

/** Every name the emulated devices may look up, with an address of the lab's Internet that is always the same. */
export function cloudAddresses(): Map<string, string> {
  const names = [...new Set(deviceCatalogue.flatMap(({ dnsNames }) => dnsNames))];
  return new Map(names.map((name, index) => [name, `192.88.99.${100 + index}`]));
}

/** The household: one device of each kind, and one that plays captures; of a crowd the others stand behind them. */
export function labDevices(replayMac: string | null = null, crowd = false): LabDevice[] {
  const kinds = [
    ...deviceCatalogue.map(({ id, name, macPrefix }) => ({
      id,
      name,
      mac: `${macPrefix}:00:00:01`,
    })),
    { id: 'replay' as const, name: 'Replayed capture', mac: replayMac ?? '02:00:5e:00:53:01' },
    ...(crowd ? crowdDevices().slice(deviceCatalogue.length) : []).map(
      ({ device, kind: { name, macPrefix } }, index) => ({
        id: device,
        name: `${name} (${device})`,
        mac: `${macPrefix}:00:01:${index.toString(16).padStart(2, '0')}`,
      }),
    ),
  ];
  return kinds.map((kind, index) => ({
    ...kind,
    ip: `${lab.lanPrefix}${11 + index}`,
    ip6: `2001:db8:8::${11 + index}`,
    netdev: `d${index + 1}`,
  }));
}

/** @returns everything needed to build the lab's network, nothing of it done */
export function planTopology({
  id,
  ipv6,
  replayMac = null,
  crowd = false,
}: TopologyOptions): Topology {
  const names: Record<Place, string> = {
    devices: namespaceName(id, 'devices'),
    router: namespaceName(id, 'router'),
    provider: namespaceName(id, 'provider'),
    endpoint: namespaceName(id, 'endpoint'),
    cloud: namespaceName(id, 'cloud'),
  };
  const devices = labDevices(replayMac, crowd);
  const commands: string[][] = [];
  const ip = (place: Place, ...rest: string[]) =>
    commands.push(['ip', '-n', names[place], ...rest]);

  const address6 = (place: Place, netdev: string, address: string) => {
    if (ipv6) ip(place, '-6', 'address', 'add', address, 'dev', netdev, 'nodad');
  };
  const route = (place: Place, target: string, via: string) =>
    ip(place, 'route', 'add', target, 'via', via);
  const route6 = (place: Place, target: string, via: string) => {
    if (ipv6) ip(place, '-6', 'route', 'add', target, 'via', via);
  };
  const link = (one: Place, oneDev: string, other: Place, otherDev: string) =>
    ip(one, 'link', 'add', oneDev, 'type', 'veth', 'peer', 'name', otherDev, 'netns', names[other]);

  for (const place of Object.keys(names) as Place[]) ip(place, 'link', 'set', 'lo', 'up');

  // The home: every device on its own cable to the router's bridge.
  ip('router', 'link', 'add', lab.bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
  ip('router', 'address', 'add', `${lab.lanAddress}/24`, 'dev', lab.bridge);
  ip('router', 'link', 'set', lab.bridge, 'up');
  address6('router', lab.bridge, '2001:db8:8::1/64');
  devices.forEach(({ netdev, mac, ip: own, ip6 }, index) => {
    const port = `p${index + 1}`;
    const table = String(101 + index);
    link('devices', netdev, 'router', port);
    ip('devices', 'link', 'set', netdev, 'address', mac, 'up');
    ip('router', 'link', 'set', port, 'master', lab.bridge, 'up');
    ip('devices', 'address', 'add', `${own}/24`, 'dev', netdev, 'noprefixroute');
    ip('devices', 'route', 'add', '192.168.8.0/24', 'dev', netdev, 'src', own, 'table', table);
    ip(
      'devices',
      'route',
      'add',
      'default',
      'via',
      lab.lanAddress,
      'dev',
      netdev,
      'src',
      own,
      'table',
      table,
    );
    ip('devices', 'rule', 'add', 'from', own, 'lookup', table);
    if (ipv6) {
      ip('devices', '-6', 'address', 'add', `${ip6}/64`, 'dev', netdev, 'nodad', 'noprefixroute');
      ip('devices', '-6', 'route', 'add', '2001:db8:8::/64', 'dev', netdev, 'table', table);
      ip(
        'devices',
        '-6',
        'route',
        'add',
        'default',
        'via',
        '2001:db8:8::1',
        'dev',
        netdev,
        'table',
        table,
      );
      ip('devices', '-6', 'rule', 'add', 'from', ip6, 'lookup', table);
    }
  });

  // The provider in the middle: the home's line, the VPS's and the rest of the Internet.
  link('router', 'wan', 'provider', 'home');
  link('endpoint', 'eth0', 'provider', 'vps');
  link('cloud', 'eth0', 'provider', 'net');
  for (const netdev of ['home', 'vps', 'net']) ip('provider', 'link', 'set', netdev, 'up');
  ip('router', 'link', 'set', 'wan', 'up');
  ip('endpoint', 'link', 'set', 'eth0', 'up');
  ip('cloud', 'link', 'set', 'eth0', 'up');
  ip('provider', 'address', 'add', '100.64.8.1/24', 'dev', 'home');
  ip('provider', 'address', 'add', '203.0.113.1/24', 'dev', 'vps');
  ip('provider', 'address', 'add', '192.88.99.1/24', 'dev', 'net');
  ip('router', 'address', 'add', `${lab.homeAddress}/24`, 'dev', 'wan');
  ip('endpoint', 'address', 'add', `${lab.endpointAddress}/24`, 'dev', 'eth0');
  for (const address of [lab.dnsAddress, lab.replayAddress, ...cloudAddresses().values()]) {
    ip('cloud', 'address', 'add', `${address}/24`, 'dev', 'eth0');
  }
  // As on real hardware: packets reach the router and leave devices in bundles.
  const offload = (place: Place, netdev: string) =>
    commands.push([
      ...['ip', 'netns', 'exec', names[place], 'ethtool', '-K', netdev],
      ...['tso', 'on', 'gso', 'on', 'gro', 'on'],
    ]);
  for (const { netdev } of devices) offload('devices', netdev);
  devices.forEach((_, index) => {
    offload('router', `p${index + 1}`);
  });
  offload('router', 'wan');
  offload('endpoint', 'eth0');

  route('router', 'default', '100.64.8.1');
  route('endpoint', 'default', '203.0.113.1');
  route('cloud', 'default', '192.88.99.1');

  address6('provider', 'home', '2001:db8:64::1/64');
  address6('provider', 'vps', '2001:db8:203::1/64');
  address6('provider', 'net', '2001:db8:198::1/64');
  address6('router', 'wan', '2001:db8:64::2/64');
  address6('endpoint', 'eth0', '2001:db8:203::10/64');
  address6('cloud', 'eth0', '2001:db8:198::53/64');
  route6('router', 'default', '2001:db8:64::1');
  route6('endpoint', 'default', '2001:db8:203::1');
  route6('cloud', 'default', '2001:db8:198::1');
  route6('provider', '2001:db8:8::/64', '2001:db8:64::2');

  const forwarding = ['net.ipv4.ip_forward=1', ...(ipv6 ? ['net.ipv6.conf.all.forwarding=1'] : [])];
  const noIpv6 = ipv6
    ? []
    : ['net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'];
  const settings: Record<Place, string[]> = {
    // One namespace plays many hosts on one wire: each address answers only on its own cable.
    devices: [
      ...noIpv6,
      'net.ipv4.conf.all.arp_ignore=1',
      'net.ipv4.conf.default.arp_ignore=1',
      'net.ipv4.conf.all.arp_announce=2',
      'net.ipv4.conf.default.arp_announce=2',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
    ],
    router: [...noIpv6, ...forwarding],
    provider: [...noIpv6, ...forwarding],
    endpoint: noIpv6,
    cloud: noIpv6,
  };
  return { names, devices, commands, settings, routerRules };
}

/** What a home router does without iot-shaper: hides the LAN behind its WAN address. */
const routerRules = `table inet iotlab {
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "wan" ip saddr 192.168.8.0/24 masquerade
  }
}
`;
