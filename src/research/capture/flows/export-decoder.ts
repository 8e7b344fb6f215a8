// Messages of NetFlow v5 and v9 and of IPFIX, as routers send them by UDP or as collectors keep them one behind the other.
import { formatIpv4 } from '../../../core/capture/addresses.ts';
import { viewOf } from '../../../core/capture/pcap.ts';
import {
  describesFlows,
  type ExportClock,
  fromUptime,
  readRecord,
  type TemplateField,
  toFlow,
  VARIABLE,
} from './export-fields.ts';
import { type FlowRecord, isPlausible } from './flow-record.ts';

const V5_HEADER = 24;
const V5_RECORD = 48;
const V9_HEADER = 20;
const IPFIX_HEADER = 16;

/** What a reader of exports could not use. */
export interface ExportFaults {
  /** Sets of records whose template had not come yet. */
  withoutTemplate: number;
  /** Records that cannot be true, and sets that are cut off. */
  damaged: number;
  /** One packet in so many was looked at; 1 where all were. */
  sampling: number;
}

/**
 * Length of the message that begins at `at`; 0 where none of the three does, -1 where more bytes are needed to tell.
 * @param isAll whether nothing follows: v9 says its end nowhere, and the next message's begin or the file's tells it
 */
export function messageLength(bytes: Uint8Array, at: number, isAll: boolean): number {
  if (bytes.length - at < V5_HEADER) return isAll ? 0 : -1;
  const view = viewOf(bytes);
  const [version, count] = [view.getUint16(at), view.getUint16(at + 2)];
  if (version === 5) return count >= 1 && count <= 30 ? V5_HEADER + count * V5_RECORD : 0;
  if (version === 10) return count >= IPFIX_HEADER + 4 ? count : 0;
  if (version !== 9 || count === 0) return 0;
  for (let end = at + V9_HEADER; ; ) {
    if (bytes.length - end < 4) return isAll ? end - at : -1;
    const [id, length] = [view.getUint16(end), view.getUint16(end + 2)];
    // No set goes by the numbers of a version.
    if (id === 5 || id === 9 || id === 10) return end > at + V9_HEADER ? end - at : 0;
    if ((id > 1 && id < 256) || length < 4) return 0;
    end += length;
    if (end > bytes.length) return isAll ? bytes.length - at : -1;
  }
}

/** Whether a datagram's payload is one such message and nothing else. */
export function isExport(payload: Uint8Array): boolean {
  return payload.length >= V5_HEADER && messageLength(payload, 0, true) === payload.length;
}

/** Decodes messages in the order they came; templates are remembered for each exporter and its domain. */
export class ExportDecoder {
  readonly #templates = new Map<string, readonly TemplateField[]>();
  /** When exporters of IPFIX booted, as their options say. */
  readonly #bootS = new Map<string, number>();
  readonly faults: ExportFaults = { withoutTemplate: 0, damaged: 0, sampling: 1 };

  /** @param exporter who sent it, where that is known */
  decode(message: Uint8Array, exporter = ''): FlowRecord[] {
    if (message.length < V5_HEADER) return [];
    const version = viewOf(message).getUint16(0);
    if (version === 5) return this.#decodeV5(message);
    if (version === 9 || version === 10) return this.#decodeSets(message, exporter, version);
    return [];
  }

  #decodeV5(message: Uint8Array): FlowRecord[] {
    const view = viewOf(message);
    const exportS = view.getUint32(8) + view.getUint32(12) / 1e9;
    const clock = { exportS, bootS: exportS - view.getUint32(4) / 1000 };
    this.#noteSampling(view.getUint16(22) & 0x3fff);
    const records: FlowRecord[] = [];
    const count = view.getUint16(2);
    for (let i = 0, at = V5_HEADER; i < count && at + V5_RECORD <= message.length; i++) {
      const timeS = fromUptime(view.getUint32(at + 24), clock);
      const record: FlowRecord = {
        timeS,
        durationS: ((view.getUint32(at + 28) - view.getUint32(at + 24)) >>> 0) / 1000,
        source: formatIpv4(message, at),
        destination: formatIpv4(message, at + 4),
        sourceMac: null,
        destinationMac: null,
        protocol: message[at + 38]!,
        sourcePort: view.getUint16(at + 32),
        destinationPort: view.getUint16(at + 34),
        packets: view.getUint32(at + 16),
        bytes: view.getUint32(at + 20),
        reply: null,
      };
      if (isPlausible(record)) records.push(record);
      else this.faults.damaged++;
      at += V5_RECORD;
    }
    return records;
  }

  #decodeSets(message: Uint8Array, exporter: string, version: 9 | 10): FlowRecord[] {
    const view = viewOf(message);
    const isV9 = version === 9;
    const exportS = view.getUint32(isV9 ? 8 : 4);
    const domain = view.getUint32(isV9 ? 16 : 12);
    const who = `${exporter}|${version}|${domain}`;
    const clockNow = () => ({
      exportS,
      bootS: isV9 ? exportS - view.getUint32(4) / 1000 : (this.#bootS.get(who) ?? 0),
    });
    const records: FlowRecord[] = [];
    for (let at = isV9 ? V9_HEADER : IPFIX_HEADER; at + 4 <= message.length; ) {
      const [id, length] = [view.getUint16(at), view.getUint16(at + 2)];
      const end = at + length;
      if (length < 4 || end > message.length) {
        this.faults.damaged++;
        break;
      }
      const set = new DataView(message.buffer, message.byteOffset + at + 4, length - 4);
      const nameOf = (template: number) => `${who}|${template}`;
      if (id === (isV9 ? 0 : 2)) this.#learn(set, nameOf);
      // Templates of options are only passed over, with what belongs to them.
      else if (id === (isV9 ? 1 : 3)) this.#passOptions(set, nameOf, isV9);
      else if (id >= 256) records.push(...this.#readSet(set, nameOf(id), who, clockNow()));
      at = end;
    }
    return records;
  }

  #learn(set: DataView, nameOf: (id: number) => string): void {
    for (let at = 0; at + 4 <= set.byteLength; ) {
      const [id, count] = [set.getUint16(at), set.getUint16(at + 2)];
      at += 4;
      const template: TemplateField[] = [];
      for (let i = 0; i < count; i++) {
        const field = readTemplateField(set, at);
        if (field === null) return;
        template.push(field.field);
        at = field.end;
      }
      // Padding looks like template 0, and without fields one is withdrawn.
      if (id < 256) return;
      if (count === 0) this.#templates.delete(nameOf(id));
      else this.#templates.set(nameOf(id), template);
    }
  }

  #passOptions(set: DataView, nameOf: (id: number) => string, isV9: boolean): void {
    if (set.byteLength < 6) return;
    const template: TemplateField[] = [];
    const fields = isV9
      ? (set.getUint16(2) + set.getUint16(4)) / 4
      : set.byteLength >= 4
        ? set.getUint16(2)
        : 0;
    let at = 6;
    // A scope of v9 is numbered by itself.
    const scopes = isV9 ? set.getUint16(2) / 4 : 0;
    for (let i = 0; i < fields; i++) {
      const read = readTemplateField(set, at);
      if (read === null) return;
      template.push(i < scopes ? { ...read.field, isForeign: true } : read.field);
      at = read.end;
    }
    if (set.getUint16(0) >= 256) this.#templates.set(nameOf(set.getUint16(0)), template);
  }

  #readSet(set: DataView, name: string, who: string, clock: ExportClock): FlowRecord[] {
    const template = this.#templates.get(name);
    if (!template) {
      this.faults.withoutTemplate++;
      return [];
    }
    const isFlows = describesFlows(template);
    const fewest = template.reduce((sum, { bytes }) => sum + (bytes === VARIABLE ? 1 : bytes), 0);
    if (fewest === 0) return [];
    const records: FlowRecord[] = [];
    // What is shorter than a record is padding.
    for (let at = 0; at + fewest <= set.byteLength; ) {
      const { draft, end } = readRecord(set, at, template);
      if (end < 0) {
        this.faults.damaged++;
        break;
      }
      at = end;
      this.#noteSampling(draft.numbers.get(34) ?? draft.numbers.get(305) ?? 1);
      if (!isFlows) {
        const initMs = draft.numbers.get(160);
        if (initMs) this.#bootS.set(who, initMs / 1000);
        continue;
      }
      const record = toFlow(draft, clock);
      if (record) records.push(record);
      else this.faults.damaged++;
    }
    return records;
  }

  #noteSampling(interval: number): void {
    if (interval > this.faults.sampling) this.faults.sampling = interval;
  }
}

function readTemplateField(
  set: DataView,
  at: number,
): { field: TemplateField; end: number } | null {
  if (at + 4 > set.byteLength) return null;
  const id = set.getUint16(at);
  const isForeign = (id & 0x8000) !== 0;
  const end = at + (isForeign ? 8 : 4);
  if (end > set.byteLength) return null;
  return { field: { id: id & 0x7fff, isForeign, bytes: set.getUint16(at + 2) }, end };
}
