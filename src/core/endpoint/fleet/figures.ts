// What an endpoint's status says over time: how often homes came again, what a day adds up to. Pure.
import { type Load, loadOf } from '../admission/admission.ts';

/** One home as the service's status has it. */
export interface ServedHome {
  name: string;
  online: boolean;
  /** Of its stream down; both 0 while it has none. */
  download_kBps: number;
  packet_size: number;
  slots_asked_per_s: number;
  slots_sent_per_s: number | null;
  queue_ms: number;
  dropped: number;
}

/** What a home has, by the status. */
export function loadOfServed({
  download_kBps: rateKBps,
  packet_size: packetBytes,
}: ServedHome): Load {
  return rateKBps > 0 ? loadOf({ rateKBps, packetBytes }) : { slots: 0, kBps: 0 };
}

/** What devices' packets added up to in a day of UTC, over all homes. */
export interface DayTotals {
  droppedPackets: number;
  longestWaitMs: number;
}

interface Known {
  online: boolean;
  dropped: number;
  /** How often it came again after it had been gone. */
  reconnects: number;
  wasThere: boolean;
}

/** Grows with each look at the status. */
export class EndpointFigures {
  readonly #known = new Map<string, Known>();
  #homes: readonly ServedHome[] = [];
  /** The day of the last look. */
  #day: string | null = null;
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
  note(homes: readonly ServedHome[], unixMs: number): void {
    const day = new Date(unixMs).toISOString().slice(0, 10);
    if (this.#day !== null && this.#day !== day) {
      this.#lastDay = this.#today;
      this.#today = { droppedPackets: 0, longestWaitMs: 0 };
    }
    this.#day = day;
    for (const home of homes) this.#noteHome(home);
    for (const name of this.#known.keys()) {
      if (!homes.some((home) => home.name === name)) this.#known.delete(name);
    }
    this.#homes = homes;
  }

  #noteHome({ name, online, dropped, queue_ms: waitMs }: ServedHome): void {
    const before = this.#known.get(name);
    const comes = online && before?.online === false;
    this.#known.set(name, {
      ...{ online, dropped, wasThere: before?.wasThere === true || online },
      reconnects: (before?.reconnects ?? 0) + (comes && before.wasThere ? 1 : 0),
    });
    if (!this.#today) return;
    // The count begins anew with each connection.
    const more = dropped - (before && dropped >= before.dropped ? before.dropped : 0);
    this.#today.droppedPackets += before ? more : 0;
    this.#today.longestWaitMs = Math.max(this.#today.longestWaitMs, waitMs);
  }
}
