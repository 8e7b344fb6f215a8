// The server's name in a client's first TLS message, which goes in the clear (RFC 8446 4.1.2, RFC 6066 3).
import { viewOf } from '../../../core/capture/pcap.ts';

export interface Hello {
  /** Lower case; null where it names none, or not as far as it is there. */
  serverName: string | null;
  /** Whether more of it could tell more. */
  isCut: boolean;
}

const none: Hello = { serverName: null, isCut: false };
const cut: Hello = { serverName: null, isCut: true };

/** Reads a ClientHello as far as it goes; null where the bytes begin no such message. */
export function readHello(message: Uint8Array): Hello | null {
  if (message.length > 0 && message[0] !== 1) return null;
  // Type, length, version, random.
  let at = 4 + 2 + 32;
  if (message.length < at + 1) return cut;
  if (message[4] !== 3) return null;
  const view = viewOf(message);
  at += 1 + message[at]!;
  if (message.length < at + 2) return cut;
  at += 2 + view.getUint16(at);
  if (message.length < at + 1) return cut;
  at += 1 + message[at]!;
  if (message.length < at + 2) return cut;
  const end = at + 2 + view.getUint16(at);
  at += 2;
  while (at < end) {
    if (message.length < at + 4) return cut;
    const [type, length] = [view.getUint16(at), view.getUint16(at + 2)];
    at += 4;
    if (type === 0) {
      if (message.length < at + length) return cut;
      return { serverName: readNameList(message.subarray(at, at + length)), isCut: false };
    }
    at += length;
  }
  return none;
}

/** The first host name of the extension. */
function readNameList(list: Uint8Array): string | null {
  if (list.length < 5 || list[2] !== 0) return null;
  const length = list[3]! * 256 + list[4]!;
  const name = String.fromCharCode(...list.subarray(5, 5 + length)).toLowerCase();
  return /^[a-z0-9._-]{1,253}$/.test(name) ? name : null;
}

/** What the records of a TLS connection's beginning carry of its first message; null where it is none. */
export function openRecords(stream: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 5 <= stream.length; ) {
    if (stream[at] !== 22 || stream[at + 1] !== 3) return parts.length > 0 ? join(parts) : null;
    const length = stream[at + 3]! * 256 + stream[at + 4]!;
    parts.push(stream.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return parts.length > 0 ? join(parts) : null;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
