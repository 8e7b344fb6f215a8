// What a home and its endpoint tell each other inside the tunnel: one datagram of one slot's size.
import { isIPv4, isIPv6 } from 'node:net';
import { frameBytes } from '../framing/frame.ts';
import { networkOf } from '../ip/address.ts';
import type { InnerNetwork, Shape } from '../plan/facts.ts';

/** The home says what it wants its download to be. */
export interface Hello {
  kind: 'hello';
  sequence: number;
  version: string;
  download: Shape;
  /** How long a packet may wait at the endpoint. */
  maxDelayMs: number;
}

/** The endpoint's answer: where the home's devices appear, and how its download is doing. */
export interface Welcome {
  kind: 'welcome';
  /** The hello answered. */
  sequence: number;
  version: string;
  inner: InnerNetwork;
  queuePackets: number;
  queueMs: number;
  dropped: number;
}

export type ControlMessage = Hello | Welcome;

const MAX_SEQUENCE = 2 ** 31;

/**
 * The datagram for a message: two bytes of length, JSON, zeros up to the frame's size.
 *
 * @throws RangeError when the message does not fit a packet of `packetBytes`.
 */
export function encodeControl(message: ControlMessage, packetBytes: number): Uint8Array {
  const text = Buffer.from(JSON.stringify(toWire(message)), 'utf8');
  const datagram = new Uint8Array(frameBytes(packetBytes));
  if (text.length + 2 > datagram.length) {
    throw new RangeError(
      `a control message of ${text.length} bytes does not fit a packet of ${packetBytes}`,
    );
  }
  datagram[0] = text.length >> 8;
  datagram[1] = text.length & 0xff;
  datagram.set(text, 2);
  return datagram;
}

/** The message in a datagram, or null when it is none: whatever the peer sends, nothing is thrown. */
export function decodeControl(datagram: Uint8Array): ControlMessage | null {
  if (datagram.length < 2) return null;
  const length = (datagram[0]! << 8) | datagram[1]!;
  if (length === 0 || length + 2 > datagram.length) return null;
  try {
    return fromWire(JSON.parse(Buffer.from(datagram.subarray(2, 2 + length)).toString('utf8')));
  } catch {
    return null;
  }
}

function toWire(message: ControlMessage): unknown[] {
  if (message.kind === 'hello') {
    const { rateKBps, packetBytes, sdPercent } = message.download;
    return [
      'h',
      message.sequence,
      message.version,
      rateKBps,
      packetBytes,
      sdPercent,
      message.maxDelayMs,
    ];
  }
  const { prefix4, prefix6, resolver4, resolver6 } = message.inner;
  return [
    'w',
    message.sequence,
    message.version,
    prefix4,
    prefix6,
    resolver4,
    resolver6,
    Math.round(message.queuePackets),
    Math.round(message.queueMs),
    message.dropped,
  ];
}

function fromWire(wire: unknown): ControlMessage | null {
  if (!Array.isArray(wire)) return null;
  const [kind, sequence, version, ...rest] = wire;
  if (!isNumber(sequence, 0, MAX_SEQUENCE) || typeof version !== 'string' || version.length > 32)
    return null;
  if (kind === 'h') {
    const [rateKBps, packetBytes, sdPercent, maxDelayMs] = rest;
    if (!isNumber(rateKBps, 0, 10_000) || (rateKBps !== 0 && rateKBps < 0.25)) return null;
    if (!isNumber(packetBytes, 256, 1400) || !Number.isInteger(packetBytes)) return null;
    if (!isNumber(sdPercent, 0, 40) || !isNumber(maxDelayMs, 1, 3_600_000)) return null;
    return {
      kind: 'hello',
      sequence,
      version,
      download: { rateKBps, packetBytes, sdPercent },
      maxDelayMs,
    };
  }
  if (kind === 'w') {
    const [prefix4, prefix6, resolver4, resolver6, queuePackets, queueMs, dropped] = rest;
    if (!isNetwork(prefix4, isIpv4, 24) || !isIpv4(resolver4)) return null;
    if (prefix6 !== null && !isNetwork(prefix6, isIpv6, 64)) return null;
    if (resolver6 !== null && !isIpv6(resolver6)) return null;
    if (
      ![queuePackets, queueMs, dropped].every((value) =>
        isNumber(value, 0, Number.MAX_SAFE_INTEGER),
      )
    ) {
      return null;
    }
    return {
      kind: 'welcome',
      sequence,
      version,
      inner: { prefix4, prefix6, resolver4, resolver6 },
      queuePackets: queuePackets as number,
      queueMs: queueMs as number,
      dropped: dropped as number,
    };
  }
  return null;
}

function isNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

// These end up in rules: only sound addresses, and networks with nothing behind their prefix, may pass.
function isIpv4(value: unknown): value is string {
  return typeof value === 'string' && isIPv4(value);
}

function isIpv6(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f:]+$/.test(value) && isIPv6(value);
}

function isNetwork(value: unknown, isAddress: typeof isIpv4, length: number): value is string {
  if (typeof value !== 'string') return false;
  const [address, ...rest] = value.split('/');
  return rest.join() === `${length}` && isAddress(address) && networkOf(address, length) === value;
}
