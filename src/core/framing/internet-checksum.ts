// The sum that IP, ICMP, UDP and TCP are protected by (RFC 1071).

/**
 * Ones' complement sum of 16-bit words from `from` to `to`, an odd last byte taken with a zero behind it: 0xffff where a
 * checksum within them holds.
 *
 * @param begin sum of what is covered besides.
 */
export function onesComplementSum(
  bytes: Uint8Array,
  from = 0,
  to = bytes.length,
  begin = 0,
): number {
  let sum = begin;
  for (let at = from; at < to; at += 2)
    sum += (bytes[at]! << 8) | (at + 1 < to ? bytes[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
