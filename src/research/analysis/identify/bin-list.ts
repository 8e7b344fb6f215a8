// Bins with traffic in order of time, in blocks: a list that grows by copying holds everything twice when it does.

import { type Counts, roomFor } from './counts.ts';

const FIRST_BLOCK = 16;
const LARGEST_BLOCK = 8192;
const LARGEST_OFFSET = 2 ** 31 - 1;

interface Block {
  /** Place of its first bin among all. */
  place: number;
  /** Number of its first bin; the others are told by how far they are from it. */
  base: number;
  offsets: Counts;
  up: Counts;
  down: Counts;
  length: number;
}

/** Reads bins one after the other; behind the last, `bin` is infinite. */
export interface BinCursor {
  readonly bin: number;
  readonly up: number;
  readonly down: number;
  /** How many bins are before this one. */
  readonly place: number;
  step: () => void;
  /** Adds to the bytes of this bin. */
  add: (up: number, down: number) => void;
}

/** Numbers of bins, ascending, and the bytes up and down in each. */
export class BinList {
  readonly #blocks: Block[] = [];
  #length = 0;
  #last = Number.NEGATIVE_INFINITY;

  get length(): number {
    return this.#length;
  }

  /** The last bin; minus infinity where there is none. */
  get last(): number {
    return this.#last;
  }

  /** Adds a bin behind all others. */
  push(bin: number, up: number, down: number): void {
    let block = this.#blocks.at(-1);
    if (
      block === undefined ||
      block.length === block.offsets.length ||
      bin - block.base > LARGEST_OFFSET
    ) {
      block = this.#open(bin);
    }
    block.offsets = roomFor(block.offsets, bin - block.base);
    block.offsets[block.length++] = bin - block.base;
    addTo(block, block.length - 1, up, down);
    this.#length++;
    this.#last = bin;
  }

  /** Adds to the bytes of the last bin. */
  addToLast(up: number, down: number): void {
    const block = this.#blocks.at(-1)!;
    addTo(block, block.length - 1, up, down);
  }

  /** The first bin that is not before `bin`; infinite where there is none. */
  next(bin: number): number {
    const at = this.#blockOf(bin);
    const block = this.#blocks[at];
    const place = block ? placeIn(block, bin) : 0;
    if (block && place < block.length) return block.base + block.offsets[place]!;
    return this.#blocks[at + 1]?.base ?? Number.POSITIVE_INFINITY;
  }

  /** Hands over the bins from `from` up to, not including, `to`: for many short looks, which a cursor each would be much for. */
  visit(from: number, to: number, take: (bin: number, up: number, down: number) => void): void {
    const blocks = this.#blocks;
    for (let at = this.#blockOf(from); at < blocks.length; at++) {
      const block = blocks[at]!;
      for (let i = placeIn(block, from); i < block.length; i++) {
        const bin = block.base + block.offsets[i]!;
        if (bin >= to) return;
        take(bin, block.up[i]!, block.down[i]!);
      }
    }
  }

  /** From the first bin that is not before `bin`. */
  cursor(bin = Number.NEGATIVE_INFINITY): BinCursor {
    const blocks = this.#blocks;
    let at = this.#blockOf(bin);
    let block = blocks[at];
    let i = block ? placeIn(block, bin) : 0;
    const settle = (): void => {
      if (block === undefined || i < block.length) return;
      block = blocks[++at];
      i = 0;
    };
    settle();
    return {
      get bin() {
        return block ? block.base + block.offsets[i]! : Number.POSITIVE_INFINITY;
      },
      get up() {
        return block!.up[i]!;
      },
      get down() {
        return block!.down[i]!;
      },
      get place() {
        const last = blocks.at(-1);
        return block ? block.place + i : last ? last.place + last.length : 0;
      },
      step: () => {
        i++;
        settle();
      },
      add: (up, down) => addTo(block!, i, up, down),
    };
  }

  /** Number of the last block that begins with `bin` or before; of the first where none does. */
  #blockOf(bin: number): number {
    const blocks = this.#blocks;
    return Math.max(0, firstWhere(blocks.length, (k) => blocks[k]!.base > bin) - 1);
  }

  #open(bin: number): Block {
    const before = this.#blocks.at(-1)?.offsets.length ?? FIRST_BLOCK / 2;
    const size = Math.min(LARGEST_BLOCK, 2 * before);
    const block = {
      place: this.#length,
      base: bin,
      offsets: new Uint16Array(size),
      up: new Uint16Array(size),
      down: new Uint16Array(size),
      length: 0,
    };
    this.#blocks.push(block);
    return block;
  }
}

function addTo(block: Block, at: number, up: number, down: number): void {
  if (up !== 0) {
    const sum = block.up[at]! + up;
    block.up = roomFor(block.up, sum);
    block.up[at] = sum;
  }
  if (down !== 0) {
    const sum = block.down[at]! + down;
    block.down = roomFor(block.down, sum);
    block.down[at] = sum;
  }
}

/** The first place in a block that is not before `bin`; its length where all are. */
function placeIn({ base, offsets, length }: Block, bin: number): number {
  return firstWhere(length, (k) => base + offsets[k]! >= bin);
}

/** The first of `count` places from which on a condition holds; `count` where it never does. */
function firstWhere(count: number, holds: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
