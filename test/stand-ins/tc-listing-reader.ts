// Reads what `tc -s class show` and `qdisc show` print, line by line: recordings, and what the real one prints.
import { CLOCK_HANDLE } from '../../src/core/plan/names.ts';
import type { ListedClass, ListedQdisc, TcListing } from '../../src/core/plan/tc-listing.ts';

/** Called for each class once its counts are read. */
export type OnClass = (classId: string, packets: number, backlogPackets: number) => void;

/** Takes lines as they come; {@link TcListingReader.take} hands over what is complete. */
export class TcListingReader {
  #classes = new Map<string, ListedClass>();
  #qdiscs: ListedQdisc[] = [];
  #open: ListedClass | null = null;
  readonly #onClass: OnClass;

  constructor(onClass: OnClass = () => {}) {
    this.#onClass = onClass;
  }

  push(line: string): void {
    if (this.#begin(line)) return;
    const sent = /^\s+Sent (\d+) bytes (\d+) pkt/.exec(line);
    if (sent && this.#open) {
      this.#open.bytes = Number(sent[1]);
      this.#open.packets = Number(sent[2]);
    }
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
    if (!head && !qdisc) return false;
    this.#open = null;
    if (head) {
      const none = { packets: 0, bytes: 0, backlogPackets: 0 };
      this.#open = { id: head[1]!, leaf: head[2] ?? null, ...none };
      this.#classes.set(this.#open.id, this.#open);
    }
    if (qdisc) {
      this.#qdiscs.push({ kind: qdisc[1]!, handle: qdisc[2]!, parent: qdisc[4] ?? 'root' });
    }
    return true;
  }

  /** Netdevs that were listed: every one has a root. */
  get roots(): number {
    return this.#qdiscs.filter(({ parent }) => parent === 'root').length;
  }

  /** What was listed since the last call. */
  take(): TcListing {
    const listing = split([...this.#classes.values()], this.#qdiscs);
    this.#classes = new Map();
    this.#qdiscs = [];
    this.#open = null;
    return listing;
  }
}

/**
 * What belongs to the clock apart. tc names no netdev, but lists what it is asked for in order: the clock's root, then the
 * queue's. Of one alone that is neither's, the queue's place is taken, which is a fault as well.
 */
function split(classes: readonly ListedClass[], qdiscs: readonly ListedQdisc[]): TcListing {
  const roots = qdiscs.filter(({ parent }) => parent === 'root');
  const clocksRoot =
    roots.length > 1 ? roots[0] : roots.find(({ handle }) => handle === CLOCK_HANDLE);
  const isClocks = (id: string): boolean => id.startsWith(CLOCK_HANDLE);
  const ofClock = {
    classes: classes.filter(({ id }) => isClocks(id)),
    qdiscs: qdiscs.filter((one) => one === clocksRoot || isClocks(one.parent)),
  };
  const ofQueue = {
    classes: classes.filter(({ id }) => !isClocks(id)),
    qdiscs: qdiscs.filter((one) => !ofClock.qdiscs.includes(one)),
  };
  const hasClock = Object.values(ofClock).some(({ length }) => length > 0);
  return hasClock ? { ...ofQueue, clock: ofClock } : ofQueue;
}
