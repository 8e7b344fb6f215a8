// What a home and its endpoint tell each other inside the tunnel: one datagram of one slot's size, with its proof.
//
//   16 bytes  proof, over all that follows
//    1 byte   kind: h, c, w or r
//   12 bytes  the home's nonce
//   12 bytes  the endpoint's nonce, zeros before the home has one
//    4 bytes  sequence number of the hello, or of the one answered, big-endian
//    2 bytes  length of the text, big-endian
//             text: a JSON array; zeros up to the frame's size
//
// The last six bytes of a welcome are not zeros but tell what arrives; an older endpoint leaves them zeros, which tell nothing:
//    3 bytes  slots of the home that came, counted on beyond what fits, big-endian
//    1 byte   what is wrong at the endpoint, a bit each
//    2 bytes  largest packet_size that leaves whole, big-endian
import { frameBytes } from '../framing/frame.ts';
import { ipVersion, networkOf } from '../ip/address.ts';
import { isMode, type Mode } from '../pacing/modes.ts';
import type { InnerNetwork } from '../plan/facts.ts';
import {
  isWithin,
  packetBounds,
  rateBounds,
  type Shape,
  sdBounds,
  standingBounds,
} from '../stream/stream.ts';
import { decodeTroubles, type EndpointTrouble, encodeTroubles } from './endpoint-troubles.ts';
import { PROOF_BYTES, type Proof } from './proof.ts';
import { decodeRefusal, encodeRefusal, type Refusal } from './refusal.ts';

export const NONCE_BYTES = 12;
/** What stands for the endpoint's nonce while the home has none. */
export const NO_NONCE = '00'.repeat(NONCE_BYTES);

/** Which hello of which run of the home, and to which run of the endpoint. */
export interface Turn {
  /** Drawn by the home at its start; hexadecimal. */
  homeNonce: string;
  /** Drawn by the endpoint for this home; {@link NO_NONCE} before. */
  endpointNonce: string;
  sequence: number;
}

/** The home says what it wants its download to be. */
export interface Hello extends Turn {
  kind: 'hello';
  version: string;
  download: Shape;
  /** How long a packet may wait at the endpoint. */
  maxDelayMs: number;
  /** Slots that shall stand in the clock behind the endpoint's OpenVPN, 0 for no such clock; null where the home names no number. */
  standingSlots: number | null;
}

/** The endpoint asks for the hello once more, with its nonce: what was recorded can't carry it. */
export interface Challenge extends Turn {
  kind: 'challenge';
}

/** How a home's download is doing. */
export interface QueueReport {
  queuePackets: number;
  queueMs: number;
  dropped: number;
}

/** What of the home's stream arrives, and what is wrong at the endpoint. */
export interface ArrivalReport {
  /** Slots of the home that came, counted from any beginning, from 0 again at {@link RECEIVED_WRAPS}; null where that is not told. */
  received: number | null;
  troubles: readonly EndpointTrouble[];
  /** Largest packet_size that leaves the endpoint whole; null while that is not known. */
  wholeBytes: number | null;
}

/** The endpoint's answer: where the home's devices appear, and how its streams are doing. */
export interface Welcome extends Turn, QueueReport, ArrivalReport {
  kind: 'welcome';
  version: string;
  inner: InnerNetwork;
}

/** The endpoint's answer to what it does not serve. A home that does not know it goes without an answer. */
export interface Refused extends Turn {
  kind: 'refused';
  version: string;
  refusal: Refusal;
}

export type ControlMessage = Hello | Challenge | Welcome | Refused;

const MAX_NUMBER = 2 ** 32 - 1;
const ARRIVAL_BYTES = 6;
/** Slots that came are counted from 0 again there. */
export const RECEIVED_WRAPS = 2 ** 24;
const KINDS = { hello: 0x68, challenge: 0x63, welcome: 0x77, refused: 0x72 } as const;
const [KIND_AT, HOME_AT, ENDPOINT_AT] = [PROOF_BYTES, PROOF_BYTES + 1, PROOF_BYTES + 13];
const [SEQUENCE_AT, LENGTH_AT, TEXT_AT] = [PROOF_BYTES + 25, PROOF_BYTES + 29, PROOF_BYTES + 31];

/**
 * The datagram for a message.
 *
 * @throws RangeError when the message does not fit a packet of `packetBytes`; sound ones fit every packet.
 */
export function encodeControl(
  message: ControlMessage,
  packetBytes: number,
  proof: Proof,
): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(toWire(message)));
  const datagram = new Uint8Array(frameBytes(packetBytes));
  const arrivalBytes = message.kind === 'welcome' ? ARRIVAL_BYTES : 0;
  if (text.length + TEXT_AT + arrivalBytes > datagram.length) {
    throw new RangeError(
      `a control message of ${text.length} bytes does not fit a packet of ${packetBytes}`,
    );
  }
  const writer = new DataView(datagram.buffer);
  datagram[KIND_AT] = KINDS[message.kind];
  datagram.set(bytesOfHex(message.homeNonce), HOME_AT);
  datagram.set(bytesOfHex(message.endpointNonce), ENDPOINT_AT);
  writer.setUint32(SEQUENCE_AT, message.sequence);
  writer.setUint16(LENGTH_AT, text.length);
  datagram.set(text, TEXT_AT);
  if (message.kind === 'welcome') writeArrival(writer, message);
  proof.seal(datagram);
  return datagram;
}

/** The message in a datagram, or null when it is none or not proven: whatever comes, nothing is thrown. */
export function decodeControl(bytes: Uint8Array, proof: Proof): ControlMessage | null {
  if (bytes.length < TEXT_AT || !proof.holds(bytes)) return null;
  const reader = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = TEXT_AT + reader.getUint16(LENGTH_AT);
  if (end > bytes.length) return null;
  const turn: Turn = {
    homeNonce: hexOf(bytes.subarray(HOME_AT, ENDPOINT_AT)),
    endpointNonce: hexOf(bytes.subarray(ENDPOINT_AT, SEQUENCE_AT)),
    sequence: reader.getUint32(SEQUENCE_AT),
  };
  try {
    const wire: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(TEXT_AT, end)));
    const message = Array.isArray(wire) ? fromWire(bytes[KIND_AT]!, turn, wire) : null;
    return message?.kind === 'welcome' ? { ...message, ...readArrival(reader, end) } : message;
  } catch {
    return null;
  }
}

const BYTES_IN_HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOf(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += BYTES_IN_HEX[byte];
  return hex;
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function toWire(message: ControlMessage): unknown[] {
  if (message.kind === 'challenge') return [];
  if (message.kind === 'refused') return [message.version, ...encodeRefusal(message.refusal)];
  if (message.kind === 'hello') {
    const { rateKBps, packetBytes, mode, sdPercent } = message.download;
    const { version, maxDelayMs, standingSlots } = message;
    const said = [version, rateKBps, packetBytes, sdPercent, maxDelayMs];
    // An older endpoint reads no further than it knows.
    if (standingSlots !== null) return [...said, mode, standingSlots];
    return mode === unsaidMode(sdPercent) ? said : [...said, mode];
  }
  const { prefix4, prefix6, resolver4, resolver6 } = message.inner;
  const { queuePackets, queueMs, dropped } = message;
  const figures = [queuePackets, queueMs, dropped].map((one) =>
    Math.min(Math.round(one), MAX_NUMBER),
  );
  return [message.version, prefix4, prefix6, resolver4, resolver6, ...figures];
}

function fromWire(kind: number, turn: Turn, wire: unknown[]): ControlMessage | null {
  if (kind === KINDS.challenge) return { kind: 'challenge', ...turn };
  const [version, ...rest] = wire;
  if (typeof version !== 'string' || !/^[\w.+-]{0,32}$/.test(version)) return null;
  if (kind === KINDS.hello) return readHello(turn, version, rest);
  if (kind === KINDS.welcome) return readWelcome(turn, version, rest);
  const refusal = kind === KINDS.refused ? decodeRefusal(rest) : null;
  return refusal && { kind: 'refused', ...turn, version, refusal };
}

/**
 * The mode of a hello that names none, as every hello was before there were more than these two. An end that does not know
 * the name it reads takes this one too: another shape of the same mean and deviation, which hides as well.
 */
function unsaidMode(sdPercent: number): Mode {
  return sdPercent === 0 ? 'constant' : 'vit';
}

function readHello(turn: Turn, version: string, wire: unknown[]): Hello | null {
  const [rateKBps, packetBytes, sdPercent, maxDelayMs, name = '', standing = null] = wire;
  if (rateKBps !== 0 && !isWithin(rateKBps, rateBounds)) return null;
  if (!isWithin(packetBytes, packetBounds) || !Number.isInteger(packetBytes)) return null;
  if (!isNumber(sdPercent, 0, sdBounds.most) || !isNumber(maxDelayMs, 1, 3_600_000)) return null;
  if (typeof name !== 'string') return null;
  if (standing !== null && !isStanding(standing)) return null;
  const mode = isMode(name) ? name : unsaidMode(sdPercent);
  const download = { rateKBps, packetBytes, mode, sdPercent };
  return { kind: 'hello', ...turn, version, download, maxDelayMs, standingSlots: standing };
}

function isStanding(value: unknown): value is number {
  return isWithin(value, standingBounds) && Number.isInteger(value);
}

function readWelcome(turn: Turn, version: string, wire: unknown[]): Welcome | null {
  const [prefix4, prefix6, resolver4, resolver6, queuePackets, queueMs, dropped] = wire;
  if (!isNetwork(prefix4, isIpv4, 24) || !isIpv4(resolver4)) return null;
  if (prefix6 !== null && !isNetwork(prefix6, isIpv6, 64)) return null;
  if (resolver6 !== null && !isIpv6(resolver6)) return null;
  if (!isNumber(queuePackets, 0, MAX_NUMBER) || !isNumber(queueMs, 0, MAX_NUMBER)) return null;
  if (!isNumber(dropped, 0, MAX_NUMBER)) return null;
  const inner = { prefix4, prefix6, resolver4, resolver6 };
  const report = { queuePackets, queueMs, dropped, ...NO_ARRIVAL };
  return { kind: 'welcome', ...turn, version, inner, ...report };
}

const NO_ARRIVAL: ArrivalReport = { received: null, troubles: [], wholeBytes: null };

function writeArrival(writer: DataView, { received, troubles, wholeBytes }: ArrivalReport): void {
  const at = writer.byteLength - ARRIVAL_BYTES;
  // The fourth byte is written after it.
  writer.setUint32(at, ((received ?? 0) % RECEIVED_WRAPS) << 8);
  writer.setUint8(at + 3, encodeTroubles(troubles));
  writer.setUint16(at + 4, wholeBytes ?? 0);
}

/** @param textEnd where the text ends, which may not reach into it. */
function readArrival(reader: DataView, textEnd: number): ArrivalReport {
  const at = reader.byteLength - ARRIVAL_BYTES;
  if (at < textEnd) return NO_ARRIVAL;
  const received = reader.getUint32(at) >>> 8;
  const troubles = decodeTroubles(reader.getUint8(at + 3));
  return { received: received || null, troubles, wholeBytes: reader.getUint16(at + 4) || null };
}

function isNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

// These end up in rules: only sound addresses, and networks with nothing behind their prefix, may pass.
function isIpv4(value: unknown): value is string {
  return typeof value === 'string' && ipVersion(value) === 4;
}

function isIpv6(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f:]+$/.test(value) && ipVersion(value) === 6;
}

function isNetwork(value: unknown, isAddress: typeof isIpv4, length: number): value is string {
  if (typeof value !== 'string') return false;
  const [address, ...rest] = value.split('/');
  return rest.join() === `${length}` && isAddress(address) && networkOf(address, length) === value;
}
