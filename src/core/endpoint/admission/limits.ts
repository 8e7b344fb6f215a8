// What the server's administrator allows: each home, those that have nothing of their own, and all together. Read from a file. Pure.
import { type Bounds, isWithin, rateBounds } from '../../stream/stream.ts';

/** What a home may have at most; null for as much as it likes. */
export interface Limits {
  /** KB/s of its stream, down and up. */
  downKBps: number | null;
  upKBps: number | null;
  /** Packets a second, each way. */
  slots: number | null;
  /** GB in a month as the server's provider counts them, both ways together. */
  monthGB: number | null;
}

/** What all homes that are there may have together, each way; null for as much as they like. */
export interface Capacity {
  kBps: number | null;
  slots: number | null;
}

/** As it is kept. What a home does not have of its own is as usual, and what is not said there either has no limit. */
export interface LimitBook {
  usual: Partial<Limits>;
  /** Slots that are not said are reckoned. */
  machine: Partial<Capacity>;
  /** By name. */
  homes: Readonly<Record<string, Partial<Limits>>>;
  /** Of the machine; null where they could not be counted. Not kept. */
  cores: number | null;
}

export const NO_LIMITS: LimitBook = { usual: {}, machine: {}, homes: {}, cores: null };

export const slotBounds: Bounds = { least: 1, most: 100_000, unit: 'packets a second' };
export const monthBounds: Bounds = { least: 0.1, most: 1_000_000, unit: 'GB a month' };
export const machineRateBounds: Bounds = { least: 1, most: 1_000_000, unit: 'KB/s' };

/**
 * What a core is reckoned to carry each way: a hundred homes at 40 KB/s (78 slots a second each) got theirs on two cores, of which they
 * took 0.4, and as many homes on the same machine 0.2. So more than half is left to what else the server does, to slower cores than
 * those, and to devices, of which those homes had none.
 */
export const SLOTS_A_CORE = 4000;
/**
 * On however many cores: OpenVPN is one process, which fills a core of its own with some 27,000, going by the same measurement. Of
 * that 0.6 are given away.
 */
export const MOST_SLOTS = 16_000;

const NONE: Limits = { downKBps: null, upKBps: null, slots: null, monthGB: null };

/** What holds for a home. */
export function limitsOf({ usual, homes }: LimitBook, name: string): Limits {
  return { ...NONE, ...usual, ...homes[name] };
}

/** @param homes that there are: with only one nothing is reckoned, since there is nobody to leave anything to. */
export function capacityOf({ machine, cores }: LimitBook, homes: number): Capacity {
  const reckoned = cores === null || homes < 2 ? null : Math.min(cores * SLOTS_A_CORE, MOST_SLOTS);
  return { kBps: null, slots: reckoned, ...machine };
}

/** Which of them is meant: a home's, those of all others, the machine's. */
export type LimitTarget = { home: string } | 'usual' | 'machine';

/** With some that are others: null for no limit, undefined for none of its own. */
export function withLimits(
  book: LimitBook,
  target: LimitTarget,
  changes: Partial<Limits & Capacity>,
): LimitBook {
  const changed = <T extends object>(before: T | undefined): T =>
    Object.fromEntries(
      Object.entries({ ...before, ...changes }).filter(([, value]) => value !== undefined),
    ) as T;
  if (target === 'usual') return { ...book, usual: changed(book.usual) };
  if (target === 'machine') return { ...book, machine: changed(book.machine) };
  const { home } = target;
  return { ...book, homes: { ...book.homes, [home]: changed(book.homes[home]) } };
}

/** Without those of a home that is none any more. */
export function withoutHome(book: LimitBook, name: string): LimitBook {
  const { [name]: _, ...homes } = book.homes;
  return { ...book, homes };
}

const limitBounds: Readonly<Record<string, Bounds>> = {
  ...{ downKBps: rateBounds, upKBps: rateBounds, slots: slotBounds, monthGB: monthBounds },
};
const capacityBounds: Readonly<Record<string, Bounds>> = {
  ...{ kBps: machineRateBounds, slots: slotBounds },
};

/** As a file has it; null where that is damaged. */
export function readLimitBook(value: unknown): LimitBook | null {
  if (!isRecord(value)) return null;
  const { usual = {}, machine = {}, homes = {} } = value;
  const isSound =
    isEach(usual, limitBounds) &&
    isEach(machine, capacityBounds) &&
    isRecord(homes) &&
    Object.values(homes).every((own) => isEach(own, limitBounds));
  return isSound ? ({ ...NO_LIMITS, usual, machine, homes } as LimitBook) : null;
}

/** As it is kept. */
export function renderLimitBook({ cores: _, ...kept }: LimitBook): string {
  return `${JSON.stringify(kept, null, 2)}\n`;
}

function isEach(value: unknown, bounds: Readonly<Record<string, Bounds>>): boolean {
  if (!isRecord(value)) return false;
  return Object.entries(value).every(([name, one]) => {
    const own = Object.hasOwn(bounds, name) ? bounds[name] : undefined;
    return own !== undefined && (one === null || isWithin(one, own));
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
