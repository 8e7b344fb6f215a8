// What a device says of itself when it asks for an address (RFC 2131, 2132; RFC 4702 for its full name).
import { formatIpv4, formatMac } from '../../../core/capture/addresses.ts';
import { viewOf } from '../../../core/capture/pcap.ts';

export interface DhcpRequest {
  mac: string;
  /** As it calls itself. */
  host: string | null;
  /** What kind of client it says to be, such as `udhcp 1.19.4`. */
  vendor: string | null;
  /** The address it has or asks for. */
  address: string | null;
}

const COOKIE = 0x63825363;
const options = { host: 12, requested: 50, vendor: 60, fullName: 81 } as const;

/** Null where the payload is no client's message. */
export function readDhcp(payload: Uint8Array): DhcpRequest | null {
  if (payload.length < 240 || payload[0] !== 1 || payload[1] !== 1 || payload[2] !== 6) return null;
  if (viewOf(payload).getUint32(236) !== COOKIE) return null;
  const found = new Map<number, Uint8Array>();
  for (let at = 240; at + 1 < payload.length && payload[at] !== 255; ) {
    if (payload[at] === 0) {
      at++;
      continue;
    }
    const end = at + 2 + payload[at + 1]!;
    if (end > payload.length) break;
    found.set(payload[at]!, payload.subarray(at + 2, end));
    at = end;
  }
  // Flags and two old results come before it; bit 4 says that it is written as DNS does.
  const full = found.get(options.fullName);
  const fullName =
    full && full.length > 3
      ? full[0]! & 4
        ? readLabels(full, 3)
        : textOf(full.subarray(3))
      : null;
  const requested = found.get(options.requested);
  const own = formatIpv4(payload, 12);
  const address =
    own !== '0.0.0.0' ? own : requested?.length === 4 ? formatIpv4(requested, 0) : null;
  return {
    mac: formatMac(payload, 28),
    host: textOf(found.get(options.host)) ?? fullName,
    vendor: textOf(found.get(options.vendor)),
    address,
  };
}

function readLabels(bytes: Uint8Array, start: number): string | null {
  const labels: string[] = [];
  for (let at = start; at < bytes.length && bytes[at]! > 0; at += 1 + bytes[at]!) {
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + bytes[at]!)));
  }
  return printable(labels.join('.'));
}

function textOf(bytes: Uint8Array | undefined): string | null {
  return bytes ? printable(String.fromCharCode(...bytes).replace(/\0+$/, '')) : null;
}

function printable(text: string): string | null {
  return /^[\x20-\x7e]{1,255}$/.test(text.trim()) ? text.trim() : null;
}
