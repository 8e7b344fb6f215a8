// Fields of NetFlow v9 and IPFIX that say who, when and how much; the numbers are IANA's and the same in both.
import { formatIpv4, formatIpv6, formatMac } from '../../../core/capture/addresses.ts';
import { type FlowRecord, isPlausible } from './flow-record.ts';

/** A field as a template lists it. */
export interface TemplateField {
  id: number;
  /** Another body's numbering than IANA's. */
  isForeign: boolean;
  /** 65535 where each record says its own. */
  bytes: number;
}

export const VARIABLE = 65_535;

/** Seconds since 1970 of the exporter's boot, by which v9 counts. */
export interface ExportClock {
  bootS: number;
  exportS: number;
}

/** What is gathered of a record before it is one. */
interface Draft {
  numbers: Map<number, number>;
  texts: Map<number, string>;
}

const fields = {
  bytes: 1,
  packets: 2,
  protocol: 4,
  sourcePort: 7,
  destinationPort: 11,
  lastUptime: 21,
  firstUptime: 22,
  outBytes: 23,
  outPackets: 24,
  totalBytes: 85,
  totalPackets: 86,
} as const;
/** Begin and end in units of a second; 158 and 159 count microseconds back from the export. */
const times: Record<number, { unitsPerS: number; isEnd: boolean }> = {
  150: { unitsPerS: 1, isEnd: false },
  151: { unitsPerS: 1, isEnd: true },
  152: { unitsPerS: 1e3, isEnd: false },
  153: { unitsPerS: 1e3, isEnd: true },
};
/** The same as seconds and a fraction of 2⁻³² (RFC 7011, as NTP writes it: since 1900). */
const ntpTimes: Record<number, boolean> = { 154: false, 155: true, 156: false, 157: true };
const NTP_OFFSET_S = 2_208_988_800;
const addresses = { source: [8, 27], destination: [12, 28] } as const;
const macs = { source: [56, 81], destination: [80, 57] } as const;

/** Whether a template's records are flows: both addresses and a count of bytes. */
export function describesFlows(template: readonly TemplateField[]): boolean {
  const has = (ids: readonly number[]) =>
    template.some(({ id, isForeign }) => !isForeign && ids.includes(id));
  return has(addresses.source) && has(addresses.destination) && has([1, 23, 85]);
}

/** Reads one record at `at`; its end is -1 where it runs out of its set. */
export function readRecord(
  data: DataView,
  at: number,
  template: readonly TemplateField[],
): { draft: Draft; end: number } {
  const draft: Draft = { numbers: new Map(), texts: new Map() };
  let place = at;
  for (const { id, isForeign, bytes } of template) {
    let length = bytes;
    if (length === VARIABLE) {
      if (place >= data.byteLength) return { draft, end: -1 };
      length = data.getUint8(place++);
      if (length === 255) {
        if (place + 2 > data.byteLength) return { draft, end: -1 };
        length = data.getUint16(place);
        place += 2;
      }
    }
    if (place + length > data.byteLength) return { draft, end: -1 };
    // What comes back in a flow both ways (RFC 5103) has IANA's numbers under a body of its own: not here.
    if (!isForeign) readField(draft, id, data, place, length);
    place += length;
  }
  return { draft, end: place };
}

function readField(draft: Draft, id: number, data: DataView, at: number, length: number): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset + at, length);
  if ((id === 8 || id === 12) && length === 4) draft.texts.set(id, formatIpv4(bytes, 0));
  else if ((id === 27 || id === 28) && length === 16) draft.texts.set(id, formatIpv6(bytes, 0));
  else if ([56, 57, 80, 81].includes(id) && length === 6) draft.texts.set(id, formatMac(bytes, 0));
  else if (ntpTimes[id] !== undefined && length === 8) {
    const seconds = data.getUint32(at) - NTP_OFFSET_S;
    draft.numbers.set(id, seconds + data.getUint32(at + 4) / 2 ** 32);
  } else if (length <= 8) draft.numbers.set(id, readNumber(bytes));
}

/** Exporters shorten numbers as they like. */
function readNumber(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}

/** The flow of a record's fields; null where they are of none, or cannot be true. */
export function toFlow({ numbers, texts }: Draft, clock: ExportClock): FlowRecord | null {
  const text = (ids: readonly number[]) =>
    ids.map((id) => texts.get(id)).find((one) => one !== undefined && !/^[0:]+$/.test(one)) ?? null;
  const number = (...ids: number[]) =>
    ids.map((id) => numbers.get(id)).find((one) => one !== undefined);
  const source = text(addresses.source);
  const destination = text(addresses.destination);
  const bytes = number(fields.bytes, fields.totalBytes, fields.outBytes);
  if (source === null || destination === null || bytes === undefined) return null;
  const beginS = timeOf(numbers, clock, false);
  const endS = timeOf(numbers, clock, true);
  const timeS = beginS ?? endS ?? clock.exportS;
  const record: FlowRecord = {
    timeS,
    durationS: (endS ?? timeS) - timeS,
    source,
    destination,
    sourceMac: text(macs.source),
    destinationMac: text(macs.destination),
    protocol: number(fields.protocol) ?? 0,
    sourcePort: number(fields.sourcePort) ?? null,
    destinationPort: number(fields.destinationPort) ?? null,
    packets: number(fields.packets, fields.totalPackets, fields.outPackets) ?? 1,
    bytes,
    reply: null,
  };
  return isPlausible(record) ? record : null;
}

function timeOf(
  numbers: ReadonlyMap<number, number>,
  { bootS, exportS }: ExportClock,
  isEnd: boolean,
): number | null {
  for (const [id, unit] of Object.entries(times)) {
    const value = numbers.get(Number(id));
    if (value !== undefined && unit.isEnd === isEnd) return value / unit.unitsPerS;
  }
  for (const [id, isOfEnd] of Object.entries(ntpTimes)) {
    const value = numbers.get(Number(id));
    if (value !== undefined && isOfEnd === isEnd) return value;
  }
  const backUs = numbers.get(isEnd ? 159 : 158);
  if (backUs !== undefined) return exportS - backUs / 1e6;
  const uptimeMs = numbers.get(isEnd ? fields.lastUptime : fields.firstUptime);
  if (uptimeMs === undefined) return null;
  const initMs = numbers.get(160);
  return fromUptime(uptimeMs, { bootS: initMs === undefined ? bootS : initMs / 1000, exportS });
}

const WRAP_S = 2 ** 32 / 1000;

/** Milliseconds since boot are counted in 32 bits: the turn that lies just before the export is meant. */
export function fromUptime(uptimeMs: number, { bootS, exportS }: ExportClock): number {
  const timeS = bootS + uptimeMs / 1000;
  return timeS - WRAP_S * Math.ceil((timeS - exportS - 60) / WRAP_S);
}
