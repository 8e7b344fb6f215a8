// Files that nfcapd writes, of nfdump 1.7: a header, then blocks of records of elements (its nffileV2.h and nfxV3.h).
import { formatIpv4, formatIpv6, formatMac } from '../../../core/capture/addresses.ts';
import { CaptureError } from '../../../core/capture/error.ts';
import { viewOf } from '../../../core/capture/pcap.ts';
import type { PieceReader } from '../piece-reader.ts';
import { type FlowRecord, isPlausible } from './flow-record.ts';
import { unpackLz4 } from './lz4-block.ts';

/** First two bytes of such a file, as a little-endian machine writes them. */
export const NFCAPD_MAGIC = 0xa50c;
const HEADER = 40;
const BLOCK_HEADER = 12;
const FLOW_RECORD = 11;
const RECORD_HEADER = 12;
const LARGEST_BLOCK = 16 * 2 ** 20;
const packings = ['nothing', 'LZO', 'bzip2', 'LZ4', 'zstd'];
const elements = { generic: 1, ipv4: 2, ipv6: 3, counts: 6, macs: 15 } as const;

/** @throws CaptureError where it is of another version, packed otherwise, or damaged, behind the records before */
export async function* readNfcapd(reader: PieceReader, name: string): AsyncGenerator<FlowRecord> {
  let offset = 0;
  const fail = (problem: string) => new CaptureError(name, 0, offset, problem);
  const header = await reader.take(HEADER);
  if (header.length < HEADER) throw fail(`cut off: ${header.length} of ${HEADER} bytes of header`);
  const view = viewOf(header);
  const version = view.getUint16(2, true);
  if (version !== 2) {
    throw fail(
      `is a file of nfdump ${version === 1 ? '1.6' : `with layout ${version}`}, of which only 1.7's can be read: nfdump -r FILE -w NEW writes it anew`,
    );
  }
  const packing = header[16]!;
  if (packing !== 0 && packing !== 3) {
    throw fail(
      `its blocks are packed with ${packings[packing] ?? `method ${packing}`}, which cannot be read: nfdump -J 0 -r FILE unpacks them`,
    );
  }
  if (header[17] !== 0) throw fail('its blocks are encrypted');
  const blockBytes = Math.min(LARGEST_BLOCK, Math.max(view.getUint32(32, true), 1 << 20));
  // What follows the flows are notes about the file.
  const blocks = view.getUint32(36, true);
  offset = HEADER;
  for (let block = 0; block < blocks; block++) {
    const head = await reader.take(BLOCK_HEADER);
    if (head.length === 0) return;
    const size = head.length < BLOCK_HEADER ? 0 : viewOf(head).getUint32(4, true);
    if (size === 0 || size > LARGEST_BLOCK) throw fail('its block is cut off or damaged');
    const body = await reader.take(size);
    if (body.length < size) throw fail(`cut off: ${body.length} of ${size} bytes of a block`);
    let records = body;
    try {
      if (packing === 3) records = unpackLz4(body, blockBytes);
    } catch (error) {
      throw fail((error as Error).message);
    }
    // Other types are arrays of nfdump's own.
    if (viewOf(head).getUint16(8, true) === 3) yield* readBlock(records, fail);
    offset += BLOCK_HEADER + size;
  }
}

function* readBlock(
  block: Uint8Array,
  fail: (problem: string) => CaptureError,
): Generator<FlowRecord> {
  const view = viewOf(block);
  for (let at = 0; at + 4 <= block.length; ) {
    const [type, size] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (size < 4 || at + size > block.length) throw fail(`a record says it is ${size} bytes long`);
    if (type === FLOW_RECORD && size >= RECORD_HEADER) {
      const record = readFlow(block.subarray(at, at + size));
      if (record && isPlausible(record)) yield record;
    }
    at += size;
  }
}

function readFlow(bytes: Uint8Array): FlowRecord | null {
  const view = viewOf(bytes);
  const found = new Map<number, { at: number; bytes: number }>();
  for (let at = RECORD_HEADER; at + 4 <= bytes.length; ) {
    const [type, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    if (length < 4 || at + length > bytes.length) break;
    found.set(type, { at: at + 4, bytes: length - 4 });
    at += length;
  }
  const generic = placeOf(found, elements.generic, 45);
  const [ipv4, ipv6] = [placeOf(found, elements.ipv4, 8), placeOf(found, elements.ipv6, 32)];
  if (generic === null || (ipv4 === null && ipv6 === null)) return null;
  const number = (at: number) => Number(view.getBigUint64(at, true));
  // Addresses are numbers of the machine's order.
  const turned = (at: number, length: number) => bytes.slice(at, at + length).reverse();
  const v6 = (at: number) =>
    formatIpv6(Uint8Array.from([...turned(at, 8), ...turned(at + 8, 8)]), 0);
  const v4 = (at: number) => formatIpv4(turned(at, 4), 0);
  const mac = placeOf(found, elements.macs, 32);
  const readMac = (at: number | null) => {
    if (at === null) return null;
    const text = formatMac(turned(at, 6), 0);
    return text === '00:00:00:00:00:00' ? null : text;
  };
  const counts = placeOf(found, elements.counts, 24);
  const [first, last] = [number(generic), number(generic + 8)];
  const protocol = bytes[generic + 44]!;
  return {
    timeS: first / 1000,
    durationS: (last - first) / 1000,
    source: ipv4 === null ? v6(ipv6!) : v4(ipv4),
    destination: ipv4 === null ? v6(ipv6! + 16) : v4(ipv4 + 4),
    sourceMac: readMac(mac),
    destinationMac: mac === null ? null : (readMac(mac + 16) ?? readMac(mac + 8)),
    protocol,
    sourcePort: view.getUint16(generic + 40, true),
    destinationPort: view.getUint16(generic + 42, true),
    packets: number(generic + 24),
    bytes: number(generic + 32),
    reply:
      counts === null || number(counts + 16) === 0
        ? null
        : { packets: number(counts + 8), bytes: number(counts + 16) },
  };
}

function placeOf(
  found: ReadonlyMap<number, { at: number; bytes: number }>,
  type: number,
  fewest: number,
): number | null {
  const element = found.get(type);
  return element && element.bytes >= fewest ? element.at : null;
}
