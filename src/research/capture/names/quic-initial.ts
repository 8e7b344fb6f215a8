// A QUIC connection's first packets, whose keys follow from what stands in them (RFC 9001 5.2, RFC 9369 for version 2).
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { viewOf } from '../../../core/capture/pcap.ts';

interface Version {
  salt: Buffer;
  /** What labels of keys begin with. */
  label: string;
  /** The two bits that make a long header one of an Initial packet. */
  initialType: number;
}

const versions: Record<number, Version> = {
  1: {
    salt: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'),
    label: 'quic',
    initialType: 0,
  },
  1798521807: {
    salt: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'),
    label: 'quicv2',
    initialType: 1,
  },
};

/** A part of the handshake's bytes, and where it belongs. */
export interface CryptoPart {
  offset: number;
  data: Uint8Array;
}

/** What the client says in the Initial packets of a datagram; null where there is none of a client's. */
export function openInitial(datagram: Uint8Array): CryptoPart[] | null {
  const parts: CryptoPart[] = [];
  let isAny = false;
  for (let at = 0; at < datagram.length; ) {
    const packet = readPacket(datagram, at);
    if (packet === null) break;
    const plain = packet.isInitial ? decrypt(datagram, packet) : null;
    if (plain) {
      isAny = true;
      readFrames(plain, parts);
    }
    at = packet.end;
  }
  return isAny ? parts : null;
}

interface LongPacket {
  version: Version;
  isInitial: boolean;
  start: number;
  destinationId: Uint8Array;
  /** Where the protected number begins. */
  numberAt: number;
  end: number;
}

/** A packet with a long header whose version is known; several may share a datagram. */
function readPacket(datagram: Uint8Array, start: number): LongPacket | null {
  const first = datagram[start]!;
  if ((first & 0xc0) !== 0xc0 || datagram.length < start + 7) return null;
  const view = viewOf(datagram);
  const version = versions[view.getUint32(start + 1)];
  if (!version) return null;
  const idBytes = datagram[start + 5]!;
  let at = start + 6 + idBytes;
  if (idBytes > 20 || at >= datagram.length) return null;
  const destinationId = datagram.subarray(start + 6, at);
  at += 1 + datagram[at]!;
  const isInitial = ((first >> 4) & 3) === version.initialType;
  if (isInitial) {
    const token = readVariable(datagram, at);
    if (token === null) return null;
    at = token.end + token.value;
  }
  const length = readVariable(datagram, at);
  if (length === null || length.end + length.value > datagram.length || length.value < 20)
    return null;
  const end = length.end + length.value;
  return { version, isInitial, start, destinationId, numberAt: length.end, end };
}

function decrypt(datagram: Uint8Array, packet: LongPacket): Uint8Array | null {
  const { version, start, destinationId, numberAt, end } = packet;
  const initial = createHmac('sha256', version.salt).update(destinationId).digest();
  const secret = expand(initial, 'client in', 32);
  const key = expand(secret, `${version.label} key`, 16);
  const nonce = expand(secret, `${version.label} iv`, 12);
  const header = expand(secret, `${version.label} hp`, 16);
  const cipher = createCipheriv('aes-128-ecb', header, null).setAutoPadding(false);
  const mask = cipher.update(datagram.subarray(numberAt + 4, numberAt + 20));
  const first = datagram[start]! ^ (mask[0]! & 0x0f);
  const numberBytes = (first & 3) + 1;
  const associated = Uint8Array.from(datagram.subarray(start, numberAt + numberBytes));
  associated[0] = first;
  for (let i = 0; i < numberBytes; i++) {
    const place = associated.length - numberBytes + i;
    associated[place]! ^= mask[1 + i]!;
    nonce[12 - numberBytes + i]! ^= associated[place]!;
  }
  try {
    const decipher = createDecipheriv('aes-128-gcm', key, nonce);
    decipher.setAAD(associated);
    decipher.setAuthTag(datagram.subarray(end - 16, end));
    const text = decipher.update(datagram.subarray(numberAt + numberBytes, end - 16));
    decipher.final();
    return text;
  } catch {
    // The server's, or one under a number that the server chose: its keys are others.
    return null;
  }
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1) for at most 32 bytes. */
function expand(secret: Uint8Array, label: string, bytes: number): Buffer {
  const text = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, bytes, text.length]), text, Buffer.from([0, 1])]);
  return createHmac('sha256', secret).update(info).digest().subarray(0, bytes);
}

/** CRYPTO frames, among padding, pings and acknowledgements. */
function readFrames(plain: Uint8Array, parts: CryptoPart[]): void {
  for (let at = 0; at < plain.length; ) {
    const type = plain[at++]!;
    if (type === 0 || type === 1) continue;
    if (type === 6) {
      const offset = readVariable(plain, at);
      const length = offset && readVariable(plain, offset.end);
      if (!offset || !length || length.end + length.value > plain.length) return;
      at = length.end + length.value;
      parts.push({ offset: offset.value, data: plain.subarray(length.end, at) });
      continue;
    }
    if (type !== 2 && type !== 3) return;
    // Largest, delay, count of ranges, first range; then pairs, and three counts of marks with type 3.
    const head = readVariables(plain, at, 4);
    if (head === null) return;
    const rest = readVariables(plain, head.end, 2 * head.values[2]! + (type === 3 ? 3 : 0));
    if (rest === null) return;
    at = rest.end;
  }
}

function readVariables(
  data: Uint8Array,
  start: number,
  count: number,
): { values: number[]; end: number } | null {
  const values: number[] = [];
  let end = start;
  for (let i = 0; i < count; i++) {
    const next = readVariable(data, end);
    if (next === null) return null;
    values.push(next.value);
    end = next.end;
  }
  return { values, end };
}

/** A number whose first two bits say its length (RFC 9000 16). */
function readVariable(data: Uint8Array, at: number): { value: number; end: number } | null {
  const first = data[at];
  if (first === undefined) return null;
  const bytes = 1 << (first >> 6);
  if (at + bytes > data.length) return null;
  let value = first & 0x3f;
  for (let i = 1; i < bytes; i++) value = value * 256 + data[at + i]!;
  return { value, end: at + bytes };
}
