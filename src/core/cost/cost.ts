// What shaping costs at the Internet provider: GB and money a month.

/**
 * Bytes OpenVPN adds to every IP packet on the tunnel when it runs over UDP and IPv4 with an AEAD
 * cipher and no compression: IP 20 + UDP 8 + opcode and peer id 4 + packet id 4 + tag 16
 * (OpenVPN protocol, P_DATA_V2).
 */
export const TUNNEL_OVERHEAD_BYTES = 52;

/** A month as providers' caps and the paper count it: 30 days. */
const SECONDS_PER_MONTH = 30 * 24 * 3600;
/** A cap must last for the longest month as well. */
const LONGEST_MONTH = 31 / 30;

/** A part of the time at other rates. Shares add up to at most 1. */
export interface RateShare {
  /** 0…1 of all time. */
  share: number;
  uploadKBps: number;
  downloadKBps: number;
}

export interface CostInput {
  /** Rates of IP packets on the tunnel, KB/s (1 KB = 1000 bytes), when no entry of `schedules` holds. */
  uploadKBps: number;
  downloadKBps: number;
  /** Bytes of every IP packet on the tunnel. */
  packetBytes: number;
  schedules?: readonly RateShare[];
  dataCapGB?: number | null;
  pricePerGB?: number | null;
}

export interface Cost {
  /** What the provider counts: both directions, tunnel overhead included. 1 GB = 10^9 bytes. */
  gbPerMonth: number;
  /** The same without tunnel overhead: the rates as configured. */
  tunnelGBPerMonth: number;
  /** Share of the data cap in a month of 31 days, null without a cap. */
  capPercent: number | null;
  /** In the currency of the price, null without a price. */
  pricePerMonth: number | null;
  /** Bytes of one shaped packet as the provider sees it, its IP header included. */
  wirePacketBytes: number;
}

/**
 * Cost of shaping, for the service, the command line and the page. The whole formula:
 *
 *     GB a month = (upload + download) KB/s × (packet + 52) / packet × 2.592
 *
 * as 1 KB/s for 30 days is 2.592 GB. Shaping costs the same whatever devices do, so nothing is
 * estimated; a share of time at rate 0 (a plain tunnel) counts as nothing, since only devices' own
 * bytes flow then.
 */
export function costOf(input: CostInput): Cost {
  const wirePacketBytes = input.packetBytes + TUNNEL_OVERHEAD_BYTES;
  let rateKBps = 0;
  let rest = 1;
  for (const part of input.schedules ?? []) {
    rateKBps += part.share * (part.uploadKBps + part.downloadKBps);
    rest -= part.share;
  }
  rateKBps += Math.max(0, rest) * (input.uploadKBps + input.downloadKBps);
  const tunnelGBPerMonth = (rateKBps * 1000 * SECONDS_PER_MONTH) / 1e9;
  const gbPerMonth = (tunnelGBPerMonth * wirePacketBytes) / input.packetBytes;
  return {
    gbPerMonth,
    tunnelGBPerMonth,
    capPercent: input.dataCapGB ? (100 * gbPerMonth * LONGEST_MONTH) / input.dataCapGB : null,
    pricePerMonth: input.pricePerGB == null ? null : gbPerMonth * input.pricePerGB,
    wirePacketBytes,
  };
}
