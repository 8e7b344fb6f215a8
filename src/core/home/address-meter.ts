// What each inner address sent and received, second by second, in memory only.
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

interface Reading {
  tx: number;
  rx: number;
  txKBps: number;
  rxKBps: number;
  seenMs: number;
  dropped: number;
}

/** Turns the queues' and the unpacker's counters into rates per address. */
export class AddressMeter {
  readonly samples: CounterSample[] = [];
  readonly #readings = new Map<string, Reading>();
  #atMs: number | null = null;

  /** Takes one reading. @param sent counters of the upload queues. @param received bytes that came down. */
  push(
    sent: ReadonlyMap<string, QueueCounters>,
    received: ReadonlyMap<string, number>,
    nowMs: number,
    unixS: number,
  ): void {
    const seconds = Math.max(0.2, (nowMs - (this.#atMs ?? nowMs - 1000)) / 1000);
    this.#atMs = nowMs;
    const addresses = new Set([...sent.keys(), ...received.keys()]);
    for (const [address, reading] of this.#readings) {
      // Counted no more, since it was idle for long or the tunnel was closed.
      if (!addresses.has(address)) Object.assign(reading, { txKBps: 0, rxKBps: 0 });
    }
    for (const address of addresses) {
      const last = this.#readings.get(address);
      const queue = sent.get(address);
      const tx = queue?.bytesIn ?? 0;
      const rx = received.get(address) ?? 0;
      // A counter that was made anew begins below where the old one ended.
      const uploadBytes = Math.max(0, tx - (last?.tx ?? 0));
      const downloadBytes = Math.max(0, rx - (last?.rx ?? 0));
      this.#readings.set(address, {
        tx,
        rx,
        txKBps: uploadBytes / 1000 / seconds,
        rxKBps: downloadBytes / 1000 / seconds,
        seenMs: uploadBytes > 0 ? nowMs : (last?.seenMs ?? Number.NEGATIVE_INFINITY),
        dropped: queue ? queue.droppedLate + queue.droppedFull : 0,
      });
      if (uploadBytes + downloadBytes === 0) continue;
      this.samples.push({ timeS: unixS, device: address, uploadBytes, downloadBytes });
    }
    if (this.samples.length > KEEP) this.samples.splice(0, this.samples.length - KEEP);
  }

  traffic(nowMs: number): AddressTraffic[] {
    return [...this.#readings].map(([address, { tx, rx, txKBps, rxKBps, seenMs, dropped }]) => ({
      address,
      txBytes: tx,
      rxBytes: rx,
      txKBps,
      rxKBps,
      dropped,
      recent: nowMs - seenMs < RECENT_MS,
    }));
  }
}
