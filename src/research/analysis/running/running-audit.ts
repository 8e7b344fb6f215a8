// An audit without end: whether the wire tells what devices do, with one guarantee however often its answer is looked at.
import { mean, variance } from '../../../core/analysis/statistics/sample.ts';
import { drawIndex, type Random } from '../../../core/random/random.ts';
import { Bettors, SymbolTable } from './e-process.ts';
import { featuresDown, featuresUp, type SlotFeature, SlotFinder, thin } from './slots.ts';

/** Some minutes of a wire and of what devices did, in order of time, on one clock. */
export interface RunningBatch {
  upSlotS: Float64Array;
  downSlotS: Float64Array;
  /** When devices sent. */
  sentS: Float64Array;
  /** When devices received. */
  receivedS: Float64Array;
}

export interface RunningOptions {
  random: Random;
  /** How often a stream that depends on nothing may be called a leak, however long it is watched. */
  error?: number;
  /** Moves of a batch's activity; as many more or less only make a batch count more or less. */
  moves?: number;
}

export interface RunningState {
  /** Hours and moments of activity judged. */
  hours: number;
  moments: number;
  /** The wealth of who bet against the null: an e-value, at most 1/error ever but with a chance of `error`. */
  eValue: number;
  /** The hour at which it passed 1/error; null while it has not. */
  foundAtHours: number | null;
  /** What bet best. */
  foundBy: string;
  /**
   * How much later slots leave that carry devices' packets, ms: the estimate, and how far off it may be, at any time, with
   * a chance of `error`. A leak by more would have been seen. Null before two batches.
   */
  shift: { estimateMs: number; withinMs: number } | null;
}

/** Fewer moments of activity are no batch. */
const FEWEST_MOMENTS = 12;
const FEWEST_SLOTS = 1000;

interface Lane {
  tables: SymbolTable[];
  bettors: Bettors[];
  names: string[];
}

/** Its state is what bettors learned: some kilobytes, whatever went by. */
export class RunningAudit {
  readonly #options: Required<RunningOptions>;
  readonly #up: Lane = { tables: [], bettors: [], names: [] };
  readonly #down: Lane = { tables: [], bettors: [], names: [] };
  readonly #shift: ShiftBound;
  #seconds = 0;
  #moments = 0;
  #foundAtHours: number | null = null;
  #foundBy = '';

  constructor(options: RunningOptions) {
    this.#options = { error: 0.01, moves: 199, ...options };
    this.#shift = new ShiftBound(this.#options.error);
  }

  add({ upSlotS, downSlotS, sentS, receivedS }: RunningBatch): void {
    if (upSlotS.length >= FEWEST_SLOTS) {
      const finder = new SlotFinder(upSlotS);
      const times = within(thin(sentS, finder.meanS), upSlotS);
      const features = featuresUp(upSlotS);
      this.#seconds += upSlotS.at(-1)! - upSlotS[0]!;
      const moved = this.#place(times.length, upSlotS.length, (slots) =>
        finder.carryingMoved(times, slots),
      );
      this.#bet(this.#up, 'up', features, moved);
      if (moved) this.#shift.add(features[0]!.values, moved);
      this.#moments += moved ? times.length : 0;
    }
    if (downSlotS.length >= FEWEST_SLOTS) {
      const finder = new SlotFinder(downSlotS);
      const times = within(thin(receivedS, finder.meanS), downSlotS);
      const brought = finder.brought(times);
      const moved = this.#place(times.length, downSlotS.length, (slots) =>
        finder.broughtMoved(brought, slots),
      );
      this.#bet(this.#down, 'down', featuresDown(downSlotS), moved);
    }
    this.#note();
  }

  state(): RunningState {
    return {
      hours: this.#seconds / 3600,
      moments: this.#moments,
      eValue: this.#eValue(),
      foundAtHours: this.#foundAtHours,
      foundBy: this.#foundBy,
      shift: this.#shift.bound(),
    };
  }

  /** As it was, then as it might have been; null where there is too little activity. */
  #place(
    moments: number,
    slots: number,
    moveBy: (slots: number) => Int32Array,
  ): Int32Array[] | null {
    if (moments < FEWEST_MOMENTS) return null;
    const { random, moves } = this.#options;
    const all = [moveBy(0)];
    for (let i = 0; i < moves; i++) all.push(moveBy(1 + drawIndex(random, slots - 1)));
    return all;
  }

  #bet(
    lane: Lane,
    way: string,
    features: readonly SlotFeature[],
    placed: Int32Array[] | null,
  ): void {
    features.forEach(({ name, values }, f) => {
      lane.tables[f] ??= new SymbolTable();
      lane.bettors[f] ??= new Bettors();
      lane.names[f] ??= `${name}, ${way}`;
      const symbols = lane.tables[f].encode(values);
      if (symbols && placed) {
        const [observed, ...moved] = placed;
        lane.bettors[f].bet({ symbols, observed: observed!, moved }, lane.tables[f].values);
      }
      lane.tables[f].learn(values);
    });
  }

  /** Of each feature; the mean over all bettors is a martingale as each is. */
  #wealths(): { name: string; wealths: number[] }[] {
    return [this.#up, this.#down].flatMap(({ bettors, names }) =>
      bettors.map(({ wealths }, f) => ({ name: names[f]!, wealths })),
    );
  }

  #eValue(): number {
    const all = this.#wealths().flatMap(({ wealths }) => wealths);
    return all.length === 0 ? 1 : mean(all);
  }

  /** Once passed it stays passed: that is what the guarantee is of. */
  #note(): void {
    if (this.#foundAtHours !== null || this.#eValue() < 1 / this.#options.error) return;
    this.#foundAtHours = this.#seconds / 3600;
    this.#foundBy = this.#wealths().reduce((a, b) =>
      mean(b.wealths) > mean(a.wealths) ? b : a,
    ).name;
  }
}

/** From the first slot to the last. */
function within(timesS: Float64Array, slotS: Float64Array): Float64Array {
  return timesS.filter((timeS) => timeS >= slotS[0]! && timeS < slotS.at(-1)!);
}

/** A confidence sequence for the mean shift: a normal mixture (Robbins 1970) over batches weighted by what each is worth. */
class ShiftBound {
  readonly #error: number;
  #weighted = 0;
  #weight = 0;
  #batches = 0;
  #prior = 0;

  constructor(error: number) {
    this.#error = error;
  }

  add(values: Float64Array, [observed, ...moved]: readonly Int32Array[]): void {
    const meanAt = (places: Int32Array) => {
      let [sum, count] = [0, 0];
      for (const place of places) {
        const value = values[place] ?? Number.NaN;
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
      return sum / count;
    };
    const means = Float64Array.from(moved, meanAt);
    const square = variance(means);
    if (!(square > 0)) return;
    const weight = 1 / square;
    this.#weighted += weight * (meanAt(observed!) - mean(means));
    this.#weight += weight;
    this.#batches++;
    // Fixed before what it is used for: narrowest after some hours.
    if (this.#batches === 1) this.#prior = 30 * weight;
  }

  bound(): { estimateMs: number; withinMs: number } | null {
    if (this.#batches < 2) return null;
    const [weight, prior] = [this.#weight, this.#prior];
    const withinMs = Math.sqrt(
      (2 * (weight + prior) * Math.log(Math.sqrt((weight + prior) / prior) / this.#error)) /
        weight ** 2,
    );
    return { estimateMs: this.#weighted / weight, withinMs };
  }
}
