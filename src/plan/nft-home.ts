// The nftables table of the home role, as text.
import type { Config, DeviceConfig } from '../config/types.ts';
import type { HomeFacts } from './facts.ts';
import {
  CONTROL_PORT,
  COVER_PORT,
  COVER_PRIORITY,
  FRAME_PORT,
  FRAME_PRIORITY,
  hexMark,
  MARK_HOUSE,
  MARK_MASK,
  MARK_TUNNEL,
  PACKET_PORT,
  SOCAT_PORT,
  TABLE,
  TUNNEL_NETDEV,
} from './names.ts';
import { block, comment, netdevSet, replaceTable } from './nft-text.ts';

const MASK = hexMark(MARK_MASK);
const REST = hexMark(~MARK_MASK >>> 0);
const IS_TUNNEL = `meta mark & ${MASK} == ${hexMark(MARK_TUNNEL)}`;
const IS_HOUSE = `meta mark & ${MASK} == ${hexMark(MARK_HOUSE)}`;

/** Protocols (ether types) of devices that may leave now: IPv6 only where the endpoint carries it. */
export function aliveProtocols(facts: HomeFacts): string[] {
  return facts.inner?.prefix6 ? ['ip', 'ip6'] : ['ip'];
}

/**
 * The home's whole table, to be loaded as one transaction. With `facts.tunnel` or `facts.inner` missing it is shut: no
 * rule lets anything of a device through the tunnel.
 *
 * @returns text for `nft -f -`.
 */
export function renderHomeNft(config: Config, facts: HomeFacts): string {
  return replaceTable(TABLE, [
    block('set alive', [
      'typeof meta protocol',
      'flags timeout',
      comment('may leave while verified'),
    ]),
    block('set house', [
      'type ifname',
      ...(facts.houseNetdevs.length > 0 ? [`elements = ${netdevSet(facts.houseNetdevs)}`] : []),
    ]),
    block('counter cover_in', []),
    block('counter frames_in', []),
    block('counter stray_out', []),
    block('counter refused', []),
    markDevices(config),
    block('chain house', houseRules(facts)),
    block('chain shape', shapeRules(config)),
    block('chain to_tunnel', [
      `meta mark set meta mark & ${REST} | ${hexMark(MARK_TUNNEL)} accept`,
    ]),
    block('chain block', [
      `meta l4proto { tcp, udp } th dport 53 drop ${comment('the router would ask the provider for it')}`,
      `meta mark set meta mark & ${REST} | ${hexMark(MARK_HOUSE)} accept`,
    ]),
    block('chain forward', forwardRules(config)),
    ...hookedChain('redirect_dns', redirectDns(config, facts)),
    ...hookedChain('source_nat', sourceNat(config, facts)),
    block('chain check_source', checkSource(config, facts)),
    block('chain tunnel_in', tunnelIn(facts)),
    block('chain input', inputRules(config)),
    block('chain output', outputRules(config, facts)),
  ]);
}

/** A chain, unless it would hold nothing. */
function hookedChain(name: string, lines: string[]): string[][] {
  return lines.length > 0 ? [block(`chain ${name}`, lines)] : [];
}

function policyVerdict(device: DeviceConfig): string {
  return device.policy === 'bypass' ? 'accept' : `goto ${device.policy}`;
}

function prefixLength(cidr: string): number {
  const length = cidr.split('/')[1];
  return length === undefined ? 128 : Number(length);
}

/** `ip` or `ip6`, by the look of an address or prefix. */
function family(cidr: string): 'ip' | 'ip6' {
  return cidr.includes(':') ? 'ip6' : 'ip';
}

function markDevices(config: Config): string[] {
  const byMac = config.devices.filter((device) => device.mac !== null);
  const byAddress = config.devices
    .flatMap((device) => device.ip.map((cidr) => ({ cidr, device })))
    .sort((a, b) => prefixLength(b.cidr) - prefixLength(a.cidr));
  return block('chain mark_devices', [
    'type filter hook prerouting priority mangle; policy accept;',
    `iifname ${netdevSet(['lo', config.tunnel.interface, TUNNEL_NETDEV])} return`,
    ...byMac.map(
      (device) =>
        `ether saddr ${device.mac} ${policyVerdict(device)} ${comment(`${device.section} ${device.name}`)}`,
    ),
    ...byAddress.map(
      ({ cidr, device }) =>
        `${family(cidr)} saddr ${cidr} ${policyVerdict(device)} ${comment(`${device.section} ${device.name}`)}`,
    ),
    ...config.networks.map(
      (network) => `iifname "${network.device}" goto shape ${comment(network.section)}`,
    ),
  ]);
}

function houseRules(facts: HomeFacts): string[] {
  const four = facts.housePrefixes.filter((prefix) => family(prefix) === 'ip');
  const six = facts.housePrefixes.filter((prefix) => family(prefix) === 'ip6');
  const mark = `meta mark set meta mark & ${REST} | ${hexMark(MARK_HOUSE)} accept`;
  return [
    `fib daddr type { local, broadcast, multicast } ${mark} ${comment('stays in the house')}`,
    `ip daddr { 169.254.0.0/16, 224.0.0.0/4, 255.255.255.255 } ${mark}`,
    `ip6 daddr { fe80::/10, ff00::/8 } ${mark}`,
    ...(four.length > 0 ? [`ip daddr { ${four.join(', ')} } ${mark}`] : []),
    ...(six.length > 0 ? [`ip6 daddr { ${six.join(', ')} } ${mark}`] : []),
  ];
}

function shapeRules(config: Config): string[] {
  return [
    // Without the kill switch a device goes out directly while the tunnel is not in order: the user's own choice.
    ...(config.main.killswitch
      ? []
      : [`meta protocol != @alive return ${comment('killswitch 0')}`]),
    ...(config.main.dns
      ? [`meta l4proto { tcp, udp } th dport 53 goto to_tunnel ${comment('dns')}`]
      : []),
    'jump house',
    'goto to_tunnel',
  ];
}

function forwardRules(config: Config): string[] {
  const inside = `"${config.tunnel.interface}"`;
  return [
    'type filter hook forward priority filter - 5; policy accept;',
    `oifname "${TUNNEL_NETDEV}" counter name refused drop ${comment('only frames enter the tunnel')}`,
    `iifname "${TUNNEL_NETDEV}" counter name refused drop`,
    `oifname ${inside} meta protocol != @alive counter name refused drop ${comment('shut unless verified')}`,
    `oifname ${inside} ${IS_TUNNEL} accept`,
    `oifname ${inside} counter name refused drop ${comment('not a device')}`,
    `${IS_TUNNEL} counter name refused reject with icmpx admin-prohibited ${comment('killswitch')}`,
    `${IS_HOUSE} oifname != @house counter name refused reject with icmpx admin-prohibited ${comment('stays in the house')}`,
    `iifname ${inside} ct state established,related oifname @house accept`,
    `iifname ${inside} counter name refused drop ${comment('nothing is let in from the tunnel')}`,
    ...config.networks.map(
      (network) =>
        `oifname "${network.device}" iifname != @house counter name refused drop ${comment(`${network.section}: not past the tunnel`)}`,
    ),
  ];
}

function redirectDns(config: Config, facts: HomeFacts): string[] {
  if (!config.main.dns || !facts.inner) return [];
  const asks = `${IS_TUNNEL} meta l4proto { tcp, udp } th dport 53`;
  return [
    'type nat hook prerouting priority dstnat - 5; policy accept;',
    `meta nfproto ipv4 ${asks} dnat ip to ${facts.inner.resolver4} ${comment('dns')}`,
    ...(facts.inner.resolver6
      ? [`meta nfproto ipv6 ${asks} dnat ip6 to ${facts.inner.resolver6} ${comment('dns')}`]
      : []),
  ];
}

function sourceNat(config: Config, facts: HomeFacts): string[] {
  if (!facts.inner) return [];
  const out = `oifname "${config.tunnel.interface}"`;
  return [
    'type nat hook postrouting priority srcnat - 5; policy accept;',
    `${out} meta nfproto ipv4 snat ip prefix to ${facts.inner.prefix4}`,
    ...(facts.inner.prefix6
      ? [`${out} meta nfproto ipv6 snat ip6 prefix to ${facts.inner.prefix6}`]
      : []),
  ];
}

/** A connection that began before shaping keeps the source address it had; it may not show it to the endpoint. */
function checkSource(config: Config, facts: HomeFacts): string[] {
  const out = `oifname "${config.tunnel.interface}"`;
  return [
    'type filter hook postrouting priority srcnat + 5; policy accept;',
    ...(facts.inner
      ? [
          `${out} ip saddr ${facts.inner.prefix4} accept`,
          ...(facts.inner.prefix6 ? [`${out} ip6 saddr ${facts.inner.prefix6} accept`] : []),
        ]
      : []),
    `${out} counter name refused drop`,
  ];
}

function tunnelIn(facts: HomeFacts): string[] {
  const on = `iifname "${TUNNEL_NETDEV}"`;
  const peer = facts.tunnel
    ? `${on} ip saddr ${facts.tunnel.peer} ip daddr ${facts.tunnel.local} udp`
    : null;
  return [
    'type filter hook prerouting priority raw; policy accept;',
    ...(peer
      ? [
          `${peer} dport ${COVER_PORT} counter name cover_in drop`,
          `${peer} dport { ${CONTROL_PORT}, ${FRAME_PORT} } counter name frames_in accept`,
        ]
      : []),
    `${on} counter name refused drop`,
  ];
}

function inputRules(config: Config): string[] {
  return [
    'type filter hook input priority filter - 5; policy accept;',
    `${IS_TUNNEL} counter name refused drop ${comment('a DNS query that was not redirected')}`,
    `iifname "${config.tunnel.interface}" counter name refused drop ${comment('the router has no business with the tunnel')}`,
  ];
}

function outputRules(config: Config, facts: HomeFacts): string[] {
  const on = `oifname "${TUNNEL_NETDEV}"`;
  const slot = facts.tunnel
    ? `${on} ip saddr ${facts.tunnel.local} ip daddr ${facts.tunnel.peer} meta skuid ${facts.uid} meta length ${config.main.packetBytes} udp`
    : null;
  return [
    'type filter hook output priority mangle; policy accept;',
    `oifname "lo" ip daddr 127.0.0.1 udp dport { ${PACKET_PORT}, ${SOCAT_PORT} } meta skuid != ${facts.uid} drop`,
    `oifname "${config.tunnel.interface}" counter name stray_out drop`,
    ...(slot
      ? [
          `${slot} dport ${COVER_PORT} meta priority set 0:${COVER_PRIORITY} accept`,
          `${slot} dport ${CONTROL_PORT} meta priority set 0:${FRAME_PRIORITY} accept`,
          `${slot} dport ${FRAME_PORT} meta protocol @alive meta priority set 0:${FRAME_PRIORITY} accept`,
        ]
      : []),
    `${on} counter name stray_out drop`,
  ];
}
