// Lists of counts, as narrow as what they hold.

/** Counts; whole ones in two or four bytes each. */
export type Counts = Uint16Array | Uint32Array | Float64Array;

/** A list that can hold one more value: the same, or a wider one of the same counts. */
export function roomFor(counts: Counts, value: number): Counts {
  if (counts instanceof Float64Array) return counts;
  if (value !== Math.floor(value) || value > 0xffff_ffff) return Float64Array.from(counts);
  if (counts instanceof Uint16Array && value > 0xffff) return Uint32Array.from(counts);
  return counts;
}
