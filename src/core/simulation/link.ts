// One direction of a shaped link in simulated time: slots pass, packets wait for theirs, the rest is cover.
import { TUNNEL_OVERHEAD_BYTES } from '../cost/cost.ts';
import type { IntervalSchedule } from '../pacing/schedule.ts';
import type { Random } from '../random/random.ts';
import { LatencyHistogram } from './latency.ts';

/** A packet left: `bytes` as the provider sees them. Times never decrease on one link. */
export type WireListener = (timeMs: number, bytes: number) => void;

/** What one direction carried. `wire = real + framing + padding + cover + tunnel` bytes. */
export interface LinkTotals {
  /** Device packets delivered. */
  packets: number;
  /** IP bytes of those. */
  realBytes: number;
  /** Headers that frames or fragments added to device packets. */
  framingBytes: number;
  /** Pad within packets that carry device data. */
  paddingBytes: number;
  /** Packets that carry nothing of a device. */
  coverBytes: number;
  /** What the tunnel adds to every packet, {@link TUNNEL_OVERHEAD_BYTES} each. */
  tunnelBytes: number;
  wirePackets: number;
  /** Most packets that waited at any one time. */
  queueMaxPackets: number;
  /** Device packets given up: too late, or the queue was full. */
  dropped: number;
  /** From a packet's arrival until its last byte left. */
  latency: LatencyHistogram;
}

/** One direction. Calls come in order of time; times are ms since the trace began. */
export interface Link {
  /** Lets all slots up to `timeMs` pass. */
  advance(timeMs: number): void;
  /** A device packet of `bytes` IP bytes arrives, after `advance(timeMs)`. */
  arrive(timeMs: number, bytes: number, device: string): void;
  /** Ends the trace at `timeMs`, then lets what still waits leave; cover is not counted any more. */
  finish(timeMs: number): void;
  readonly totals: LinkTotals;
}

function emptyTotals(): LinkTotals {
  return {
    packets: 0,
    realBytes: 0,
    framingBytes: 0,
    paddingBytes: 0,
    coverBytes: 0,
    tunnelBytes: 0,
    wirePackets: 0,
    queueMaxPackets: 0,
    dropped: 0,
    latency: new LatencyHistogram(),
  };
}

/** More idle slots than this are passed in one step. */
const MANY_SLOTS = 2000;

/** When slots are; as the simulator asks for them. */
export interface Clock {
  /** The next slot; Infinity behind the last. */
  readonly nextMs: number;
  /** Lets the next slot pass. */
  step(): void;
  /** Passes every slot up to `timeMs` and says how many. */
  skip(timeMs: number): number;
}

/** Departure times from the product's own schedule, starting at a random place within a slot. */
export class SlotClock implements Clock {
  nextMs: number;
  readonly #schedule: IntervalSchedule;
  readonly #random: Random;

  constructor(schedule: IntervalSchedule, random: Random) {
    this.#schedule = schedule;
    this.#random = random;
    this.nextMs = random() * schedule.meanMs;
  }

  step(): void {
    this.nextMs += this.#schedule.nextMs();
  }

  /**
   * Long stretches take one step: constant
   * intervals are counted, and the sum of n > 1000 varying ones is drawn as one normal (central
   * limit), the last few sqrt(n) one by one so that no slot is passed too many.
   */
  skip(timeMs: number): number {
    if (this.nextMs > timeMs) return 0;
    const { meanMs, sdMs } = this.#schedule;
    let passed = 0;
    for (;;) {
      const ahead = (timeMs - this.nextMs) / meanMs;
      if (ahead < MANY_SLOTS) break;
      // Eight standard deviations short of the end.
      const slots = Math.floor(ahead - 1 - (8 * sdMs * Math.sqrt(ahead)) / meanMs);
      this.nextMs += slots * meanMs;
      if (sdMs > 0) this.nextMs += Math.sqrt(slots) * sdMs * this.#normal();
      passed += slots;
    }
    while (this.nextMs <= timeMs) {
      this.step();
      passed++;
    }
    return passed;
  }

  /** Box and Muller; 1 - random is above 0, and so large values stay below 6.7 with 32-bit numbers. */
  #normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#random()));
    return radius * Math.cos(2 * Math.PI * this.#random());
  }
}

/** Departures that were recorded, ascending. */
export class RecordedClock implements Clock {
  readonly #slotsMs: readonly number[];
  #next = 0;

  constructor(slotsMs: readonly number[]) {
    this.#slotsMs = slotsMs;
  }

  get nextMs(): number {
    return this.#slotsMs[this.#next] ?? Infinity;
  }

  step(): void {
    this.#next++;
  }

  skip(timeMs: number): number {
    const before = this.#next;
    while (this.nextMs <= timeMs) this.#next++;
    return this.#next - before;
  }
}

/** What links with slots share: every slot one packet of one size, device data or cover. */
export abstract class SlottedLink implements Link {
  readonly totals = emptyTotals();
  protected readonly packetBytes: number;
  readonly #clock: Clock;
  readonly #onWire: WireListener | undefined;

  constructor(packetBytes: number, clock: Clock, onWire?: WireListener) {
    this.packetBytes = packetBytes;
    this.#clock = clock;
    this.#onWire = onWire;
  }

  abstract arrive(timeMs: number, bytes: number, device: string): void;
  /** True when the next slot would carry device data. May drop what is too late. */
  protected abstract hasData(timeMs: number): boolean;
  /** Whether anything of a device still waits. */
  protected isWaiting(timeMs: number): boolean {
    return this.hasData(timeMs);
  }
  /** When data that is on its way to the queue will be there; Infinity where none is. */
  protected get nextDataMs(): number {
    return Infinity;
  }
  /** Lets device data fill the slot at `timeMs`. */
  protected abstract send(timeMs: number): void;

  advance(timeMs: number): void {
    const clock = this.#clock;
    while (clock.nextMs <= timeMs) {
      if (this.hasData(clock.nextMs)) this.#sendOne();
      else if (this.#onWire) this.#coverOne();
      else {
        // Nothing arrives before timeMs, so no slot until then can carry data but what is on its way.
        this.#count(clock.skip(Math.min(timeMs, this.nextDataMs)));
      }
    }
  }

  finish(timeMs: number): void {
    this.advance(timeMs);
    while (this.isWaiting(this.#clock.nextMs)) {
      if (this.hasData(this.#clock.nextMs)) this.#sendOne();
      else this.#clock.step();
    }
  }

  #sendOne(): void {
    this.send(this.#clock.nextMs);
    this.totals.wirePackets++;
    this.totals.tunnelBytes += TUNNEL_OVERHEAD_BYTES;
    this.#emit();
    this.#clock.step();
  }

  #coverOne(): void {
    this.#count(1);
    this.#emit();
    this.#clock.step();
  }

  #emit(): void {
    this.#onWire?.(this.#clock.nextMs, this.packetBytes + TUNNEL_OVERHEAD_BYTES);
  }

  #count(slots: number): void {
    this.totals.wirePackets += slots;
    this.totals.coverBytes += slots * this.packetBytes;
    this.totals.tunnelBytes += slots * TUNNEL_OVERHEAD_BYTES;
  }
}

/** No slots: packets leave as they come, alone or each in a tunnel packet. */
export class DirectLink implements Link {
  readonly totals = emptyTotals();
  readonly #overheadBytes: number;
  readonly #onWire: WireListener | undefined;

  constructor(overheadBytes: number, onWire?: WireListener) {
    this.#overheadBytes = overheadBytes;
    this.#onWire = onWire;
  }

  advance(): void {}

  arrive(timeMs: number, bytes: number): void {
    const { totals } = this;
    totals.packets++;
    totals.wirePackets++;
    totals.realBytes += bytes;
    totals.tunnelBytes += this.#overheadBytes;
    totals.latency.add(0);
    this.#onWire?.(timeMs, bytes + this.#overheadBytes);
  }

  finish(): void {}
}
