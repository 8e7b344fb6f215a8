// Turns captures into the one stream of device packets that a simulation runs on.
import { basename } from 'node:path';
import { isLocalAddress } from '../capture/addresses.ts';
import { openSamples } from '../capture/csv.ts';
import { type Decoded, decodePacket } from '../capture/decode.ts';
import { openCapture } from '../capture/reader.ts';
import { type DeviceSelection, directionFor, type Sample, staysInHome } from '../capture/trace.ts';

/** A packet of a trace and whose it is. */
export interface DeviceSample extends Sample {
  /** MAC address, else IP address, else the file's name. */
  device: string;
}

/** What a simulation runs on; a trace that can be read again is a function returning one of these. */
export type Trace = AsyncIterable<DeviceSample> | Iterable<DeviceSample>;

export interface TraceOptions {
  /** Only this device; else everything between a local and a public address. */
  device?: DeviceSelection;
  /** Keep what stays in the home, as if it went to the Internet; needs `device`. */
  lan?: boolean;
  /** Moves every file's beginning to time 0, so that captures of different days overlap. */
  shift?: boolean;
  /** Repeats every file until so many hours are full; implies `shift`. */
  hours?: number;
}

/** What a device's interface carries at most; larger packets in captures are offloading's. */
const MTU_BYTES = 1500;
/** IPv4 and TCP header, which each part of a super-packet gets. */
const SEGMENT_HEADER_BYTES = 40;

/**
 * Reads captures (pcap, pcapng, or CSV where the name ends so) merged by time, in flat memory.
 * Packets that stay in the home are left out (unless `lan`); super-packets are cut as the kernel would.
 * @throws CaptureError, CsvError
 */
export function openTrace(
  paths: readonly string[],
  options: TraceOptions = {},
): AsyncGenerator<DeviceSample> {
  const shift = options.shift || options.hours !== undefined;
  return mergeByTime(
    paths.map((path) => {
      const open = (): AsyncGenerator<DeviceSample> => openFile(path, options);
      if (options.hours !== undefined) return repeat(open, options.hours * 3600);
      return shift ? fromZero(open()) : open();
    }),
  );
}

async function* openFile(path: string, options: TraceOptions): AsyncGenerator<DeviceSample> {
  const { device, lan } = options;
  if (path.toLowerCase().endsWith('.csv')) {
    const name = basename(path);
    for await (const sample of openSamples(path)) yield* segments({ ...sample, device: name });
    return;
  }
  for await (const packet of openCapture(path)) {
    const decoded = decodePacket(packet);
    if (decoded === null || (!lan && staysInHome(decoded))) continue;
    const found = device ? selected(decoded, device) : ofHome(decoded);
    if (!found) continue;
    const { timeS } = packet;
    if (decoded.ipBytes <= MTU_BYTES) yield { timeS, bytes: decoded.ipBytes, ...found };
    else yield* segments({ timeS, bytes: decoded.ipBytes, ...found });
  }
}

type Belonging = Pick<DeviceSample, 'direction' | 'device'>;

function selected(packet: Decoded, device: DeviceSelection): Belonging | null {
  const direction = directionFor(packet, device);
  return direction && { direction, device: device.mac ?? device.ip ?? '' };
}

/** The local end of a packet to or from the Internet is a device. */
function ofHome(packet: Decoded): Belonging | null {
  const up = isLocalAddress(packet.source);
  if (up === isLocalAddress(packet.destination)) return null;
  const { etherSource, etherDestination } = packet;
  const direction = up ? 'up' : 'down';
  // Cooked captures know one end's MAC only: by address then, or a device would count as two.
  if (etherSource === null || etherDestination === null) {
    return { direction, device: up ? packet.source : packet.destination };
  }
  return { direction, device: up ? etherSource : etherDestination };
}

/** Cuts a super-packet into packets of at most {@link MTU_BYTES}. */
export function* segments(sample: DeviceSample): Generator<DeviceSample> {
  let rest = sample.bytes;
  while (rest > MTU_BYTES) {
    yield { ...sample, bytes: MTU_BYTES };
    rest -= MTU_BYTES - SEGMENT_HEADER_BYTES;
  }
  yield { ...sample, bytes: rest };
}

/** Moves a trace's beginning to time 0. */
export async function* fromZero(trace: Trace): AsyncGenerator<DeviceSample> {
  let first: number | null = null;
  for await (const sample of trace) {
    first ??= sample.timeS;
    yield { ...sample, timeS: Math.max(0, sample.timeS - first) };
  }
}

/** Plays a trace from time 0 again and again for `seconds`, a second's pause between. */
async function* repeat(
  open: () => AsyncGenerator<DeviceSample>,
  seconds: number,
): AsyncGenerator<DeviceSample> {
  let start = 0;
  for (;;) {
    let end = start;
    let packets = 0;
    for await (const sample of fromZero(open())) {
      const timeS = start + sample.timeS;
      if (timeS > seconds) return;
      packets++;
      end = Math.max(end, timeS);
      yield { ...sample, timeS };
    }
    if (packets === 0) return;
    start = end + 1;
  }
}

/** Merges traces in the order of time; each has to be in order itself. */
export async function* mergeByTime(traces: readonly Trace[]): AsyncGenerator<DeviceSample> {
  const sources = traces.map((trace) =>
    Symbol.asyncIterator in trace ? trace[Symbol.asyncIterator]() : trace[Symbol.iterator](),
  );
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let earliest = -1;
      let timeS = Infinity;
      for (let i = 0; i < heads.length; i++) {
        const head = heads[i]!;
        if (!head.done && head.value.timeS < timeS) {
          earliest = i;
          timeS = head.value.timeS;
        }
      }
      if (earliest < 0) return;
      yield heads[earliest]!.value;
      heads[earliest] = await sources[earliest]!.next();
    }
  } finally {
    await Promise.all(sources.map((source) => source.return?.()));
  }
}
