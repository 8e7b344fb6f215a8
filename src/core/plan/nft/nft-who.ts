// Who is a device and what stays in the house, as rules that every hook can ask again: no verdict is carried in a mark.
import type { Config, DeviceConfig } from '../../config/types.ts';
import type { FollowedDevice, HomeFacts } from '../facts.ts';
import { TUNNEL_NETDEV } from '../names.ts';
import { comment, netdevSet } from './nft-text.ts';

/** Names asked for in ways that show to the provider: DNS, DNS over TLS and QUIC, and HTTPS to public resolvers. */
const PUBLIC_RESOLVERS = [
  ...['1.0.0.1', '1.1.1.1', '8.8.4.4', '8.8.8.8', '9.9.9.9', '149.112.112.112'],
  ...['94.140.14.14', '94.140.15.15', '208.67.220.220', '208.67.222.222', '45.90.28.0/22'],
];

/** What one hook does with a packet of a device, by the device's policy: a verdict each, `goto CHAIN` or `accept`. */
export type Verdicts = Record<DeviceConfig['policy'], string>;

function prefixLength(cidr: string): number {
  const length = cidr.split('/')[1];
  return length === undefined ? 128 : Number(length);
}

/** `ip` or `ip6`, by the look of an address or prefix. */
function family(cidr: string): 'ip' | 'ip6' {
  return cidr.includes(':') ? 'ip6' : 'ip';
}

const NOBODY: FollowedDevice = { section: '', macs: [], addresses: [] };

/**
 * Rules that give each device's packets their verdict and let all others fall through: by source MAC, then by address,
 * the narrower prefix first, then by the netdev they came in on. What the configuration names comes before what was
 * learned of it.
 *
 * @param learns whether this hook notes who speaks in a configured network.
 */
export function whoRules(
  config: Config,
  facts: HomeFacts,
  verdicts: Verdicts,
  learns = false,
): string[] {
  const known = config.devices.map((device) => ({
    verdict: verdicts[device.policy],
    label: comment(`${device.section} ${device.name}`),
    device,
    followed: facts.followed.find(({ section }) => section === device.section) ?? NOBODY,
  }));
  const named = new Set(config.devices.map(({ mac }) => mac));
  const byAddress = known
    .flatMap(({ verdict, label, device, followed }) => [
      ...device.ip.map((cidr) => ({ cidr, rule: `${verdict} ${label}`, learned: 0 })),
      ...followed.addresses.map((cidr) => ({ cidr, rule: `${verdict} ${label}`, learned: 1 })),
    ])
    .sort((a, b) => prefixLength(b.cidr) - prefixLength(a.cidr) || a.learned - b.learned);
  return [
    `iifname ${netdevSet(['lo', config.tunnel.interface, TUNNEL_NETDEV])} return`,
    ...known.flatMap(({ verdict, label, device }) =>
      device.mac === null ? [] : [`ether saddr ${device.mac} ${verdict} ${label}`],
    ),
    ...known.flatMap(({ verdict, label, followed }) =>
      followed.macs
        .filter((mac) => !named.has(mac))
        .map((mac) => `ether saddr ${mac} ${verdict} ${label}`),
    ),
    ...byAddress.map(({ cidr, rule }) => `${family(cidr)} saddr ${cidr} ${rule}`),
    ...networkRules(config, facts, verdicts.shape, learns),
  ];
}

/** Everybody in a configured network, and everybody known from it who comes in by another netdev. */
function networkRules(config: Config, facts: HomeFacts, shape: string, learns: boolean): string[] {
  if (config.networks.length === 0) return [];
  const netdevs = [...config.networks.map(({ device }) => device), ...facts.networkPorts];
  const inside = facts.uplinks.length > 0 ? `iifname != ${netdevSet(facts.uplinks)} ` : '';
  return [
    ...(learns
      ? [
          `iifname ${netdevSet(netdevs)} update @known { ether saddr } ${comment('seen in a network')}`,
        ]
      : []),
    ...config.networks.map(
      (network) => `iifname "${network.device}" ${shape} ${comment(network.section)}`,
    ),
    ...(facts.networkPorts.length > 0
      ? [`iifname ${netdevSet(facts.networkPorts)} ${shape} ${comment('a port of a network')}`]
      : []),
    ...facts.networkPrefixes.map(
      (prefix) =>
        `${inside}${family(prefix)} saddr ${prefix} ${shape} ${comment('addresses of a network')}`,
    ),
    `${facts.networkLost ? inside : `iifname != @house ${inside}`}ether saddr @known ${shape} ${comment('known from a network')}`,
  ];
}

/** Rules that accept what stays in the house by where it goes. */
export function houseRules(facts: HomeFacts): string[] {
  const four = facts.housePrefixes.filter((prefix) => family(prefix) === 'ip');
  const six = facts.housePrefixes.filter((prefix) => family(prefix) === 'ip6');
  return [
    `fib daddr type { local, broadcast, multicast } accept ${comment('stays in the house')}`,
    'ip daddr { 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255 } accept',
    'ip6 daddr { fe80::/10, ff00::/8 } accept',
    ...(four.length > 0 ? [`ip daddr { ${four.join(', ')} } accept`] : []),
    ...(six.length > 0 ? [`ip6 daddr { ${six.join(', ')} } accept`] : []),
  ];
}

/** Who lives beside devices and asks the Internet for names may be asking for them. @param set of their MACs */
export function watchResolvers(facts: HomeFacts, set: string): string[] {
  if (facts.sharedNetdevs.length === 0) return [];
  const beside = `iifname ${netdevSet(facts.sharedNetdevs)} oifname != @house`;
  const note = `update @${set} { ether saddr }`;
  return [
    `${beside} meta l4proto { tcp, udp } th dport { 53, 853 } ${note}`,
    `${beside} ip daddr { ${PUBLIC_RESOLVERS.join(', ')} } meta l4proto { tcp, udp } th dport 443 ${note}`,
  ];
}
