// One queue per device, served by deficit round robin: a camera must not starve a plug.

/** Bounds of what waits; all may be changed while packets wait. */
export interface QueueLimits {
  /** Longest a packet may wait before it is dropped. */
  maxDelayMs: number;
  /** Most bytes one key may have waiting; what comes on top is refused. */
  keyCapBytes: number;
  /** Most bytes all keys together may have waiting; beyond, the fattest queue gives way. */
  totalCapBytes: number;
}

/** Counters of one key, or of all; `packetsIn = packetsOut + droppedLate + droppedFull + depthPackets`. */
export interface QueueCounters {
  /** Offered, whether accepted or refused. */
  packetsIn: number;
  bytesIn: number;
  packetsOut: number;
  bytesOut: number;
  /** Packets that waited longer than maxDelayMs. */
  droppedLate: number;
  /** Packets refused or pushed out because a cap was reached. */
  droppedFull: number;
  /** Sum and maximum of the waits of packets that came out. */
  delaySumMs: number;
  delayMaxMs: number;
  /** Waiting now. */
  depthPackets: number;
  depthBytes: number;
}

export interface DequeuedPacket {
  key: string;
  packet: Uint8Array;
  waitedMs: number;
}

export interface DeviceQueuesOptions extends Partial<QueueLimits> {
  /** Most keys remembered (queues and counters); default 256. */
  maxKeys?: number;
  /** Bytes a key may send before the next key's turn; default 1500. */
  quantumBytes?: number;
}

interface Waiting {
  packet: Uint8Array;
  sinceMs: number;
  next: Waiting | null;
}

interface KeyQueue {
  key: string;
  counters: QueueCounters;
  head: Waiting | null;
  tail: Waiting | null;
  deficitBytes: number;
  next: KeyQueue | null;
}

/** A linked first-in-first-out list of key queues. */
class TurnList {
  head: KeyQueue | null = null;
  #tail: KeyQueue | null = null;

  push(queue: KeyQueue): void {
    queue.next = null;
    if (this.#tail) this.#tail.next = queue;
    else this.head = queue;
    this.#tail = queue;
  }

  shift(): void {
    this.head = this.head?.next ?? null;
    if (!this.head) this.#tail = null;
  }
}

/**
 * Per-key queues with deficit round robin (Shreedhar and Varghese 1995), counted in bytes, and
 * fq_codel's two lists of turns (RFC 8290 §4.2): a key that was idle is served before those that
 * stand in line, for one quantum. So a sparse device waits for little more than the packet in
 * flight, and a busy one cannot gain by pausing: from its first turn it stands in line with all.
 *
 * `nowMs` must come from one monotonic clock. Packets are kept, not copied: don't reuse the array.
 */
export class DeviceQueues {
  readonly #queues = new Map<string, KeyQueue>();
  /** In order of last activity, so that the longest idle key is forgotten first. */
  readonly #counters = new Map<string, QueueCounters>();
  readonly #totals = createCounters();
  readonly #fresh = new TurnList();
  readonly #standing = new TurnList();
  readonly #maxKeys: number;
  readonly #quantumBytes: number;
  #limits: QueueLimits;

  constructor(options: DeviceQueuesOptions = {}) {
    this.#limits = {
      maxDelayMs: options.maxDelayMs ?? 10_000,
      keyCapBytes: options.keyCapBytes ?? 1_000_000,
      totalCapBytes: options.totalCapBytes ?? 8_000_000,
    };
    this.#maxKeys = options.maxKeys ?? 256;
    this.#quantumBytes = options.quantumBytes ?? 1500;
  }

  /** Counters over all keys, forgotten ones included. A live view: don't change it. */
  get totals(): Readonly<QueueCounters> {
    return this.#totals;
  }

  /** Keys that hold queue state now. */
  get activeKeys(): number {
    return this.#queues.size;
  }

  /** Copies of the counters of all remembered keys, longest idle first. */
  countersByKey(): Map<string, QueueCounters> {
    return new Map([...this.#counters].map(([key, counters]) => [key, { ...counters }]));
  }

  /** Applies from now on; packets already accepted are not refused afterwards. */
  setLimits(limits: Partial<QueueLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
  }

  /**
   * Adds a packet to the key's queue. False when it was refused: its key's cap is reached, or the
   * total cap while no other key has more waiting, or all `maxKeys` keys are busy.
   */
  enqueue(key: string, packet: Uint8Array, nowMs: number): boolean {
    const counters = this.#countersOf(key);
    count(this.#totals, counters, 'packetsIn', 1);
    count(this.#totals, counters, 'bytesIn', packet.length);
    if (!counters || !this.#makeRoom(counters, packet.length)) {
      count(this.#totals, counters, 'droppedFull', 1);
      return false;
    }
    const queue = this.#queues.get(key) ?? this.#activate(key, counters);
    const waiting: Waiting = { packet, sinceMs: nowMs, next: null };
    if (queue.tail) queue.tail.next = waiting;
    else queue.head = waiting;
    queue.tail = waiting;
    count(this.#totals, counters, 'depthPackets', 1);
    count(this.#totals, counters, 'depthBytes', packet.length);
    return true;
  }

  /** Takes the next packet whose wait is within maxDelayMs; null when none is left. O(1) amortised. */
  dequeue(nowMs: number): DequeuedPacket | null {
    for (;;) {
      const list = this.#fresh.head ? this.#fresh : this.#standing;
      const queue = list.head;
      if (!queue) return null;
      if (queue.deficitBytes <= 0) {
        queue.deficitBytes += this.#quantumBytes;
        list.shift();
        this.#standing.push(queue);
        continue;
      }
      this.#dropLate(queue, nowMs);
      if (!queue.head) {
        list.shift();
        // A fresh key that ran empty stands in line once before it may be fresh again.
        if (list === this.#fresh && this.#standing.head) this.#standing.push(queue);
        else this.#queues.delete(queue.key);
        continue;
      }
      const { sinceMs } = queue.head;
      const packet = this.#takeHead(queue);
      queue.deficitBytes -= packet.length;
      const waitedMs = nowMs - sinceMs;
      const { counters } = queue;
      count(this.#totals, counters, 'packetsOut', 1);
      count(this.#totals, counters, 'bytesOut', packet.length);
      count(this.#totals, counters, 'delaySumMs', waitedMs);
      counters.delayMaxMs = Math.max(counters.delayMaxMs, waitedMs);
      this.#totals.delayMaxMs = Math.max(this.#totals.delayMaxMs, waitedMs);
      return { key: queue.key, packet, waitedMs };
    }
  }

  /** Whether {@link dequeue} would return a packet now; drops late ones it meets on the way. */
  hasPackets(nowMs: number): boolean {
    for (const list of [this.#fresh, this.#standing]) {
      for (let queue = list.head; queue; queue = queue.next) {
        this.#dropLate(queue, nowMs);
        if (queue.head) return true;
      }
    }
    return false;
  }

  /** Drops every packet that has waited longer than maxDelayMs; returns how many. */
  expire(nowMs: number): number {
    const before = this.#totals.droppedLate;
    for (const queue of this.#queues.values()) this.#dropLate(queue, nowMs);
    // With nothing waiting a turn through both lists only frees the state of idle keys.
    if (this.#totals.depthPackets === 0) this.dequeue(nowMs);
    return this.#totals.droppedLate - before;
  }

  /** How long the oldest waiting packet of any key has waited; 0 when none waits. */
  oldestWaitMs(nowMs: number): number {
    let oldestMs = 0;
    for (const { head } of this.#queues.values()) {
      if (head) oldestMs = Math.max(oldestMs, nowMs - head.sinceMs);
    }
    return oldestMs;
  }

  /** Null when the key is unknown and every remembered key is busy. */
  #countersOf(key: string): QueueCounters | null {
    const known = this.#counters.get(key);
    if (known) return known;
    if (this.#counters.size >= this.#maxKeys) {
      const idle = this.#longestIdleKey();
      if (idle === null) return null;
      this.#counters.delete(idle);
    }
    const counters = createCounters();
    this.#counters.set(key, counters);
    return counters;
  }

  #longestIdleKey(): string | null {
    for (const key of this.#counters.keys()) if (!this.#queues.has(key)) return key;
    return null;
  }

  #activate(key: string, counters: QueueCounters): KeyQueue {
    this.#counters.delete(key);
    this.#counters.set(key, counters);
    const deficitBytes = this.#quantumBytes;
    const queue: KeyQueue = { key, counters, head: null, tail: null, deficitBytes, next: null };
    this.#queues.set(key, queue);
    this.#fresh.push(queue);
    return queue;
  }

  #makeRoom(counters: QueueCounters, bytes: number): boolean {
    const { keyCapBytes, totalCapBytes } = this.#limits;
    if (counters.depthBytes + bytes > keyCapBytes || bytes > totalCapBytes) return false;
    while (this.#totals.depthBytes + bytes > totalCapBytes) {
      let fattest: KeyQueue | null = null;
      for (const queue of this.#queues.values()) {
        if (queue.counters.depthBytes > (fattest?.counters.depthBytes ?? 0)) fattest = queue;
      }
      if (!fattest || fattest.counters.depthBytes <= counters.depthBytes) return false;
      this.#takeHead(fattest);
      count(this.#totals, fattest.counters, 'droppedFull', 1);
    }
    return true;
  }

  #dropLate(queue: KeyQueue, nowMs: number): void {
    while (queue.head && nowMs - queue.head.sinceMs > this.#limits.maxDelayMs) {
      this.#takeHead(queue);
      count(this.#totals, queue.counters, 'droppedLate', 1);
    }
  }

  #takeHead(queue: KeyQueue): Uint8Array {
    const { packet, next } = queue.head!;
    queue.head = next;
    if (!next) queue.tail = null;
    count(this.#totals, queue.counters, 'depthPackets', -1);
    count(this.#totals, queue.counters, 'depthBytes', -packet.length);
    return packet;
  }
}

function createCounters(): QueueCounters {
  return {
    packetsIn: 0,
    bytesIn: 0,
    packetsOut: 0,
    bytesOut: 0,
    droppedLate: 0,
    droppedFull: 0,
    delaySumMs: 0,
    delayMaxMs: 0,
    depthPackets: 0,
    depthBytes: 0,
  };
}

function count(
  totals: QueueCounters,
  counters: QueueCounters | null,
  field: keyof QueueCounters,
  amount: number,
): void {
  totals[field] += amount;
  if (counters) counters[field] += amount;
}
