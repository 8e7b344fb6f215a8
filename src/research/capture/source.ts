// Whatever a researcher or a provider has of a home's traffic, told by its content: packets, flow records, tables of either.

import { explainClock, keepClock } from '../../core/capture/clock.ts';
import { decodePacket } from '../../core/capture/decode.ts';
import { CaptureError } from '../../core/capture/error.ts';
import { pcapFormat, viewOf } from '../../core/capture/pcap.ts';
import { pcapngMagic } from '../../core/capture/pcapng.ts';
import type { Sample } from '../../core/capture/trace.ts';
import { linesOf } from '../../core/text/line-splitter.ts';
import { readPieces } from '../../shell/capture/pieces.ts';
import type { CapturedPacket, CaptureNotes } from '../../shell/capture/reader.ts';
import type { System } from '../../shell/system/system.ts';
import { ExportDecoder, isExport, messageLength } from './flows/export-decoder.ts';
import { readExports } from './flows/export-stream.ts';
import type { FlowRecord } from './flows/flow-record.ts';
import { NFCAPD_MAGIC, readNfcapd } from './flows/nfcapd.ts';
import { noteBatches, readBatches } from './packet-batches.ts';
import { PieceReader } from './piece-reader.ts';
import type { ColumnChoice } from './tables/columns.ts';
import { openTable } from './tables/table.ts';
import { isZeek, readZeek, type ZeekListener } from './tables/zeek.ts';
import { packingOf, unpack } from './unpack.ts';

export type Source =
  | { kind: 'packets'; batches: AsyncGenerator<CapturedPacket[]> }
  /** One device's packets. */
  | { kind: 'samples'; samples: AsyncGenerator<Sample> }
  | { kind: 'flows'; flows: AsyncGenerator<FlowRecord> };

export interface SourceOptions extends ZeekListener {
  /** How what was odd is told, and what is done about times that cannot be true. */
  notes: CaptureNotes;
  columns?: ColumnChoice;
}

/** So much of a file is looked at. */
const HEAD_BYTES = 65_536;
/** So many packets are looked at for exports of flows among them. */
const LOOKED_AT = 64;

/**
 * Opens a file, `-` being the standard input, packed with gzip, zstd or xz or not.
 * @throws CaptureError, LineError; also while what it gave is read, behind what was good
 */
export async function openSource(
  system: Pick<System, 'files'>,
  path: string,
  options: SourceOptions,
): Promise<Source> {
  const name = path === '-' ? 'standard input' : path;
  const refuse = (problem: string) => new CaptureError(name, 0, 0, problem, { opened: false });
  let reader = new PieceReader(readPieces(system, path, refuse));
  const packing = packingOf(await reader.peek(8));
  if (packing) reader = new PieceReader(unpack(packing, reader.rest(), refuse));
  const head = await reader.peek(HEAD_BYTES);
  const value = head.length < 4 ? 0 : viewOf(head).getUint32(0);
  if (pcapFormat(value) || value === pcapngMagic || head.length === 0) {
    return openPackets(reader, name, options);
  }
  const clocked = (flows: AsyncIterable<FlowRecord>): Source => ({
    kind: 'flows',
    flows: keepTimes(flows, name, options.notes),
  });
  if (head.length >= 2 && viewOf(head).getUint16(0, true) === NFCAPD_MAGIC) {
    return clocked(readNfcapd(reader, name));
  }
  if (messageLength(head, 0, head.length < HEAD_BYTES) > 0) {
    const decoder = new ExportDecoder();
    return clocked(tellFaults(readExports(reader, name, decoder), decoder, name, options.notes));
  }
  if (!isText(head)) {
    const hex = value.toString(16).padStart(8, '0');
    throw refuse(
      `is none of pcap, pcapng, NetFlow, IPFIX, nfcapd's, Zeek's logs or a table (it begins with ${hex})`,
    );
  }
  const lines = linesOf(reader.rest());
  if (isZeek(new TextDecoder().decode(head.subarray(0, 256)))) {
    return clocked(readZeek(lines, name, options));
  }
  const table = await openTable(lines, name, options.columns ?? {});
  if (table.kind === 'flows') return clocked(table.flows);
  return { kind: 'samples', samples: keepTimes(table.samples, name, options.notes) };
}

function keepTimes<T extends { timeS: number }>(
  all: AsyncIterable<T>,
  name: string,
  { warn, ...options }: CaptureNotes,
): AsyncGenerator<T> {
  return keepClock(all, { tell: (fault) => warn(explainClock(name, fault)), ...options });
}

/** Text has no bytes below a blank but tabs and ends of lines. */
function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13);
}

/** A capture; where routers' exports are what is in it, the flows that they tell of. */
async function openPackets(
  reader: PieceReader,
  name: string,
  { notes }: SourceOptions,
): Promise<Source> {
  const batches = readBatches(reader.rest(), name);
  const first: CapturedPacket[] = [];
  let failure: { error: unknown } | null = null;
  try {
    while (first.length < LOOKED_AT) {
      const { done, value } = await batches.next();
      if (done) break;
      first.push(...value);
    }
  } catch (error) {
    failure = { error };
  }
  const all = async function* (): AsyncGenerator<CapturedPacket[]> {
    yield first;
    if (failure) throw failure.error;
    yield* batches;
  };
  const decoded = first.slice(0, LOOKED_AT).map((packet) => decodePacket(packet));
  const exports = decoded.filter((one) => one?.protocol === 17 && isExport(one.payload));
  const others = decoded.filter((one) => one !== null).length - exports.length;
  if (exports.length === 0 || others > exports.length) {
    return { kind: 'packets', batches: noteBatches(all(), name, notes) };
  }
  const decoder = new ExportDecoder();
  const flows = tellFaults(readExportPackets(all(), decoder), decoder, name, notes);
  return { kind: 'flows', flows: keepTimes(flows, name, notes) };
}

async function* readExportPackets(
  batches: AsyncIterable<readonly CapturedPacket[]>,
  decoder: ExportDecoder,
): AsyncGenerator<FlowRecord> {
  for await (const batch of batches) {
    for (const packet of batch) {
      const decoded = decodePacket(packet);
      if (decoded?.protocol !== 17 || !isExport(decoded.payload)) continue;
      yield* decoder.decode(decoded.payload, `${decoded.source}:${decoded.sourcePort}`);
    }
  }
}

async function* tellFaults(
  flows: AsyncIterable<FlowRecord>,
  { faults }: ExportDecoder,
  name: string,
  { warn }: CaptureNotes,
): AsyncGenerator<FlowRecord> {
  try {
    yield* flows;
  } finally {
    const { withoutTemplate, damaged, sampling } = faults;
    if (withoutTemplate > 0) {
      warn(
        `${name}: ${withoutTemplate} sets of records came before the template that says how to read them, and are left out`,
      );
    }
    if (damaged > 0) warn(`${name}: ${damaged} records are damaged, and left out`);
    if (sampling > 1) {
      warn(
        `${name}: its router looked at one packet in ${sampling}: bytes and packets are of those alone`,
      );
    }
  }
}
