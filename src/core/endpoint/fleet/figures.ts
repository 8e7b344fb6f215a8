// What an endpoint's status says over time: how often homes came again, what a month and a day add up to. Pure.

/** One home as the service's status has it. */
export interface ServedHome {
  name: string;
  online: boolean;
  packet_size: number;
  slots_asked_per_s: number;
  slots_sent_per_s: number | null;
  queue_ms: number;
  dropped: number;
}

/** What devices' packets added up to in a day of UTC, over all homes. */
export interface DayTotals {
  droppedPackets: number;
  longestWaitMs: number;
}

/** Bytes of slots that were sent to a home in a month and are not written down yet. */
export interface Usage {
  home: string;
  /** Its first day, such as `2026-11-01`. */
  month: string;
  bytes: number;
}

interface Known {
  online: boolean;
  dropped: number;
  /** How often it came again after it had been gone. */
  reconnects: number;
  wasThere: boolean;
}

/** A look that comes later than this tells nothing of the time since the one before. */
const LONGEST_GAP_MS = 60_000;

/** Grows with each look at the status. */
export class EndpointFigures {
  readonly #known = new Map<string, Known>();
  readonly #usage = new Map<string, Usage>();
  #homes: readonly ServedHome[] = [];
  #looked: { monotonicMs: number; day: string } | null = null;
  #today: DayTotals | null = null;
  #lastDay: DayTotals | null = null;

  /** As they were when they were looked at last. */
  get homes(): readonly ServedHome[] {
    return this.#homes;
  }

  /** The last day that was seen from its beginning to its end; null before there was one. */
  get lastDay(): DayTotals | null {
    return this.#lastDay;
  }

  reconnectsOf(name: string): number {
    return this.#known.get(name)?.reconnects ?? 0;
  }

  /** Takes what was looked at. */
  note(homes: readonly ServedHome[], now: { monotonicMs: number; unixMs: number }): void {
    const date = new Date(now.unixMs).toISOString();
    const day = date.slice(0, 10);
    if (this.#looked && this.#looked.day !== day) {
      this.#lastDay = this.#today;
      this.#today = { droppedPackets: 0, longestWaitMs: 0 };
    }
    const gapMs = this.#looked ? now.monotonicMs - this.#looked.monotonicMs : 0;
    for (const home of homes) this.#noteHome(home, gapMs, `${day.slice(0, 7)}-01`);
    for (const name of this.#known.keys()) {
      if (!homes.some((home) => home.name === name)) this.#known.delete(name);
    }
    this.#homes = homes;
    this.#looked = { monotonicMs: now.monotonicMs, day };
  }

  /** What was added up since it was taken last. */
  takeUsage(): Usage[] {
    const taken = [...this.#usage.values()].filter(({ bytes }) => Math.round(bytes) > 0);
    this.#usage.clear();
    return taken.map((one) => ({ ...one, bytes: Math.round(one.bytes) }));
  }

  /** What could not be written down is added up further. */
  giveBack(usage: readonly Usage[]): void {
    for (const { home, month, bytes } of usage) this.#add(home, month, bytes);
  }

  #noteHome(home: ServedHome, gapMs: number, month: string): void {
    const { name, online, dropped, queue_ms: waitMs } = home;
    const before = this.#known.get(name);
    const comes = online && before?.online === false;
    this.#known.set(name, {
      ...{ online, dropped, wasThere: before?.wasThere === true || online },
      reconnects: (before?.reconnects ?? 0) + (comes && before.wasThere ? 1 : 0),
    });
    // The count begins anew with each connection.
    const more = dropped - (before && dropped >= before.dropped ? before.dropped : 0);
    if (this.#today) {
      this.#today.droppedPackets += before ? more : 0;
      this.#today.longestWaitMs = Math.max(this.#today.longestWaitMs, waitMs);
    }
    if (!online || !before?.online || gapMs > LONGEST_GAP_MS) return;
    const bytes = ((home.slots_sent_per_s ?? 0) * home.packet_size * gapMs) / 1000;
    this.#add(name, month, bytes);
  }

  #add(home: string, month: string, bytes: number): void {
    const key = `${month} ${home}`;
    const known = this.#usage.get(key)?.bytes ?? 0;
    this.#usage.set(key, { home, month, bytes: known + bytes });
  }
}
