// Network addresses as text, and which of them stay inside a home.
export { formatIpv6 } from '../ip/address.ts';

/** The six bytes at `at` as lower-case hexadecimal with colons. */
export function formatMac(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let i = 0; i < 6; i++) text += (i ? ':' : '') + hexBytes[bytes[at + i]!];
  return text;
}

const hexBytes = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'));

/** The four bytes at `at` in dotted form. */
export function formatIpv4(data: Uint8Array, at: number): string {
  return `${data[at]}.${data[at + 1]}.${data[at + 2]}.${data[at + 3]}`;
}

/** Reads a MAC address with colons, dashes or none, in any case; null if it is none. */
export function parseMac(text: string): string | null {
  const hex = text.trim().toLowerCase();
  if (!/^([0-9a-f]{12}|[0-9a-f]{2}(:[0-9a-f]{2}){5}|[0-9a-f]{2}(-[0-9a-f]{2}){5})$/.test(hex))
    return null;
  return hex.replace(/[:-]/g, '').replace(/..(?!$)/g, '$&:');
}

/** Whether packets with this address stay inside the home: private, link-local, multicast, broadcast, loopback, none. */
export function isLocalAddress(address: string): boolean {
  if (address.includes(':')) {
    return /^(f[cd]|fe[89ab]|ff)/.test(address) || address === '::' || address === '::1';
  }
  const [a = 0, b = 0] = address.split('.', 2).map(Number);
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    a >= 224
  );
}
