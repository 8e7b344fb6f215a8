// What is listed of the queue and of the clock behind it.

/** One class as listed. */
export interface ListedClass {
  /** `1:10` */
  id: string;
  /** Handle of its leaf, `1010:`, or null without one. */
  leaf: string | null;
  packets: number;
  bytes: number;
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

/** One netdev's queue. */
export interface QueueListing {
  classes: ListedClass[];
  qdiscs: ListedQdisc[];
}

export interface TcListing extends QueueListing {
  /** The queue of the clock behind OpenVPN; left out where none was listed. */
  clock?: QueueListing;
}
