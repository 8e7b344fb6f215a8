// What keeps addresses of the tunnel's inside on the tunnel, at both ends, whether OpenVPN lives or not.
import type { InsideRanges } from './facts.ts';
import { PACKET_PORT, ROUTE_PROTOCOL, SOCAT_PORT, TUNNEL_NETDEV } from './names.ts';
import { block, comment, netdevSet } from './nft/nft-text.ts';

/** Metric of a fallback that refuses: any route of the kernel's or of ours comes before it. */
export const REFUSING_METRIC = '4278198272';

/** One family's route, as words after `ip -4|-6 route replace`. */
export interface FamilyRoute {
  family: 4 | 6;
  words: string[];
}

function family(cidr: string): 4 | 6 {
  return cidr.includes(':') ? 6 : 4;
}

/** Each range with the only netdev, beside loopback, that may carry it. */
function carriers(inside: InsideRanges, innerNetdev: string): { cidr: string; netdev: string }[] {
  return [
    { cidr: inside.tunnel, netdev: TUNNEL_NETDEV },
    { cidr: inside.inner4, netdev: innerNetdev },
    ...(inside.inner6 ? [{ cidr: inside.inner6, netdev: innerNetdev }] : []),
  ];
}

/**
 * The chains that drop whatever carries an inside address on any other netdev: what comes in (Linux answers on every
 * netdev for all its addresses), what this machine sends, and what leaves for whatever reason.
 *
 * @param innerNetdev the netdev that carries devices' packets to and from user space.
 */
export function renderInside(inside: InsideRanges | null, innerNetdev: string): string[][] {
  const guard = (direction: 'iifname' | 'oifname', why: string): string[] =>
    (inside ? carriers(inside, innerNetdev) : []).flatMap(({ cidr, netdev }) =>
      ['saddr', 'daddr'].map(
        (end) =>
          `${direction} != ${netdevSet(['lo', netdev])} ip${family(cidr) === 6 ? '6' : ''} ${end} ${cidr} counter name strayed drop ${comment(why)}`,
      ),
    );
  return [
    block('counter strayed', []),
    block('chain inside_in', [
      'type filter hook prerouting priority raw - 20; policy accept;',
      `iifname != "lo" ip daddr 127.0.0.0/8 udp dport { ${PACKET_PORT}, ${SOCAT_PORT} } counter name strayed drop`,
      ...guard('iifname', 'inside, by another netdev'),
    ]),
    // Before address translation, which would hide the source.
    block('chain inside_out', [
      'type filter hook output priority mangle - 10; policy accept;',
      ...guard('oifname', 'inside, past the tunnel'),
    ]),
    block('chain inside_last', [
      'type filter hook postrouting priority srcnat + 10; policy accept;',
      ...guard('oifname', 'inside, past the tunnel'),
    ]),
  ];
}

/**
 * Routes of last resort: once the tunnel's own are gone, nothing finds the default route instead. They answer nothing: what
 * comes out of the tunnel untranslated would be answered by the WAN, with an inner address in the answer.
 */
export function planInsideRoutes(inside: InsideRanges | null): FamilyRoute[] {
  if (!inside) return [];
  const { tunnel, inner4, inner6 } = inside;
  return [tunnel, inner4, ...(inner6 ? [inner6] : [])].map((cidr) => ({
    family: family(cidr),
    words: ['blackhole', cidr, 'metric', REFUSING_METRIC, 'proto', `${ROUTE_PROTOCOL}`],
  }));
}
