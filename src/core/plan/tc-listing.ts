// Reads what `tc -s class show` and `tc qdisc show` print, line by line.

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

export interface TcListing {
  classes: ListedClass[];
  qdiscs: ListedQdisc[];
}

/** Takes lines as they come; {@link TcListingReader.take} hands over what is complete. */
export class TcListingReader {
  #classes = new Map<string, ListedClass>();
  #qdiscs: ListedQdisc[] = [];
  #open: ListedClass | null = null;
  readonly #onCount: (classId: string, packets: number) => void;

  /** @param onCount called for each class as soon as its packet count is read. */
  constructor(onCount: (classId: string, packets: number) => void = () => {}) {
    this.#onCount = onCount;
  }

  push(line: string): void {
    const head = /^class htb (\S+) (?:root|parent \S+)(?: leaf (\S+))?/.exec(line);
    if (head) {
      this.#open = { id: head[1]!, leaf: head[2] ?? null, packets: 0, backlogPackets: 0 };
      this.#classes.set(this.#open.id, this.#open);
      return;
    }
    const qdisc = /^qdisc (\S+) (\S+) (?:dev \S+ )?(root|parent (\S+))/.exec(line);
    if (qdisc) {
      this.#open = null;
      this.#qdiscs.push({ kind: qdisc[1]!, handle: qdisc[2]!, parent: qdisc[4] ?? 'root' });
      return;
    }
    if (!this.#open) return;
    const sent = /^ Sent \d+ bytes (\d+) pkt/.exec(line);
    if (sent) {
      this.#open.packets = Number(sent[1]);
      this.#onCount(this.#open.id, this.#open.packets);
    }
    const backlog = /^ backlog \S+ (\d+)p/.exec(line);
    if (backlog) this.#open.backlogPackets = Number(backlog[1]);
  }

  /** Whether the queue's root was listed, of which every netdev has one. */
  get hasRoot(): boolean {
    return this.#qdiscs.some(({ parent }) => parent === 'root');
  }

  /** What was listed since the last call. */
  take(): TcListing {
    const listing = { classes: [...this.#classes.values()], qdiscs: this.#qdiscs };
    this.#classes = new Map();
    this.#qdiscs = [];
    this.#open = null;
    return listing;
  }
}
