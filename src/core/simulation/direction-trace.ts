// One direction of a trace, packed so tightly that it can be simulated again and again.
import type { Trace } from './device-sample.ts';

/** Times, sizes and devices of packets in order of time; 13 bytes a packet. */
export class DirectionTrace {
  length = 0;
  /** Since the trace began. */
  timesMs = new Float64Array(1024);
  sizes = new Uint16Array(1024);
  deviceIndexes = new Uint16Array(1024);
  readonly devices: string[] = [];
  bytes = 0;
  readonly #indexes = new Map<string, number>();

  /** Appends a packet of at most 65,535 bytes; one out of order counts as coming with the last. */
  push(timeMs: number, bytes: number, device: string): void {
    if (this.length === this.timesMs.length) this.#grow();
    let index = this.#indexes.get(device);
    if (index === undefined) {
      index = this.devices.push(device) - 1;
      this.#indexes.set(device, index);
    }
    this.timesMs[this.length] = Math.max(timeMs, this.timesMs[this.length - 1] ?? 0);
    this.sizes[this.length] = bytes;
    this.deviceIndexes[this.length] = index;
    this.length++;
    this.bytes += bytes;
  }

  /** The packets of one device alone. */
  only(device: string): DirectionTrace {
    const wanted = this.#indexes.get(device);
    const trace = new DirectionTrace();
    for (let i = 0; i < this.length; i++) {
      if (this.deviceIndexes[i] === wanted) trace.push(this.timesMs[i]!, this.sizes[i]!, device);
    }
    return trace;
  }

  #grow(): void {
    const larger = this.timesMs.length * 2;
    this.timesMs = copied(this.timesMs, new Float64Array(larger));
    this.sizes = copied(this.sizes, new Uint16Array(larger));
    this.deviceIndexes = copied(this.deviceIndexes, new Uint16Array(larger));
  }
}

function copied<T extends Float64Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Both directions of a trace. */
export interface HomeTrace {
  up: DirectionTrace;
  down: DirectionTrace;
  /** In order of their first packet. */
  devices: string[];
  durationS: number;
}

/** Reads a whole trace into memory. */
export async function loadTrace(trace: Trace): Promise<HomeTrace> {
  const home = { up: new DirectionTrace(), down: new DirectionTrace() };
  const devices = new Set<string>();
  let firstS: number | null = null;
  let lastMs = 0;
  const chunks = Symbol.asyncIterator in trace ? trace : [trace];
  for await (const chunk of chunks) {
    for (const { timeS, bytes, direction, device } of chunk) {
      firstS ??= timeS;
      lastMs = Math.max(lastMs, (timeS - firstS) * 1000);
      home[direction].push(lastMs, bytes, device);
      devices.add(device);
    }
  }
  return { ...home, devices: [...devices], durationS: lastMs / 1000 };
}
