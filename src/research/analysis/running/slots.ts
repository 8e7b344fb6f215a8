// A wire's slots of one direction, what is remarkable of each, and on which of them activity falls.

/** How many slots the longer of two looks ahead spans. */
const SPAN = 16;

export interface SlotFeature {
  name: string;
  values: Float64Array;
}

/**
 * Of what leaves the home: the interval that a device's packet falls into, the one after, and how long the next sixteen
 * take. Moved in time, a packet falls into a longer interval as much likelier as it was.
 */
export function featuresUp(slotS: Float64Array): SlotFeature[] {
  return [
    { name: 'interval before', values: spans(slotS, -1, 0) },
    { name: 'interval after', values: spans(slotS, 0, 1) },
    { name: 'sixteen after', values: spans(slotS, 0, SPAN) },
  ];
}

/**
 * Of what comes: from the slot after the one that brought a packet on. That one was likelier one after a long interval,
 * as more falls into those, and the next, with a constant schedule, is the shorter for it: neither is a leak, neither is judged.
 */
export function featuresDown(slotS: Float64Array): SlotFeature[] {
  return [
    { name: 'second interval after', values: spans(slotS, 1, 2) },
    { name: 'sixteen after the next', values: spans(slotS, 1, 1 + SPAN) },
  ];
}

/** Milliseconds between two slots counted from each; NaN where there is one missing. */
function spans(slotS: Float64Array, from: number, to: number): Float64Array {
  const values = new Float64Array(slotS.length).fill(Number.NaN);
  const last = slotS.length - Math.max(0, to);
  for (let k = Math.max(0, -from); k < last; k++) {
    values[k] = 1000 * (slotS[k + to]! - slotS[k + from]!);
  }
  return values;
}

/** Finds slots by time, many at once. */
export class SlotFinder {
  readonly #slotS: Float64Array;
  readonly #first: Int32Array;
  readonly #startS: number;
  readonly meanS: number;

  constructor(slotS: Float64Array) {
    this.#slotS = slotS;
    this.#startS = slotS[0]!;
    const spanS = slotS[slotS.length - 1]! - this.#startS;
    this.meanS = spanS / (slotS.length - 1);
    this.#first = new Int32Array(slotS.length + 1);
    for (let bucket = 0, k = 0; bucket < this.#first.length; bucket++) {
      while (k < slotS.length && slotS[k]! < this.#startS + bucket * this.meanS) k++;
      this.#first[bucket] = k;
    }
  }

  /** The first slot not before a time. */
  at(timeS: number): number {
    const bucket = Math.floor((timeS - this.#startS) / this.meanS);
    if (bucket < 0) return 0;
    let k = this.#first[Math.min(bucket, this.#first.length - 1)]!;
    while (k < this.#slotS.length && this.#slotS[k]! < timeS) k++;
    return k;
  }

  /** Slots that carry what devices sent at these times, moved by so many mean intervals around the batch. */
  carryingMoved(timesS: Float64Array, moveSlots: number): Int32Array {
    const lengthS = this.#slotS.length * this.meanS;
    const moveS = moveSlots * this.meanS;
    const places = new Int32Array(timesS.length);
    for (let i = 0; i < timesS.length; i++) {
      let offsetS = timesS[i]! - this.#startS + moveS;
      if (offsetS >= lengthS) offsetS -= lengthS;
      places[i] = this.at(this.#startS + offsetS);
    }
    return places;
  }

  /** Slots that brought what devices received at these times, moved by so many slots around the batch. */
  broughtMoved(brought: Int32Array, moveSlots: number): Int32Array {
    const n = this.#slotS.length;
    return brought.map((place) => (place + moveSlots) % n);
  }

  /** The last slot before each time. */
  brought(timesS: Float64Array): Int32Array {
    return Int32Array.from(timesS, (timeS) => Math.max(0, this.at(timeS) - 1));
  }
}

/** Moments at least so far apart: what comes at once is carried at once, and is one. */
export function thin(timesS: Float64Array, apartS: number): Float64Array {
  let last = Number.NEGATIVE_INFINITY;
  return timesS.filter((timeS) => {
    if (timeS - last < apartS) return false;
    last = timeS;
    return true;
  });
}
