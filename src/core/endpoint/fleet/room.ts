// Whether the other endpoints of a fleet have room for the homes of one that is to be drained. Pure.
import { isMore, type Load, leftOf, mostSlots } from '../admission/admission.ts';
import {
  type Capacity,
  capacityOf,
  type LimitBook,
  limitsOf,
  withLimits,
} from '../admission/limits.ts';

export interface LeavingHome extends Load {
  name: string;
}

/** One that takes homes, with what those have that it serves already. */
export interface TakingEndpoint extends Load {
  name: string;
  /** Null where it has not told of them. */
  cores: number | null;
}

/** What would be missing. */
export interface Shortage {
  /** Those that find no room. */
  homes: readonly string[];
  /** What all have together that are to leave. */
  leaving: Load;
  /** What is left at each of the others. */
  left: readonly (Capacity & { name: string })[];
  /** What each machine would have to carry so that all find room; null where that is not what is missing. */
  enough: Capacity;
}

/** Those who may have to leave, who may take them, and what holds. */
export interface Leave {
  leaving: readonly LeavingHome[];
  others: readonly TakingEndpoint[];
  book: LimitBook;
  /** How many the fleet has. */
  homes: number;
}

/** One of the others while homes are given to it. */
interface Place {
  name: string;
  capacity: Capacity;
  taken: Load[];
}

/** @returns null where all find room */
export function findShortage(leave: Leave): Shortage | null {
  const { leaving } = leave;
  const without = give(leave, placesOf(leave));
  if (without.length === 0) return null;
  return {
    homes: leaving.filter((home) => without.includes(home)).map(({ name }) => name),
    leaving: { slots: sumOf(leaving, 'slots'), kBps: sumOf(leaving, 'kBps') },
    left: placesOf(leave).map((place) => ({ name: place.name, ...leftAt(place) })),
    enough: findEnough(leave),
  };
}

function placesOf({ others, book, homes }: Leave): Place[] {
  return others.map(({ name, cores, slots, kBps }) => ({
    ...{ name, capacity: capacityOf({ ...book, cores }, homes), taken: [{ slots, kBps }] },
  }));
}

/**
 * Has the largest homes go first, each to whoever has the most room: where not even that is enough, it is not by chance.
 *
 * @returns those that find none
 */
function give({ leaving, book, homes }: Leave, places: readonly Place[]): LeavingHome[] {
  return leaving
    .toSorted((one, other) => other.slots - one.slots)
    .filter((home) => {
      const limits = limitsOf(book, home.name);
      const place = byRoom(places).find((one) => {
        const { capacity } = one;
        const left = leftAt(one);
        // Whoever has a figure of its own may have that wherever there is room for it.
        const most =
          limits.slots === null ? mostSlots({ limits, capacity, isAlone: homes === 1 }) : null;
        const isOver = isMore(home.slots, left.slots) || isMore(home.kBps, left.kBps);
        return !isOver && !isMore(home.slots, most);
      });
      place?.taken.push(home);
      return !place;
    });
}

/** What each machine would have to carry: as much more as those need that find no room; where they would not all find it, what all need. */
function findEnough(leave: Leave): Capacity {
  const places = placesOf(leave);
  const whole = enoughFor(leave, places, leave.leaving);
  const few = enoughFor(leave, places, give(leave, places));
  const changes = Object.entries(few).filter(([, figure]) => figure !== null);
  const book = withLimits(leave.book, 'machine', Object.fromEntries(changes));
  return give({ ...leave, book }, placesOf({ ...leave, book })).length === 0 ? few : whole;
}

/** So that the emptiest takes these; null where it may already. It holds for each machine, and none is to have less by it. */
function enoughFor(
  { book, homes }: Leave,
  places: readonly Place[],
  these: readonly LeavingHome[],
): Capacity {
  const [emptiest] = byRoom(places);
  const halved = these.filter(({ name }) => homes > 1 && limitsOf(book, name).slots === null);
  const least = { slots: 2 * Math.max(0, ...halved.map(({ slots }) => slots)), kBps: 0 };
  const enough = (figure: keyof Load): number | null => {
    const has = emptiest?.capacity[figure] ?? null;
    if (has === null) return null;
    const needed = Math.ceil(
      Math.max(least[figure], sumOf([...emptiest!.taken, ...these], figure)),
    );
    const most = Math.max(...places.map(({ capacity }) => capacity[figure] ?? 0));
    return needed > has ? Math.max(needed, most) : null;
  };
  return { slots: enough('slots'), kBps: enough('kBps') };
}

/** Whoever has the most room first. */
function byRoom(places: readonly Place[]): Place[] {
  const roomAt = (place: Place): number => leftAt(place).slots ?? Number.MAX_VALUE;
  return places.toSorted((one, other) => roomAt(other) - roomAt(one));
}

function leftAt({ capacity, taken }: Place): Capacity {
  return leftOf(capacity, taken);
}

export function sumOf(loads: readonly Load[], figure: keyof Load): number {
  return loads.reduce((sum, one) => sum + one[figure], 0);
}
