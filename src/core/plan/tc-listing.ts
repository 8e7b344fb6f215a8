// Reads what `tc -s class show`, `qdisc show` and `filter show` print of the queue and the clock behind it, line by line.
import { CLOCK_HANDLE } from './names.ts';

/** One class as listed. */
export interface ListedClass {
  /** `1:10` */
  id: string;
  /** Handle of its leaf, `1010:`, or null without one. */
  leaf: string | null;
  packets: number;
  /** Packets waiting. */
  backlogPackets: number;
}

/** One qdisc as listed. */
export interface ListedQdisc {
  kind: string;
  handle: string;
  /** `root`, or the class it is the leaf of. */
  parent: string;
}

/** One filter as listed. */
export interface ListedFilter {
  preference: number;
  /** Words of the packet it compares, as tc prints them. */
  matches: string[];
  /** Netdev it sends packets to; null where it sends them nowhere, `*` where that netdev is gone. */
  target: string | null;
  /** Packets it has taken. */
  packets: number;
}

/** The clock behind OpenVPN: its own queue, and the filters of the netdev that leads out. */
export interface ClockListing {
  classes: ListedClass[];
  qdiscs: ListedQdisc[];
  filters: ListedFilter[];
}

export interface TcListing {
  classes: ListedClass[];
  qdiscs: ListedQdisc[];
  /** Left out where none was listed. */
  clock?: ClockListing;
}

/** Called for each class once its counts are read. */
export type OnClass = (classId: string, packets: number, backlogPackets: number) => void;

/** Takes lines as they come; {@link TcListingReader.take} hands over what is complete. */
export class TcListingReader {
  #classes = new Map<string, ListedClass>();
  #qdiscs: ListedQdisc[] = [];
  #filters: ListedFilter[] = [];
  #open: ListedClass | null = null;
  #filter: ListedFilter | null = null;
  readonly #onClass: OnClass;

  constructor(onClass: OnClass = () => {}) {
    this.#onClass = onClass;
  }

  push(line: string): void {
    if (this.#begin(line)) return;
    const sent = /^\s+Sent \d+ bytes (\d+) pkt/.exec(line);
    if (sent && this.#filter) this.#filter.packets = Number(sent[1]);
    if (sent && this.#open) this.#open.packets = Number(sent[1]);
    const match = /^ {2}match (\S+ at \d+)/.exec(line);
    if (match) this.#filter?.matches.push(match[1]!);
    const target = /^\taction order 1: mirred \(Egress Redirect to device (\S+)\) stolen/.exec(
      line,
    );
    if (target && this.#filter) this.#filter.target = target[1]!;
    const backlog = /^ backlog \S+ (\d+)p/.exec(line);
    if (!backlog || !this.#open) return;
    this.#open.backlogPackets = Number(backlog[1]);
    const { id, packets, backlogPackets } = this.#open;
    this.#onClass(id, packets, backlogPackets);
  }

  /** Whether a line begins something new. */
  #begin(line: string): boolean {
    const head = /^class htb (\S+) (?:root|parent \S+)(?: leaf (\S+))?/.exec(line);
    const qdisc = /^qdisc (\S+) (\S+) (?:dev \S+ )?(root|parent (\S+))/.exec(line);
    const filter = /^filter .*?pref (\d+) .* fh \S+ order /.exec(line);
    if (!head && !qdisc && !/^filter /.test(line)) return false;
    this.#open = null;
    this.#filter = null;
    if (head) {
      this.#open = { id: head[1]!, leaf: head[2] ?? null, packets: 0, backlogPackets: 0 };
      this.#classes.set(this.#open.id, this.#open);
    }
    if (qdisc) {
      this.#qdiscs.push({ kind: qdisc[1]!, handle: qdisc[2]!, parent: qdisc[4] ?? 'root' });
    }
    if (filter) {
      this.#filter = { preference: Number(filter[1]), matches: [], target: null, packets: 0 };
      this.#filters.push(this.#filter);
    }
    return true;
  }

  /** Netdevs that were listed: every one has a root. */
  get roots(): number {
    return this.#qdiscs.filter(({ parent }) => parent === 'root').length;
  }

  /** What was listed since the last call. */
  take(): TcListing {
    const listing = split([...this.#classes.values()], this.#qdiscs, this.#filters);
    this.#classes = new Map();
    this.#qdiscs = [];
    this.#filters = [];
    this.#open = null;
    this.#filter = null;
    return listing;
  }
}

/**
 * What belongs to the clock apart. tc names no netdev, but lists what it is asked for in order: the clock's root, then the
 * queue's. Of one alone that is neither's, the queue's place is taken, which is a fault as well.
 */
function split(
  classes: readonly ListedClass[],
  qdiscs: readonly ListedQdisc[],
  filters: ListedFilter[],
): TcListing {
  const roots = qdiscs.filter(({ parent }) => parent === 'root');
  const clocksRoot =
    roots.length > 1 ? roots[0] : roots.find(({ handle }) => handle === CLOCK_HANDLE);
  const isClocks = (id: string): boolean => id.startsWith(CLOCK_HANDLE);
  const ofClock = {
    classes: classes.filter(({ id }) => isClocks(id)),
    qdiscs: qdiscs.filter((one) => one === clocksRoot || isClocks(one.parent)),
    filters,
  };
  const ofQueue = {
    classes: classes.filter(({ id }) => !isClocks(id)),
    qdiscs: qdiscs.filter((one) => !ofClock.qdiscs.includes(one)),
  };
  const hasClock = Object.values(ofClock).some(({ length }) => length > 0);
  return hasClock ? { ...ofQueue, clock: ofClock } : ofQueue;
}
