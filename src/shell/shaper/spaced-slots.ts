// One stream whose intervals stand in the clock behind OpenVPN as spacers: when they are drawn, handed over, shortened and thrown away.
import {
  type ClassRate,
  encodeClassAnew,
  encodeClassChange,
} from '../../core/netlink/tc-messages.ts';
import { SlotPlan } from '../../core/pacing/slot-plan.ts';
import { CLOCK_HANDLE } from '../../core/plan/names.ts';
import {
  clockClasses,
  spacedRate,
  spacerLeaf,
  spacerLimit,
  spacerRate,
} from '../../core/plan/spacers.ts';
import type { ListedClass } from '../../core/plan/tc-listing.ts';
import type { Random } from '../../core/random/random.ts';
import type { System } from '../system/system.ts';
import type { ShapedStream } from './messages.ts';
import { Spacers } from './spacers.ts';
import type { ClockIndexes } from './traffic-control.ts';

/** HTB counts in 32 bits by how much a class was served beyond its turns (sch_htb.c, `deficit`): half of what would turn it over. */
const MOST_UNITS = 1e9;

/** Gives the class that paces a stream there its rate. */
export function encodeWholeRate(
  minor: number,
  rate: ClassRate,
  { outer }: ClockIndexes,
): Uint8Array[] {
  if (outer === null) return [];
  const place = { index: outer, parent: CLOCK_HANDLE, id: clockClasses(minor).whole };
  return [encodeClassChange(place, rate)];
}

/** Throws away the spacers that stand there, and what HTB has counted of their class. */
export function encodeNoSpacers(
  { minor, shape }: ShapedStream,
  { outer }: ClockIndexes,
): Uint8Array[] {
  if (outer === null) return [];
  const { whole, spacers } = clockClasses(minor);
  const leaf = { handle: spacerLeaf(minor), limit: spacerLimit(shape) };
  return encodeClassAnew({ index: outer, parent: whole, id: spacers }, spacerRate(shape), leaf);
}

/** Where none of so many has come there, something of the machine's lets none through. */
const FEWEST_HEARD = 4;

/** What it says to the kernel it leaves to its owner. */
export class SpacedSlots {
  readonly plan: SlotPlan;
  readonly #stream: ShapedStream;
  readonly #spacers = new Spacers();
  /** By how much the clock shortens what stands there; null while the clock's rate makes intervals yet. */
  #toldBend: number | null = null;

  constructor(stream: ShapedStream, random: Random) {
    this.#stream = stream;
    this.plan = new SlotPlan(stream.shape, stream.standing, random);
  }

  open(system: Pick<System, 'sockets'>): Promise<void> {
    return this.#spacers.open(system, this.#stream.minor, this.plan.mostAhead);
  }

  /** Whether nothing was handed over since there are no spacers there. */
  get isNew(): boolean {
    return this.#toldBend === null;
  }

  /** Hands over the spacers that were drawn; the first ones take over from the clock's rate. */
  handOver(indexes: ClockIndexes): Uint8Array[] {
    this.#spacers.send(this.plan.take());
    return this.isNew ? this.#tell(this.plan.bend, indexes) : [];
  }

  /** Goes on from where the clock is, by what was counted of its class of spacers; says whose those are. */
  follow({ packets, backlogPackets }: ListedClass, nowMs: number): 'its own' | 'others' | 'none' {
    const { plan } = this;
    if (this.isNew) return 'its own';
    if (packets + backlogPackets === 0 && plan.asked >= FEWEST_HEARD) return 'none';
    return plan.follow(packets, backlogPackets, nowMs) ? 'its own' : 'others';
  }

  /** Shortens all that stand at once, where they are to be. */
  shorten(indexes: ClockIndexes): Uint8Array[] {
    const { bend } = this.plan;
    return this.isNew || bend === this.#toldBend ? [] : this.#tell(bend, indexes);
  }

  /** Whether it has to begin with none again before HTB's count turns over. */
  get isWorn(): boolean {
    return !this.isNew && this.plan.units >= MOST_UNITS;
  }

  /** Hands over nothing more until its plan begins again. */
  pause(): void {
    this.plan.pause();
    this.#toldBend = null;
  }

  close(): void {
    this.#spacers.close();
  }

  #tell(bend: number, indexes: ClockIndexes): Uint8Array[] {
    this.#toldBend = bend;
    const { minor, shape } = this.#stream;
    return encodeWholeRate(minor, spacedRate(shape, bend), indexes);
  }
}
