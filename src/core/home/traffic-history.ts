// The last five minutes, a sample a second, in memory only: a log of activity on disk would be a leak of its own.
import type { HistorySample } from './api.ts';
import { round } from './devices/device-table.ts';

const KEEP = 300;
/** Two readings closer than this make no rate: an interval or two decide it. */
const SHORTEST_MS = 500;

/** What is counted, as totals since the start. */
export interface TrafficTotals {
  uploadDeviceBytes: number;
  downloadDeviceBytes: number;
  uploadPackets: number;
  downloadPackets: number;
  /** While it is not, what leaves the queue reaches no wire. */
  isConnected: boolean;
}

/** Rates between two readings of the totals. */
export interface TrafficRates {
  uploadDeviceKBps: number;
  downloadDeviceKBps: number;
  uploadPps: number;
  downloadPps: number;
}

const NO_TRAFFIC: TrafficRates = {
  uploadDeviceKBps: 0,
  downloadDeviceKBps: 0,
  uploadPps: 0,
  downloadPps: 0,
};

/** Turns totals into rates and keeps samples of them. */
export class TrafficHistory {
  readonly samples: HistorySample[] = [];
  #last: { totals: TrafficTotals; atMs: number } | null = null;
  rates: TrafficRates = { ...NO_TRAFFIC };

  /** Forgets everything: what comes next has nothing to do with what was. */
  clear(): void {
    this.samples.length = 0;
    this.#last = null;
    this.rates = { ...NO_TRAFFIC };
  }

  /** Takes one reading. @param wireBytes of a packet as the provider counts it. */
  push(
    totals: TrafficTotals,
    queueMs: number,
    wireBytes: number,
    nowMs: number,
    unixS: number,
  ): void {
    const last = this.#last;
    if (last && nowMs - last.atMs < SHORTEST_MS) return;
    this.#last = { totals, atMs: nowMs };
    if (!last) return;
    const seconds = (nowMs - last.atMs) / 1000;
    // A counter that was made anew starts below where the old one ended.
    const rate = (name: Exclude<keyof TrafficTotals, 'isConnected'>): number =>
      Math.max(0, totals[name] - last.totals[name]) / seconds;
    this.rates = {
      uploadDeviceKBps: rate('uploadDeviceBytes') / 1000,
      downloadDeviceKBps: rate('downloadDeviceBytes') / 1000,
      uploadPps: totals.isConnected ? rate('uploadPackets') : 0,
      downloadPps: rate('downloadPackets'),
    };
    this.samples.push({
      time: unixS,
      upload_device_kBps: round(this.rates.uploadDeviceKBps),
      download_device_kBps: round(this.rates.downloadDeviceKBps),
      upload_wire_kBps: round((this.rates.uploadPps * wireBytes) / 1000),
      download_wire_kBps: round((this.rates.downloadPps * wireBytes) / 1000),
      queue_ms: Math.round(queueMs),
      upload_pps: round(this.rates.uploadPps),
      download_pps: round(this.rates.downloadPps),
    });
    if (this.samples.length > KEEP) this.samples.shift();
  }
}
