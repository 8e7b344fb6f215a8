// Arithmetic of IP addresses in text and bytes: pure, shared by everything that compares or masks them.

/** The sixteen bytes at `at` as RFC 5952 asks: lower case, the first longest run of two or more zero groups as `::`. */
export function formatIpv6(bytes: Uint8Array, at = 0): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[at + i]! << 8) | bytes[at + i + 1]!);
  let longestStart = 0;
  let longest = 1;
  let run = 0;
  for (let i = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      longestStart = i - run + 1;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (longest < 2) return hex.join(':');
  const left = hex.slice(0, longestStart).join(':');
  return `${left}::${hex.slice(longestStart + longest).join(':')}`;
}

/**
 * The network of an address, in CIDR form; IPv6 after RFC 5952.
 *
 * @param address a sound IPv4 or IPv6 address without zone or embedded IPv4 part.
 */
export function networkOf(address: string, prefixLength: number): string {
  if (!address.includes(':')) {
    const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - prefixLength);
    const base = Math.floor(value / size) * size;
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
    return `${bytes.join('.')}/${prefixLength}`;
  }
  const bytes = ipv6Bytes(address);
  for (let i = 0; i < 16; i++) {
    const kept = Math.max(0, Math.min(8, prefixLength - 8 * i));
    bytes[i] = bytes[i]! & (0xff00 >> kept);
  }
  return `${formatIpv6(bytes)}/${prefixLength}`;
}

/** The part of an address that prefix translation keeps, as an address: the low byte of IPv4, the low 64 bits of IPv6. */
export function lowPart(address: string): string {
  if (!address.includes(':')) return `0.0.0.${address.split('.')[3]}`;
  return formatIpv6(ipv6Bytes(address).fill(0, 0, 8));
}

/** The address in a /24 or /64 that has this {@link lowPart}. */
export function addressIn(prefix: string, low: string): string {
  const base = prefix.split('/')[0]!;
  if (!base.includes(':')) return base.replace(/\d+$/, low.split('.')[3]!);
  const bytes = ipv6Bytes(base);
  bytes.set(ipv6Bytes(low).subarray(8), 8);
  return formatIpv6(bytes);
}

/** RFC 1918 and RFC 4193 addresses. */
export function isPrivate(address: string): boolean {
  if (address.includes(':')) return /^f[cd][0-9a-f]{2}:/i.test(address);
  const [a = 0, b = 0] = address.split('.').map(Number);
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168);
}

/** The bytes of a sound address without zone or embedded IPv4 part: four or sixteen. */
export function ipBytes(address: string): Uint8Array {
  return address.includes(':') ? ipv6Bytes(address) : Uint8Array.from(address.split('.'), Number);
}

/** Sixteen bytes of a sound IPv6 address. */
function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const bytes = new Uint8Array(16);
  const place = (groups: string[], from: number): void => {
    for (const [index, group] of groups.entries()) {
      const value = Number.parseInt(group, 16);
      bytes[from + 2 * index] = value >> 8;
      bytes[from + 2 * index + 1] = value;
    }
  };
  place(left, 0);
  place(right, 16 - 2 * right.length);
  return bytes;
}

const IPV4 = /^(?:(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|$)){4}$/;

/** The version of a sound address, IPv6 without a zone; 0 where it is none. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (IPV4.test(text)) return 4;
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return 0;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const tail = groups[groups.length - 1] ?? '';
  // An IPv4 address may stand in the place of the last two groups.
  const isMixed = tail.includes('.') && text.endsWith(tail);
  if (isMixed && !IPV4.test(tail)) return 0;
  const hex = isMixed ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return 0;
  const count = hex.length + (isMixed ? 2 : 0);
  return (halves.length === 2 ? count <= 7 : count === 8) ? 6 : 0;
}

/**
 * The parts of an address or a CIDR prefix; an address alone is as long as its kind.
 *
 * @returns null for anything else, and for the whole Internet (`/0`)
 */
export function splitPrefix(
  text: string,
): { family: 4 | 6; address: string; length: number } | null {
  const [address = '', prefix, ...rest] = text.split('/');
  // No device sends from a mixed address (::ffff:192.168.1.50), and ip-cidr fails on them.
  const family = /%|:.*\./.test(address) ? 0 : ipVersion(address);
  const bits = family === 4 ? 32 : 128;
  if (family === 0 || rest.length > 0) return null;
  if (prefix !== undefined && !/^[1-9]\d{0,2}$/.test(prefix)) return null;
  const length = Number(prefix ?? bits);
  return length > bits ? null : { family, address, length };
}
