// Which packet sizes pass the way to the endpoint: whole, in pieces, or not at all. Pure.
import { TUNNEL_OVERHEAD_BYTES } from '../../cost/cost.ts';

/** What IPv6 outside the tunnel adds to IPv4's header. */
const IPV6_MORE_BYTES = 20;
/** Sizes that are tried where the configured one gets no answer, the largest first; 1200 passes whatever carries IPv6. */
const SMALLER_BYTES = [1300, 1200, 1000, 768, 512, 256];

/** Largest packet_size that fits a line of this MTU whole. */
export function wholeBytesOf(mtu: number, isIpv6: boolean): number {
  return mtu - TUNNEL_OVERHEAD_BYTES - (isIpv6 ? IPV6_MORE_BYTES : 0);
}

/** What of a size that leaves whole by IPv4, as the endpoint tells it, leaves whole by the family there is. */
export function wholeBytesBy(isIpv6: boolean, bytesBy4: number | null): number | null {
  return bytesBy4 === null || !isIpv6 ? bytesBy4 : bytesBy4 - IPV6_MORE_BYTES;
}

/** Sizes to try in place of one that gets no answer. */
export function smallerSizes(packetBytes: number): number[] {
  return SMALLER_BYTES.filter((size) => size < packetBytes);
}

/** To be typed as it is. */
export function packetSizeCommand(packetBytes: number): string {
  return `uci set iotshaper.main.packet_size=${packetBytes}; uci commit iotshaper; reload_config`;
}
