// Counts packets of homes where they come to an endpoint and where they leave it again; nothing of it is on a router.
import { renderCounters } from './nft-passage.ts';
import { block, comment } from './nft-text.ts';

const LAST = 2147483000;

/** Ways through an endpoint: from homes to the Internet and back by family, to its resolver, to the service's own sockets. */
export const endpointPassages = [
  ...(['forward4', 'forward6', 'answer4', 'answer6', 'names', 'tunnel'] as const),
] as const;

/** Counts what comes to the endpoint's port from outside, before any filter of this machine. */
export const KNOCK_COUNTER = 'knocks';
/** Netdevs that stand for a moment, by which packets come that only try whether the port is let in. */
export const TRIAL_NETDEVS = 'iotp';

/** What the endpoint's passages are told by. */
export interface EndpointWays {
  innerNetdev: string;
  tunnelNetdev: string;
  /** Inner ranges with the address of the endpoint's resolver in them, by family. */
  ranges: readonly {
    family: 4 | 6;
    range: string;
    resolver: string;
    notInternet: readonly string[];
    near: readonly string[];
    /** Of packets that try the way for a moment, and end before they are counted as they leave. */
    untold: string;
  }[];
  /** Source of packets that only try whether the Internet is reached: they end where they would leave. */
  trialSource: string;
  /** UDP port at which homes come from outside. */
  port: number;
  /** UDP ports of the service on the tunnel. */
  ports: readonly number[];
}

export function renderEndpointPassage(ways: EndpointWays): string[][] {
  const { innerNetdev, tunnelNetdev, ranges, trialSource, port, ports } = ways;
  const ip = (family: 4 | 6) => (family === 4 ? 'ip' : 'ip6');
  const own = `{ "${innerNetdev}", "${tunnelNetdev}", "lo" }`;
  const names = ranges.map(
    ({ family, resolver, untold }) =>
      `iifname "${innerNetdev}" ${ip(family)} saddr != ${untold} ${ip(family)} daddr ${resolver} meta l4proto { tcp, udp } th dport 53 counter name`,
  );
  const tunnel = `iifname "${tunnelNetdev}" udp dport { ${ports.join(', ')} } counter name`;
  return [
    ...renderCounters(endpointPassages),
    block(`counter ${KNOCK_COUNTER}`, []),
    block('chain passage_in', [
      `type filter hook prerouting priority ${LAST}; policy accept;`,
      `iifname != ${own} iifname != "${TRIAL_NETDEVS}*" fib daddr type local udp dport ${port} counter name ${KNOCK_COUNTER}`,
      ...ranges.flatMap(({ family, range, notInternet, near, untold }) => [
        [
          `iifname "${innerNetdev}" ${ip(family)} saddr ${range} ${ip(family)} saddr != ${untold}`,
          ...[notInternet, near]
            .filter(({ length }) => length > 0)
            .map((refused) => `${ip(family)} daddr != { ${refused.join(', ')} }`),
          `fib daddr type unicast counter name forward${family}_in`,
        ].join(' '),
        `iifname != ${own} ${ip(family)} daddr ${range} counter name answer${family}_in`,
      ]),
      ...names.map((rule) => `${rule} names_in`),
      `${tunnel} tunnel_in`,
    ]),
    // Where nobody lets "fragmentation needed" through, TCP would wait for ever.
    block('chain segment_size', [
      'type filter hook forward priority mangle; policy accept;',
      ...['iifname', 'oifname'].map(
        (end) =>
          `${end} "${innerNetdev}" tcp flags syn / syn,rst tcp option maxseg size set rt mtu`,
      ),
    ]),
    block('chain passage_local', [
      `type filter hook input priority ${LAST}; policy accept;`,
      ...names.map((rule) => `${rule} names_out`),
      `${tunnel} tunnel_out`,
    ]),
    // Before address translation, which would hide the source.
    block('chain passage_out', [
      'type filter hook postrouting priority srcnat - 10; policy accept;',
      ...ranges.flatMap(({ family, range, resolver }) => [
        `oifname != ${own} ${ip(family)} saddr ${range} counter name forward${family}_out`,
        `oifname "${innerNetdev}" ${ip(family)} daddr ${range} ${ip(family)} saddr != ${resolver} counter name answer${family}_out`,
      ]),
      `ip saddr ${trialSource} drop ${comment('tried the way, no further')}`,
    ]),
  ];
}
