// Turns captures into the one stream of device packets that a simulation runs on.

import { basename } from 'node:path';
import type { DeviceSample, Trace } from '../../core/simulation/device-sample.ts';
import { LineError } from '../../core/text/line-error.ts';
import { isTraceName, openSamples } from '../capture/csv.ts';
import { CaptureError, type CaptureNotes, openCapture } from '../capture/reader.ts';
import type { System } from '../system/system.ts';
import { type OwnerOptions, ownerOf } from './packet-owner.ts';

export type { DeviceSample, Trace };

export interface TraceOptions extends OwnerOptions {
  /** Moves every file's beginning to time 0, so that captures of different days overlap. */
  shift?: boolean;
  /** Told of a file that is damaged behind its first good packets, which then count; else that is an error. */
  onDamage?: (message: string) => void;
  /** Told of packets that are left out of a file: of another time, or of a link layer that cannot be read. */
  onNote?: (message: string) => void;
  /** Repeats every file until so many hours are full; implies `shift`. */
  hours?: number;
}

/** What a device's interface carries at most; larger packets in captures are offloading's. */
const MTU_BYTES = 1500;
/** IPv4 and TCP header, which each part of a super-packet gets. */
const SEGMENT_HEADER_BYTES = 40;
const CHUNK_PACKETS = 1024;

/**
 * Reads captures (pcap, pcapng, or CSV where the name ends so) merged by time, in flat memory.
 * Packets that stay in the home are left out (unless `lan`); super-packets are cut as the kernel would.
 * @throws CaptureError, LineError
 */
export function openTrace(
  system: Pick<System, 'files'>,
  paths: readonly string[],
  options: TraceOptions = {},
): AsyncGenerator<DeviceSample[]> {
  const shift = options.shift || options.hours !== undefined;
  return mergeByTime(
    paths.map((path) => {
      const open = () => {
        const isCsv = isTraceName(path);
        const chunks = inChunks(
          isCsv
            ? csvPackets(system, path, notesOf(options))
            : capturePackets(system, path, options),
          options,
        );
        return shift ? fromZero(chunks) : chunks;
      };
      return options.hours === undefined ? open() : repeat(open, options.hours * 3600);
    }),
  );
}

/** A silence of more than a day is no traffic to shape, and would be lived through slot by slot. */
const LONGEST_SILENCE_S = 86_400;

function notesOf({ onNote }: TraceOptions): CaptureNotes {
  return { warn: (message) => onNote?.(message), leapS: LONGEST_SILENCE_S };
}

async function* capturePackets(
  system: Pick<System, 'files'>,
  path: string,
  options: TraceOptions,
): AsyncGenerator<DeviceSample> {
  for await (const packet of openCapture(system, path, notesOf(options))) {
    const owned = ownerOf(packet, options);
    if (owned === null) continue;
    const { bytes, direction, device } = owned;
    yield { timeS: packet.timeS, bytes, direction, device };
  }
}

async function* csvPackets(
  system: Pick<System, 'files'>,
  path: string,
  notes: CaptureNotes,
): AsyncGenerator<DeviceSample> {
  const device = basename(path);
  for await (const sample of openSamples(system, path, notes)) yield { ...sample, device };
}

async function* inChunks(
  packets: AsyncIterable<DeviceSample>,
  { onDamage }: TraceOptions,
): AsyncGenerator<DeviceSample[]> {
  let chunk: DeviceSample[] = [];
  let isAnyRead = false;
  try {
    for await (const packet of packets) {
      isAnyRead = true;
      pushSegments(chunk, packet);
      if (chunk.length < CHUNK_PACKETS) continue;
      yield chunk;
      chunk = [];
    }
  } catch (error) {
    const isDamage = error instanceof CaptureError || error instanceof LineError;
    if (!isDamage || !isAnyRead || !onDamage) throw error;
    onDamage(error.message);
  }
  if (chunk.length > 0) yield chunk;
}

/** Appends a packet, a super-packet as packets of at most {@link MTU_BYTES}. */
export function pushSegments(chunk: DeviceSample[], sample: DeviceSample): void {
  let rest = sample.bytes;
  for (; rest > MTU_BYTES; rest -= MTU_BYTES - SEGMENT_HEADER_BYTES) {
    chunk.push({ ...sample, bytes: MTU_BYTES });
  }
  chunk.push(rest === sample.bytes ? sample : { ...sample, bytes: rest });
}

/** Moves a trace's beginning to time 0. */
async function* fromZero(
  chunks: AsyncIterable<readonly DeviceSample[]>,
): AsyncGenerator<DeviceSample[]> {
  let startS = Number.NaN;
  for await (const chunk of chunks) {
    if (Number.isNaN(startS)) startS = chunk[0]?.timeS ?? Number.NaN;
    yield chunk.map((sample) => moved(sample, -startS));
  }
}

/** A file with fewer packets is kept in memory while it is repeated. */
const KEPT_PACKETS = 250_000;

/** Plays a trace that begins at time 0 again and again for `seconds`, a second's pause between. */
async function* repeat(
  open: () => AsyncIterable<readonly DeviceSample[]>,
  seconds: number,
): AsyncGenerator<DeviceSample[]> {
  let kept: (readonly DeviceSample[])[] | null = null;
  let startS = 0;
  for (;;) {
    const read: (readonly DeviceSample[])[] = [];
    let packets = 0;
    let endS = startS;
    for await (const chunk of kept ?? open()) {
      packets += chunk.length;
      if (packets <= KEPT_PACKETS) read.push(chunk);
      const shifted = chunk.map((sample) => moved(sample, startS));
      endS = Math.max(endS, shifted.at(-1)?.timeS ?? 0);
      if (endS <= seconds) yield shifted;
      else {
        yield shifted.filter(({ timeS }) => timeS <= seconds);
        return;
      }
    }
    if (packets === 0) return;
    if (packets <= KEPT_PACKETS) kept = read;
    startS = endS + 1;
  }
}

function moved(sample: DeviceSample, byS: number): DeviceSample {
  return {
    timeS: Math.max(0, sample.timeS + byS),
    bytes: sample.bytes,
    direction: sample.direction,
    device: sample.device,
  };
}

interface Source {
  chunks: AsyncIterator<readonly DeviceSample[]>;
  chunk: readonly DeviceSample[];
  at: number;
}

/** Merges traces in the order of time; each has to be in order itself. */
async function* mergeByTime(
  traces: readonly AsyncIterable<readonly DeviceSample[]>[],
): AsyncGenerator<DeviceSample[]> {
  let sources: Source[] = traces.map((trace) => ({
    chunks: trace[Symbol.asyncIterator](),
    chunk: [],
    at: 0,
  }));
  const opened = sources;
  try {
    for (const source of sources) await refill(source);
    let merged: DeviceSample[] = [];
    for (;;) {
      sources = sources.filter(({ at, chunk }) => at < chunk.length);
      let earliest: Source | undefined;
      // Until one of them needs its next chunk.
      do {
        earliest = undefined;
        let timeS = Infinity;
        for (const source of sources) {
          const head = source.chunk[source.at]!.timeS;
          if (head < timeS) {
            earliest = source;
            timeS = head;
          }
        }
        if (!earliest) break;
        merged.push(earliest.chunk[earliest.at++]!);
      } while (earliest.at < earliest.chunk.length);
      if (merged.length >= CHUNK_PACKETS || !earliest) {
        if (merged.length > 0) yield merged;
        merged = [];
      }
      if (!earliest) return;
      await refill(earliest);
    }
  } finally {
    for (const { chunks } of opened) await chunks.return?.();
  }
}

async function refill(source: Source): Promise<void> {
  do {
    const next = await source.chunks.next();
    source.chunk = next.done ? [] : next.value;
    source.at = 0;
    if (next.done) return;
  } while (source.chunk.length === 0);
}
