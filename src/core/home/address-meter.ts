// What each device's address sent and received, second by second, in memory only.
import type { QueueCounters } from '../framing/queues.ts';
import type { AddressTraffic } from './devices/device-table.ts';

/** An address that sent something so lately is online. */
const RECENT_MS = 120_000;
/** Seconds with traffic that are kept for a recommendation: an hour of a busy home. */
const KEEP = 20_000;

/** One second of one address; the shape the recommendation reads. */
export interface CounterSample {
  /** When the second began, unix time. */
  timeS: number;
  device: string;
  uploadBytes: number;
  downloadBytes: number;
}

/** What the counters of one inner address said last. */
interface Reading {
  tx: number;
  rx: number;
  dropped: number;
}

/** Addresses that are remembered. */
const MOST_ADDRESSES = 4096;

/** Turns the queues' and the unpacker's counters, by inner address, into rates and totals of devices' own addresses. */
export class AddressMeter {
  readonly samples: CounterSample[] = [];
  readonly #readings = new Map<string, Reading>();
  readonly #traffic = new Map<string, Omit<AddressTraffic, 'recent'> & { seenMs: number }>();
  #atMs: number | null = null;

  /**
   * Takes one reading.
   *
   * @param sent counters of the upload queues.
   * @param received bytes that came down.
   * @param ownerOf whose an inner address is now; what is nobody's alone is counted under the inner address.
   */
  push(
    sent: ReadonlyMap<string, QueueCounters>,
    received: ReadonlyMap<string, number>,
    ownerOf: (inner: string) => string | null,
    nowMs: number,
    unixS: number,
  ): void {
    const seconds = Math.max(0.2, (nowMs - (this.#atMs ?? nowMs - 1000)) / 1000);
    this.#atMs = nowMs;
    // Counted no more, since it was idle for long or the tunnel was closed.
    for (const one of this.#traffic.values()) Object.assign(one, { txKBps: 0, rxKBps: 0 });
    for (const inner of new Set([...this.#readings.keys(), ...sent.keys(), ...received.keys()])) {
      const last = this.#readings.get(inner) ?? { tx: 0, rx: 0, dropped: 0 };
      const queue = sent.get(inner);
      const now = {
        tx: queue?.bytesIn ?? 0,
        rx: received.get(inner) ?? 0,
        dropped: queue ? queue.droppedLate + queue.droppedFull : 0,
      };
      if (sent.has(inner) || received.has(inner)) this.#readings.set(inner, now);
      else this.#readings.delete(inner);
      const uploadBytes = increase(last.tx, now.tx);
      const downloadBytes = increase(last.rx, now.rx);
      const device = ownerOf(inner) ?? inner;
      const traffic = this.#of(device);
      traffic.txBytes += uploadBytes;
      traffic.rxBytes += downloadBytes;
      traffic.txKBps += uploadBytes / 1000 / seconds;
      traffic.rxKBps += downloadBytes / 1000 / seconds;
      traffic.dropped += increase(last.dropped, now.dropped);
      if (uploadBytes > 0) traffic.seenMs = nowMs;
      if (uploadBytes + downloadBytes === 0) continue;
      this.samples.push({ timeS: unixS, device, uploadBytes, downloadBytes });
    }
    if (this.samples.length > KEEP) this.samples.splice(0, this.samples.length - KEEP);
  }

  traffic(nowMs: number): AddressTraffic[] {
    return [...this.#traffic.values()].map(({ seenMs, ...traffic }) => ({
      ...traffic,
      recent: nowMs - seenMs < RECENT_MS,
    }));
  }

  #of(address: string) {
    const known = this.#traffic.get(address);
    if (known) return known;
    if (this.#traffic.size >= MOST_ADDRESSES) {
      const oldest = [...this.#traffic.values()].reduce((a, b) => (b.seenMs < a.seenMs ? b : a));
      this.#traffic.delete(oldest.address);
    }
    const none = { txBytes: 0, rxBytes: 0, txKBps: 0, rxKBps: 0, dropped: 0 };
    const traffic = { address, ...none, seenMs: Number.NEGATIVE_INFINITY };
    this.#traffic.set(address, traffic);
    return traffic;
  }
}

/** A counter that was made anew begins at zero, below where the old one ended. */
function increase(last: number, now: number): number {
  return now < last ? now : now - last;
}
