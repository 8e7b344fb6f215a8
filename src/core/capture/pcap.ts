// The classic pcap format: one header, then records (draft-ietf-opsawg-pcap).
import { CaptureError } from './error.ts';
import type { CapturedPacket } from './packet.ts';

/**
 * A parser that knows nothing of files: it yields how many bytes it wants next, or a packet. It is given those bytes,
 * fewer only at the end of the file.
 */
export type Parser = Generator<number | CapturedPacket, void, Uint8Array>;

/** libpcap's MAXIMUM_SNAPLEN: a record that says it is longer is damaged. */
export const maxPacketBytes = 262_144;

/** How a pcap file's first four bytes say it is to be read. */
export interface PcapFormat {
  littleEndian: boolean;
  /** Units of a record's second time field in one second. */
  fractionsPerS: number;
  /** 16, or 24 in Kuznetzov's variant with interface fields. */
  recordHeaderBytes: number;
}

/** Which pcap `magic`, the first four bytes read as big-endian, announces; null if none. */
export function pcapFormat(magic: number): PcapFormat | null {
  const format = (littleEndian: boolean, fractionsPerS: number, recordHeaderBytes = 16) => ({
    littleEndian,
    fractionsPerS,
    recordHeaderBytes,
  });
  switch (magic) {
    case 0xa1b2c3d4:
      return format(false, 1e6);
    case 0xd4c3b2a1:
      return format(true, 1e6);
    case 0xa1b23c4d:
      return format(false, 1e9);
    case 0x4d3cb2a1:
      return format(true, 1e9);
    case 0xa1b2cd34:
      return format(false, 1e6, 24);
    case 0x34cdb2a1:
      return format(true, 1e6, 24);
    default:
      return null;
  }
}

/** Parses what follows the four magic bytes of a pcap file. */
export function* parsePcap(name: string, format: PcapFormat): Parser {
  const { littleEndian, fractionsPerS, recordHeaderBytes } = format;
  const rest = yield 20;
  if (rest.length < 20) {
    throw new CaptureError(
      name,
      0,
      0,
      `cut off in the file header: ${4 + rest.length} of 24 bytes`,
    );
  }
  const header = viewOf(rest);
  const major = header.getUint16(0, littleEndian);
  const minor = header.getUint16(2, littleEndian);
  if (major !== 2) {
    throw new CaptureError(name, 0, 0, `pcap version ${major}.${minor} is unknown, 2.4 is usual`);
  }
  const linkType = header.getUint32(16, littleEndian) & 0xffff;

  let offset = 24;
  for (let index = 0; ; index++) {
    const recordHeader = yield recordHeaderBytes;
    if (recordHeader.length === 0) return;
    const fail = (problem: string) => new CaptureError(name, index, offset, problem);
    if (recordHeader.length < recordHeaderBytes) {
      throw fail(`cut off in its header: ${recordHeader.length} of ${recordHeaderBytes} bytes`);
    }
    const view = viewOf(recordHeader);
    const seconds = view.getUint32(0, littleEndian);
    const fraction = view.getUint32(4, littleEndian);
    let captured = view.getUint32(8, littleEndian);
    let original = view.getUint32(12, littleEndian);
    // Before version 2.4 some writers had the two lengths the other way round.
    if (minor < 3 || (minor === 3 && captured > original)) {
      [captured, original] = [original, captured];
    }
    if (captured > maxPacketBytes) {
      throw fail(
        `says ${captured} bytes were captured, more than the ${maxPacketBytes} any can be`,
      );
    }
    if (captured > original) {
      throw fail(`says ${captured} bytes were captured of a packet of ${original}`);
    }
    if (fraction >= fractionsPerS) {
      throw fail(`its time's fraction ${fraction} is not below ${fractionsPerS}`);
    }
    const data = yield captured;
    if (data.length < captured) throw fail(`cut off: ${data.length} of ${captured} bytes`);
    yield {
      index,
      timeS: seconds + fraction / fractionsPerS,
      linkType,
      data,
      originalBytes: original,
    };
    offset += recordHeaderBytes + captured;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
