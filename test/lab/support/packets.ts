// Builds Ethernet frames as a capture of the lab would hold them.
import type { CapturedPacket } from '../../../src/shell/capture/reader.ts';

export interface FrameOptions {
  source: string;
  destination: string;
  protocol?: number;
  sourcePort?: number;
  destinationPort?: number;
  /** First bytes of what UDP or TCP carries. */
  payload?: Uint8Array;
  /** Length of the IP packet; at least what the payload needs. */
  ipBytes?: number;
  etherSource?: string;
  etherDestination?: string;
}

/** An IPv4 packet in an Ethernet frame, captured up to 128 bytes. */
export function captured(timeS: number, options: FrameOptions): CapturedPacket {
  const payload = options.payload ?? new Uint8Array(0);
  const protocol = options.protocol ?? 17;
  const transportBytes = protocol === 6 ? 20 : 8;
  const ipBytes = Math.max(options.ipBytes ?? 0, 20 + transportBytes + payload.length);
  const frame = Buffer.alloc(14 + ipBytes);
  frame.write((options.etherDestination ?? '02:00:00:00:00:01').replaceAll(':', ''), 0, 'hex');
  frame.write((options.etherSource ?? '02:00:00:00:00:02').replaceAll(':', ''), 6, 'hex');
  frame.writeUInt16BE(0x0800, 12);
  frame[14] = 0x45;
  frame.writeUInt16BE(ipBytes, 16);
  frame[23] = protocol;
  frame.set(options.source.split('.').map(Number), 26);
  frame.set(options.destination.split('.').map(Number), 30);
  frame.writeUInt16BE(options.sourcePort ?? 0, 34);
  frame.writeUInt16BE(options.destinationPort ?? 0, 36);
  if (protocol === 6) frame[46] = 0x50;
  frame.set(payload, 34 + transportBytes);
  return {
    index: 0,
    timeS,
    linkType: 1,
    data: frame.subarray(0, 128),
    originalBytes: frame.length,
  };
}

/** What a capture's reader would yield. */
export async function* stream(packets: readonly CapturedPacket[]): AsyncGenerator<CapturedPacket> {
  yield* packets;
}
