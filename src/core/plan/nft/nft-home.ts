// The nftables table of the home role, as text.
import type { Config } from '../../config/types.ts';
import type { HomeFacts } from '../facts.ts';
import { renderInside } from '../inside.ts';
import {
  CONTROL_PORT,
  COVER_PORT,
  COVER_PRIORITY,
  DEVICE_ZONE,
  FRAME_PORT,
  FRAME_PRIORITY,
  hexMark,
  MARK_DIRECT,
  MARK_MASK,
  MARK_TUNNEL,
  NAMES_PORT,
  PACKET_PORT,
  SOCAT_PORT,
  TABLE,
  TUNNEL_NETDEV,
} from '../names.ts';
import { leavesDirectly } from '../routes.ts';
import {
  checkSource,
  INNER_TEXT_SETS,
  innerSets,
  refuseForeign,
  SENDER_SETS,
  sourceNat,
} from './nft-inner.ts';
import { renderHomePassage } from './nft-passage.ts';
import { frameRules } from './nft-slots.ts';
import { block, comment, learnedSet, netdevSet, replaceTable } from './nft-text.ts';
import { houseRules, watchResolvers, whoRules } from './nft-who.ts';

const REST = hexMark(~MARK_MASK >>> 0);
/** A packet of a connection that a device began towards the tunnel, whichever way it goes. */
const IN_ZONE = `ct original zone ${DEVICE_ZONE}`;
const DNS = 'meta l4proto { tcp, udp } th dport 53';

/** The sets and maps whose elements stand in the text of {@link renderHomeNft}; others are filled by the kernel or the service. */
const HOME_TEXT_SETS = ['house', ...INNER_TEXT_SETS];
/** The set of MACs of hosts beside the devices that ask the Internet for names. */
export const RESOLVER_SET = 'resolvers';

/** The set of ports at which devices asked the Internet for what somebody's redirect brought to this router. */
export const REDIRECTED_SET = 'redirected';

/** Sets whose elements stand in the text, and those that rules fill and the service reads. */
export const HOME_SETS = {
  text: HOME_TEXT_SETS,
  read: {
    [RESOLVER_SET]: 'ether_addr',
    [REDIRECTED_SET]: 'inet_service',
    [SENDER_SETS[0]!]: 'ipv4_addr',
    [SENDER_SETS[1]!]: 'ipv6_addr',
  },
} as const;

/** Counts packets that were marked for the tunnel and would have left elsewhere, by a rule or route of somebody else. */
export const WITNESS_COUNTER = 'astray';

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
    learnedSet('known', 'ether_addr', 1024, '1d', 'seen in a configured network'),
    learnedSet(
      ...([RESOLVER_SET, 'ether_addr', 1024, '15m'] as const),
      'ask the Internet for names, beside devices',
    ),
    learnedSet(
      ...([REDIRECTED_SET, 'inet_service', 64, '15m'] as const),
      'asked of the Internet, and brought to this router',
    ),
    ...innerSets(facts),
    block('counter cover_in', []),
    block('counter frames_in', []),
    block('counter stray_out', []),
    block('counter refused', []),
    block('counter held', []),
    block(`counter ${WITNESS_COUNTER}`, []),
    ...renderInside(facts.inside, config.tunnel.interface),
    block('chain in_house', houseRules(facts)),
    block('chain zone_tunnel', [`ct original zone set ${DEVICE_ZONE}`]),
    block('chain zone_shape', [
      ...unlessAlive(config),
      ...(config.main.dns ? [`${DNS} goto zone_tunnel ${comment('dns')}`] : []),
      'jump in_house',
      'goto zone_tunnel',
    ]),
    block('chain zone_block', [
      `${DNS} drop ${comment('the router would ask the provider for it')}`,
    ]),
    block('chain zone_devices', [
      'type filter hook prerouting priority raw - 10; policy accept;',
      ...whoRules(
        config,
        facts,
        { shape: 'goto zone_shape', block: 'goto zone_block', bypass: 'accept' },
        true,
      ),
    ]),
    ...markDirect(config),
    block('chain route_devices', routeDevices(config, facts)),
    block('chain held', [
      `counter name held reject with icmpx admin-prohibited ${comment('killswitch')}`,
    ]),
    block('chain held_unless_house', [
      `${DNS} goto held`,
      'oifname != @house goto held',
      'jump in_house',
      'goto held',
    ]),
    block('chain held_shape', [...unlessAlive(config), ...shapeAtForward(config)]),
    block('chain beside', watchResolvers(facts, RESOLVER_SET)),
    block('chain forward', forwardRules(config, facts)),
    block('chain redirect_dns', redirectDns(config, facts)),
    block('chain source_nat', sourceNat(config, facts)),
    block('chain check_source', checkSource(config, facts)),
    block('chain tunnel_in', tunnelIn(facts)),
    block('chain input_device', ['counter name held drop']),
    block('chain input_redirected', [
      `ct status dnat meta l4proto { tcp, udp } update @${REDIRECTED_SET} { ct original proto-dst }`,
      'goto input_device',
    ]),
    block('chain input', inputRules(config, facts)),
    block('chain output', outputRules(config, facts)),
    ...renderHomePassage(config.tunnel.interface),
  ]);
}

/** Without the kill switch a device goes out directly while the tunnel is not in order: the user's own choice. */
function unlessAlive(config: Config): string[] {
  return config.main.killswitch
    ? []
    : [`meta protocol != @alive accept ${comment('killswitch 0')}`];
}

/** Last in prerouting, when everybody else has set marks and destinations: the route follows from the zone. */
function routeDevices(config: Config, facts: HomeFacts): string[] {
  const next = 'accept';
  const directly = { shape: next, block: next, bypass: 'goto mark_direct' };
  return [
    'type filter hook prerouting priority 2147483000; policy accept;',
    `${IN_ZONE} ct direction reply accept`,
    ...refuseForeign(IN_ZONE, facts),
    `${IN_ZONE} ${DNS} meta mark set meta mark & ${REST} | ${hexMark(MARK_TUNNEL)} accept`,
    `${IN_ZONE} jump in_house`,
    `${IN_ZONE} meta mark set meta mark & ${REST} | ${hexMark(MARK_TUNNEL)}`,
    ...(leavesDirectly(config) ? [`${IN_ZONE} accept`] : []),
    ...(leavesDirectly(config) ? whoRules(config, facts, directly) : []),
  ];
}

function markDirect(config: Config): string[][] {
  if (!leavesDirectly(config)) return [];
  const mark = `meta mark set meta mark & ${REST} | ${hexMark(MARK_DIRECT)}`;
  return [block('chain mark_direct', [`${mark} ${comment('past the routing rules')}`])];
}

function shapeAtForward(config: Config): string[] {
  return [
    `oifname != @house ${IN_ZONE} ct direction original counter name ${WITNESS_COUNTER} ${comment('sent elsewhere by others')}`,
    ...(config.main.dns ? [] : [`${DNS} oifname @house jump in_house`]),
    'goto held_unless_house',
  ];
}

/**
 * Judged anew where a packet leaves, by netdev, MAC and address: whatever rule, route or netdev of others brought a
 * device's packet here, it goes to the tunnel, stays in the house, or is held.
 */
function forwardRules(config: Config, facts: HomeFacts): string[] {
  const inside = `"${config.tunnel.interface}"`;
  return [
    'type filter hook forward priority filter - 5; policy accept;',
    `oifname "${TUNNEL_NETDEV}" counter name refused drop ${comment('only frames enter the tunnel')}`,
    `iifname "${TUNNEL_NETDEV}" counter name refused drop`,
    `oifname ${inside} meta protocol != @alive counter name refused drop ${comment('shut unless verified')}`,
    `oifname ${inside} ${IN_ZONE} ct direction original accept`,
    `oifname ${inside} counter name refused drop ${comment('not a device')}`,
    `iifname ${inside} ${IN_ZONE} ct state established,related oifname @house accept`,
    `iifname ${inside} counter name refused drop ${comment('nothing is let in from the tunnel')}`,
    ...config.networks.map(
      (network) =>
        `oifname "${network.device}" iifname != @house ct state != { established, related } counter name refused drop ${comment(`${network.section}: not past the tunnel`)}`,
    ),
    ...whoRules(config, facts, {
      shape: 'goto held_shape',
      block: 'goto held_unless_house',
      bypass: 'goto beside',
    }),
    'goto beside',
  ];
}

function redirectDns(config: Config, facts: HomeFacts): string[] {
  const chain = ['type nat hook prerouting priority dstnat - 5; policy accept;'];
  if (!config.main.dns) return chain;
  const asks = `${IN_ZONE} ${DNS}`;
  // Names of the house do not wait for the tunnel; the service answers nothing else there.
  const meanwhile = `meta nfproto ipv4 meta protocol != @alive ${IN_ZONE} udp dport 53 redirect to :${NAMES_PORT} ${comment('names of the house')}`;
  if (!facts.inner) return [...chain, meanwhile];
  return [
    ...chain,
    meanwhile,
    `meta nfproto ipv4 ${asks} dnat ip to ${facts.inner.resolver4} ${comment('dns')}`,
    ...(facts.inner.resolver6
      ? [`meta nfproto ipv6 ${asks} dnat ip6 to ${facts.inner.resolver6} ${comment('dns')}`]
      : []),
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

/**
 * What a device sent to the Internet and somebody's redirect brought to this router would be answered, or asked for, by
 * the WAN; the time alone is the router's own. Names it asks this router for are asked of the provider.
 */
function inputRules(config: Config, facts: HomeFacts): string[] {
  const held = 'goto input_device';
  return [
    'type filter hook input priority filter - 5; policy accept;',
    `iifname "${config.tunnel.interface}" counter name refused drop ${comment('the router has no business with the tunnel')}`,
    `${IN_ZONE} ct direction original udp dport 123 accept`,
    `${IN_ZONE} ct direction original ct status dnat udp dport ${NAMES_PORT} accept ${comment('names of the house')}`,
    `udp dport ${NAMES_PORT} counter name refused drop`,
    `${IN_ZONE} ct direction original goto input_redirected ${comment('a redirect past the tunnel')}`,
    ...(config.main.dns && config.main.killswitch
      ? [
          `meta l4proto != { tcp, udp } accept`,
          `th dport != 53 accept`,
          ...whoRules(config, facts, { shape: held, block: held, bypass: 'accept' }),
        ]
      : []),
  ];
}

function outputRules(config: Config, facts: HomeFacts): string[] {
  const on = `oifname "${TUNNEL_NETDEV}"`;
  const ours = facts.tunnel
    ? `${on} ip saddr ${facts.tunnel.local} ip daddr ${facts.tunnel.peer} meta skuid ${facts.uid} meta length`
    : null;
  const slot = ours && `${ours} ${config.main.packetBytes} udp`;
  const said = ours && `${ours} <= ${config.main.packetBytes} udp`;
  return [
    'type filter hook output priority mangle; policy accept;',
    `oifname "lo" ip daddr 127.0.0.1 udp dport { ${PACKET_PORT}, ${SOCAT_PORT} } meta skuid != ${facts.uid} drop`,
    `oifname "${config.tunnel.interface}" counter name stray_out drop`,
    ...(slot
      ? [
          `${slot} dport ${COVER_PORT} meta priority set 0:${COVER_PRIORITY} accept`,
          `${said} dport ${CONTROL_PORT} meta priority set 0:${FRAME_PRIORITY} accept ${comment('smaller where the way takes no larger')}`,
          ...frameRules(slot, 'meta protocol @alive'),
        ]
      : []),
    `${on} counter name stray_out drop`,
  ];
}
