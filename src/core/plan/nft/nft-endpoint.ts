// The nftables table of the endpoint role, as text.
import { networkOf } from '../../ip/address.ts';
import type { EndpointFacts, InsideRanges } from '../facts.ts';
import { renderInside } from '../inside.ts';
import {
  CONTROL_PORT,
  COVER_PORT,
  FRAME_PORT,
  hexMark,
  MARK_MASK,
  MARK_TUNNEL,
  PACKET_PORT,
  SOCAT_PORT,
  TABLE,
  TUNNEL_NETDEV,
} from '../names.ts';
import { type EndpointWays, renderEndpointPassage } from './nft-endpoint-passage.ts';
import { type SlotsHome, slotsRules } from './nft-slots.ts';
import { block, comment, netdevSet, replaceTable } from './nft-text.ts';

/** The sets whose elements stand in the text of {@link renderEndpointNft}. */
const ENDPOINT_TEXT_SETS = ['cover_in', 'frames_in'];
/** The same, which count and are read. */
export const ENDPOINT_SETS = {
  text: ENDPOINT_TEXT_SETS,
  read: { cover_in: 'ipv4_addr', frames_in: 'ipv4_addr' },
} as const;

/** Netdev between the packer and the Internet side of the endpoint. */
export const INNER_NETDEV = 'iot0';

/** Networks in which a home's devices have no business: the endpoint's own surroundings and other homes. */
const NOT_INTERNET_4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  // Azure's, from which a server is given its settings.
  '168.63.129.16',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
// What a translator makes of IPv4 addresses (64:ff9b::/96) would lead around the list above.
const NOT_INTERNET_6 = [
  ...[
    '::1/128',
    '64:ff9b::/96',
    '64:ff9b:1::/48',
    'fc00::/7',
    'fe80::/10',
    'fec0::/10',
    'ff00::/8',
  ],
];

/** Networks in which a home's devices have no business, wherever the endpoint is. */
export const NOT_INTERNET: readonly string[] = [...NOT_INTERNET_4, ...NOT_INTERNET_6];

/** Third byte of inner addresses that no home is given: packets that try the way for a moment come from there. */
export const NO_HOME = 255;

/** Tunnel address of a home (or, with 1, of the endpoint). */
export function tunnelAddress(facts: Pick<EndpointFacts, 'tunnelNet'>, host: number): string {
  return `${facts.tunnelNet}.${host}`;
}

/** The ranges that exist inside the tunnel alone, those without use now included. */
export function insideRanges(
  facts: Pick<EndpointFacts, 'tunnelNet' | 'innerNet' | 'innerNet6'>,
): InsideRanges {
  return {
    tunnel: `${facts.tunnelNet}.0/24`,
    inner4: `${facts.innerNet}.0.0/16`,
    inner6: facts.innerNet6 === null ? null : networkOf(`${facts.innerNet6}::`, 48),
  };
}

/** Inner /24 of a home. */
export function innerPrefix4(facts: Pick<EndpointFacts, 'innerNet'>, host: number): string {
  return `${facts.innerNet}.${host}.0/24`;
}

/** Inner /64 of a home, or null without IPv6. */
export function innerPrefix6(facts: Pick<EndpointFacts, 'innerNet6'>, host: number): string | null {
  // In the one form that packets' addresses are compared in: random groups may begin with zeros.
  return facts.innerNet6 === null
    ? null
    : networkOf(`${facts.innerNet6}:${host.toString(16)}::`, 64);
}

/** Address on which the endpoint answers homes' DNS queries. */
export function resolver4(facts: Pick<EndpointFacts, 'innerNet'>): string {
  return `${facts.innerNet}.0.1`;
}

export function resolver6(facts: Pick<EndpointFacts, 'innerNet6'>): string | null {
  return facts.innerNet6 === null ? null : `${facts.innerNet6}::1`;
}

/**
 * The endpoint's whole table, to be loaded as one transaction.
 *
 * @returns text for `nft -f -`.
 */
export function renderEndpointNft(facts: EndpointFacts): string {
  return replaceTable(TABLE, [
    block('set alive', [
      'type ipv4_addr',
      'flags timeout',
      comment('homes whose stream is verified'),
    ]),
    block('set cover_in', ['type ipv4_addr', 'counter', ...homeElements(facts)]),
    block('set frames_in', ['type ipv4_addr', 'counter', ...homeElements(facts)]),
    block('counter stray_out', []),
    block('counter refused', []),
    ...renderInside(insideRanges(facts), INNER_NETDEV),
    block('chain tunnel_in', tunnelIn(facts)),
    block('chain input', inputRules(facts)),
    block('chain forward', forwardRules(facts)),
    block('chain route_inner', routeInner()),
    block('chain source_nat', sourceNat(facts)),
    block('chain slots', slotsRules(facts.uid, homesOf(facts))),
    block('chain output', outputRules(facts)),
    ...renderEndpointPassage(waysOf(facts)),
  ]);
}

/** Source of packets that try whether the endpoint forwards: of the range that no home has. */
export function trialSource(facts: Pick<EndpointFacts, 'innerNet'>): string {
  return `${facts.innerNet}.1.1`;
}

function waysOf(facts: EndpointFacts): EndpointWays {
  const { inner4, inner6 } = insideRanges(facts);
  const six = resolver6(facts);
  return {
    innerNetdev: INNER_NETDEV,
    tunnelNetdev: TUNNEL_NETDEV,
    ranges: [
      {
        ...{ family: 4, range: inner4, resolver: resolver4(facts), notInternet: NOT_INTERNET_4 },
        ...{ near: nearOf(facts, 4), untold: innerPrefix4(facts, NO_HOME) },
      },
      ...(inner6 && six
        ? [
            {
              ...({
                family: 6,
                range: inner6,
                resolver: six,
                notInternet: NOT_INTERNET_6,
              } as const),
              ...{ near: nearOf(facts, 6), untold: innerPrefix6(facts, NO_HOME)! },
            },
          ]
        : []),
    ],
    trialSource: trialSource(facts),
    port: facts.port,
    ports: [CONTROL_PORT, FRAME_PORT],
  };
}

function nearOf({ near }: EndpointFacts, family: 4 | 6): string[] {
  return near.filter((prefix) => prefix.includes(':') === (family === 6));
}

function homesOf(facts: EndpointFacts): SlotsHome[] {
  return facts.homes.map(({ host, shape }) => ({
    address: tunnelAddress(facts, host),
    packetBytes: shape?.packetBytes ?? null,
  }));
}

function homeElements(facts: EndpointFacts): string[] {
  if (facts.homes.length === 0) return [];
  const addresses = facts.homes.map((home) => tunnelAddress(facts, home.host));
  return [`elements = { ${addresses.join(', ')} }`];
}

function tunnelIn(facts: EndpointFacts): string[] {
  const on = `iifname "${TUNNEL_NETDEV}" ip daddr ${tunnelAddress(facts, 1)} udp`;
  return [
    'type filter hook prerouting priority raw; policy accept;',
    `${on} dport ${COVER_PORT} ip saddr @cover_in drop`,
    `${on} dport { ${CONTROL_PORT}, ${FRAME_PORT} } ip saddr @frames_in accept`,
    `iifname "${TUNNEL_NETDEV}" counter name refused drop`,
  ];
}

function inputRules(facts: EndpointFacts): string[] {
  const on = `iifname "${INNER_NETDEV}"`;
  const resolver = `${on} ip saddr ${facts.innerNet}.0.0/16 ip daddr ${resolver4(facts)}`;
  const six = resolver6(facts);
  const resolverSix = `${on} ip6 saddr ${facts.innerNet6}::/48 ip6 daddr ${six}`;
  return [
    'type filter hook input priority filter - 5; policy accept;',
    `${resolver} meta l4proto { tcp, udp } th dport 53 accept`,
    `${resolver} icmp type echo-request accept`,
    ...(six
      ? [
          `${resolverSix} meta l4proto { tcp, udp } th dport 53 accept`,
          `${resolverSix} icmpv6 type echo-request accept`,
        ]
      : []),
    `${on} counter name refused drop ${comment('homes reach the resolver, nothing else here')}`,
  ];
}

function forwardRules(facts: EndpointFacts): string[] {
  const from = `iifname "${INNER_NETDEV}"`;
  const to = `oifname "${INNER_NETDEV}"`;
  return [
    'type filter hook forward priority filter - 5; policy accept;',
    `iifname "${TUNNEL_NETDEV}" counter name refused drop ${comment('only frames enter the tunnel')}`,
    `oifname "${TUNNEL_NETDEV}" counter name refused drop`,
    `${from} ${to} counter name refused drop ${comment('homes do not reach each other')}`,
    `${from} ip daddr { ${NOT_INTERNET_4.join(', ')} } counter name refused reject with icmpx admin-prohibited`,
    `${from} ip6 daddr { ${NOT_INTERNET_6.join(', ')} } counter name refused reject with icmpx admin-prohibited`,
    ...nearRules(facts),
    `${from} ip saddr ${facts.innerNet}.0.0/16 accept`,
    ...(facts.innerNet6 ? [`${from} ip6 saddr ${facts.innerNet6}::/48 accept`] : []),
    `${from} counter name refused drop`,
    `${to} ct state established,related accept`,
    `${to} counter name refused drop ${comment('nothing is let in to a home')}`,
  ];
}

/** Last in prerouting: by this mark alone homes' packets find the Internet, so that they find none without these rules. */
function routeInner(): string[] {
  const mark = `meta mark set meta mark & ${hexMark(~MARK_MASK >>> 0)} | ${hexMark(MARK_TUNNEL)}`;
  return [
    'type filter hook prerouting priority 2147483000; policy accept;',
    `iifname "${INNER_NETDEV}" ${mark}`,
  ];
}

/** What this machine sends to its neighbours itself, as to its resolver, is none of homes'. */
function nearRules(facts: EndpointFacts): string[] {
  const families = [
    ['ip', nearOf(facts, 4)],
    ['ip6', nearOf(facts, 6)],
  ] as const;
  return families
    .filter(([, near]) => near.length > 0)
    .map(
      ([ip, near]) =>
        `iifname "${INNER_NETDEV}" ${ip} daddr { ${near.join(', ')} } counter name refused reject with icmpx admin-prohibited ${comment('neighbours of this machine')}`,
    );
}

function sourceNat(facts: EndpointFacts): string[] {
  const out = `oifname != ${netdevSet([INNER_NETDEV, TUNNEL_NETDEV, 'lo'])}`;
  return [
    'type nat hook postrouting priority srcnat; policy accept;',
    `${out} ip saddr ${facts.innerNet}.0.0/16 masquerade`,
    ...(facts.innerNet6 ? [`${out} ip6 saddr ${facts.innerNet6}::/48 masquerade`] : []),
  ];
}

function outputRules(facts: EndpointFacts): string[] {
  return [
    'type filter hook output priority mangle; policy accept;',
    `oifname "lo" ip daddr 127.0.0.1 udp dport { ${PACKET_PORT}, ${SOCAT_PORT} } meta skuid != ${facts.uid} drop`,
    `oifname "${TUNNEL_NETDEV}" jump slots`,
  ];
}
