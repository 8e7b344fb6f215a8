// A file of traffic, of whatever kind, put where an attack wants it: into a table of who talks to whom, or one device's series.

import { median } from '../../core/analysis/statistics/sample.ts';
import { CaptureError } from '../../core/capture/error.ts';
import type { System } from '../../shell/system/system.ts';
import { RateSeries } from '../analysis/identify/features.ts';
import { FlowTable } from '../analysis/identify/flows.ts';
import type { FlowRecord } from './flows/flow-record.ts';
import { openSource } from './source.ts';
import type { ColumnChoice } from './tables/columns.ts';

/** A trace without addresses: one device's. */
export interface ObservedTrace {
  series: RateSeries;
  packets: number;
  upBytes: number;
  downBytes: number;
  fromS: number;
  toS: number;
}

export interface ObservedFile {
  file: string;
  /** Files of flows share one: each holds some minutes, or some of what is known. */
  table: FlowTable | null;
  trace: ObservedTrace | null;
}

export interface ObservingOptions {
  binS: number;
  /** Addresses of the home's end where they are public. */
  home?: readonly string[];
  columns?: ColumnChoice;
  warn: (message: string) => void;
}

/**
 * Reads files one after the other; of a damaged one what comes before the damage.
 * @returns a table for each capture, one for all flows together, and a trace for each table of one device
 * @throws CaptureError, LineError where nothing could be read
 */
export async function observeFiles(
  system: Pick<System, 'files'>,
  files: readonly string[],
  options: ObservingOptions,
): Promise<ObservedFile[]> {
  const observed: ObservedFile[] = [];
  const flows = new FlowTable(options.binS, options.home);
  const lengths = new FlowLengths();
  for (const file of files) {
    const packets = new FlowTable(options.binS, options.home);
    const source = await openSource(system, file, {
      notes: { warn: options.warn },
      ...(options.columns ? { columns: options.columns } : {}),
      onName: ({ asker, name, addresses }) => {
        flows.book.addAsked(asker, name);
        for (const address of addresses) flows.book.addAddress(address, name);
      },
      onHost: (who, name) => flows.book.addAnnounced(who, name, 'DHCP'),
    });
    if (source.kind === 'samples') {
      const trace = await readTrace(source.samples, options.binS);
      observed.push({ file, table: null, trace });
      continue;
    }
    const table = source.kind === 'packets' ? packets : flows;
    const before = table.packets;
    try {
      if (source.kind === 'packets') {
        for await (const batch of source.batches) for (const packet of batch) table.add(packet);
      } else {
        for await (const flow of source.flows) {
          table.addFlow(flow);
          lengths.add(flow);
        }
      }
    } catch (error) {
      if (!(error instanceof CaptureError) || table.packets === before) throw error;
      const what = source.kind === 'packets' ? 'packets' : 'flows';
      const count = source.kind === 'packets' ? table.packets : table.records;
      options.warn(`${error.message}; the ${count} ${what} before it are used`);
    }
    if (!observed.some((one) => one.table === table)) observed.push({ file, table, trace: null });
  }
  const limit = lengths.explain();
  if (limit !== null) options.warn(limit);
  return observed;
}

async function readTrace(
  samples: AsyncIterable<{ timeS: number; bytes: number; direction: 'up' | 'down' }>,
  binS: number,
): Promise<ObservedTrace> {
  const trace: ObservedTrace = {
    series: new RateSeries(binS),
    packets: 0,
    upBytes: 0,
    downBytes: 0,
    fromS: Number.POSITIVE_INFINITY,
    toS: Number.NEGATIVE_INFINITY,
  };
  for await (const sample of samples) {
    trace.series.add(sample);
    trace.packets++;
    if (sample.direction === 'up') trace.upBytes += sample.bytes;
    else trace.downBytes += sample.bytes;
    trace.fromS = Math.min(trace.fromS, sample.timeS);
    trace.toS = Math.max(trace.toS, sample.timeS);
  }
  return trace;
}

/** Of so many flows their lengths are kept: the middle one of these is that of all. */
const KEPT = 10_000;

/** How long flows last, and so what cannot be seen of what happened inside of them. */
class FlowLengths {
  #count = 0;
  #packets = 0;
  readonly #durationsS: number[] = [];

  add({ durationS, packets, reply }: FlowRecord): void {
    this.#packets += packets + (reply?.packets ?? 0);
    // A flow of one packet is that packet.
    if (durationS > 0) {
      if (this.#durationsS.length < KEPT) this.#durationsS.push(durationS);
      else if (this.#count % 7 === 0) this.#durationsS[this.#count % KEPT] = durationS;
    }
    this.#count++;
  }

  /** Null where every record is a packet. */
  explain(): string | null {
    if (this.#count === 0 || this.#durationsS.length === 0) return null;
    const middle = median(this.#durationsS);
    const text = middle < 10 ? middle.toFixed(1) : middle.toFixed(0);
    return (
      `${this.#count} records of flows with ${this.#packets} packets, not the packets themselves: each is taken as equal packets, ` +
      `evenly spaced from its beginning to its end. Flows of more than one packet last ${text} s in the middle; within one, ` +
      'when something happened and how rates vary is not to be seen, and times are those of beginnings'
    );
  }
}
