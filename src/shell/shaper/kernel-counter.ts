// What has left the tunnel's netdev, beside what may: what cover goes by.
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { classBytesPerSecond } from '../../core/plan/tc.ts';
import type { Shape } from '../../core/stream/stream.ts';
import { openNetdevCounter } from '../network/netdev.ts';
import type { Counter, System } from '../system/system.ts';
import type { KernelCount } from './cover.ts';
import type { RunningStream } from './running-stream.ts';

/** All cover that asks within so long is told the same of what leaves: what that costs does not grow with homes. */
const COUNTED_MS = 1;
/** Longer than what an ended stream left behind takes, and how much of its rate that is at most. */
const ENDED_MS = 4000;
const ENDED_SHARE = 2;

export class KernelCounter {
  readonly #system: System;
  readonly #sentBytes: Counter;
  /** Streams whose cover stands in classes of theirs that stay. */
  #ended: { shape: Shape; untilMs: number }[] = [];
  #counted: KernelCount = { atMs: -COUNTED_MS, sentBytes: null, bytesPerS: 0 };

  constructor(system: System) {
    this.#system = system;
    this.#sentBytes = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_bytes');
  }

  /** What stands there of a stream that has ended leaves yet, at the rate drawn last. */
  end(shape: Shape): void {
    this.#ended.push({ shape, untilMs: this.#system.clock.monotonicMs() + ENDED_MS });
  }

  /** What has left, and what all these streams together are let send, with what is left of others. */
  read(streams: Iterable<RunningStream>): KernelCount {
    const atMs = this.#system.clock.monotonicMs();
    if (atMs - this.#counted.atMs < COUNTED_MS) return this.#counted;
    this.#ended = this.#ended.filter(({ untilMs }) => atMs < untilMs);
    let bytesPerS = 0;
    for (const { stream } of streams) bytesPerS += classBytesPerSecond(stream.shape);
    for (const { shape } of this.#ended) bytesPerS += ENDED_SHARE * classBytesPerSecond(shape);
    this.#counted = { atMs, sentBytes: this.#sentBytes.read(), bytesPerS };
    return this.#counted;
  }

  close(): void {
    this.#sentBytes.close();
  }
}
