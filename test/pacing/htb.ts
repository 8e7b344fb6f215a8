// A class of HTB that always has packets waiting, with a timer that fires late, driven by a RatePacer as the service does.

import { RatePacer } from '../../src/core/pacing/rate-pacer.ts';
import { burstBytes } from '../../src/core/plan/tc.ts';
import type { Random } from '../../src/core/random/random.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

export interface HtbOptions {
  shape: Shape;
  seconds: number;
  random: Random;
  /** How late the kernel's timer fires, ms. */
  lateMs: () => number;
  /** How late the process is with a change of rate, ms. */
  changeLateMs: () => number;
  /** From when to when nothing leaves at all, ms. */
  stall?: [number, number];
}

export interface HtbRun {
  /** Times of departure, ms. */
  departures: number[];
  /** Rates set, bytes a second, with their times. */
  changes: { atMs: number; bytesPerSecond: number }[];
}

/**
 * Simulates sch_htb.c: tokens are time, filled up to the bucket, and a departing packet is charged with its length over
 * the rate in force at that moment (htb_charge_class).
 */
export function simulateHtb(options: HtbOptions): HtbRun {
  const { shape, random, lateMs, changeLateMs, stall = [-1, -1] } = options;
  const endMs = options.seconds * 1000;
  const pacer = new RatePacer(shape, random, 0);
  const run: HtbRun = { departures: [], changes: [] };
  let bytesPerSecond = Math.round(shape.rateKBps * 1000);
  let tokensMs = 0;
  let filledMs = 0;
  let departMs = 0;
  let changeMs = 0;
  let observeMs = 1000;
  for (;;) {
    const nowMs = Math.min(departMs, changeMs, observeMs);
    if (nowMs >= endMs) return run;
    if (nowMs === departMs) {
      const bucketMs = (burstBytes(bytesPerSecond) / bytesPerSecond) * 1000;
      const slotMs = (shape.packetBytes / bytesPerSecond) * 1000;
      tokensMs = Math.min(bucketMs, tokensMs + nowMs - filledMs) - slotMs;
      filledMs = nowMs;
      run.departures.push(nowMs);
      departMs = nowMs - tokensMs + lateMs();
      if (departMs >= stall[0] && departMs < stall[1]) departMs = stall[1];
      continue;
    }
    if (nowMs === observeMs) {
      pacer.observe(run.departures.length, nowMs);
      observeMs = nowMs + 1000;
    }
    const rate = pacer.step(nowMs);
    if (rate !== null) {
      bytesPerSecond = rate;
      run.changes.push({ atMs: nowMs, bytesPerSecond });
    }
    changeMs =
      pacer.dueMs === Number.POSITIVE_INFINITY ? pacer.dueMs : pacer.dueMs + changeLateMs();
  }
}

export function intervals(departures: readonly number[]): number[] {
  return departures.slice(1).map((atMs, index) => atMs - departures[index]!);
}
