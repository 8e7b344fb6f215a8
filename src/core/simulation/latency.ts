// Counts delays of any number of packets in a fixed few kilobytes.

const SMALLEST_MS = 1e-3;
const LARGEST_MS = 1e9;
const GROWTH = 1.01;
const SCALE = 1 / Math.log(GROWTH);
const BINS = Math.ceil(Math.log(LARGEST_MS / SMALLEST_MS) * SCALE) + 2;

/** Delays in short. Minimum, mean and maximum are exact, quantiles within 0.5 %. */
export interface LatencySummary {
  packets: number;
  minMs: number;
  meanMs: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/**
 * Histogram of delays with bins 1 % wide from 1 µs to 11 days: quantiles are the geometric middle of
 * their bin, so at most 0.5 % off (below 1 µs: 0); mean and maximum are kept exactly.
 */
export class LatencyHistogram {
  readonly #bins = new Float64Array(BINS);
  #packets = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  add(delayMs: number): void {
    this.#packets++;
    this.#sumMs += delayMs;
    if (delayMs < this.#minMs) this.#minMs = delayMs;
    if (delayMs > this.#maxMs) this.#maxMs = delayMs;
    this.#bins[binOf(delayMs)]!++;
  }

  /** Adds every delay of another histogram. */
  merge(other: LatencyHistogram): void {
    this.#packets += other.#packets;
    this.#sumMs += other.#sumMs;
    this.#minMs = Math.min(this.#minMs, other.#minMs);
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
    other.#bins.forEach((count, bin) => {
      this.#bins[bin]! += count;
    });
  }

  get packets(): number {
    return this.#packets;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get meanMs(): number {
    return this.#packets === 0 ? 0 : this.#sumMs / this.#packets;
  }

  /** The delay that the share `q` (0…1) of packets did not exceed; 0 without packets. */
  quantileMs(q: number): number {
    const rank = q * this.#packets;
    let seen = 0;
    for (let bin = 0; bin < BINS; bin++) {
      seen += this.#bins[bin]!;
      if (seen >= rank && seen > 0) {
        if (bin === 0) return 0;
        return Math.min(SMALLEST_MS * GROWTH ** (bin - 0.5), this.#maxMs);
      }
    }
    return 0;
  }

  summary(): LatencySummary {
    return {
      packets: this.#packets,
      minMs: this.#packets === 0 ? 0 : this.#minMs,
      meanMs: this.meanMs,
      p50Ms: this.quantileMs(0.5),
      p99Ms: this.quantileMs(0.99),
      maxMs: this.#maxMs,
    };
  }
}

function binOf(delayMs: number): number {
  if (!(delayMs >= SMALLEST_MS)) return 0;
  return Math.min(BINS - 1, 1 + Math.floor(Math.log(delayMs / SMALLEST_MS) * SCALE));
}
