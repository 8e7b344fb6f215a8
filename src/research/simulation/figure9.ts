// The paper's Figure 9: rates at which each device still worked, and what a trace waits at them.

import type { Trace } from '../../shell/simulation/trace.ts';
import type { DeviceId } from '../devices/catalogue.ts';
import { type SimulationResult, simulate } from './simulate.ts';
import { defaultVariantOptions, variantOf } from './variants.ts';

/** Rates of one device in the paper, KB/s. */
export interface ToleratedRate {
  id: DeviceId;
  uploadKBps: number;
  downloadKBps: number;
}

/**
 * Lowest rates at which devices behaved as their users expect: Figure 9 of Apthorpe et al. 2017, which
 * gives upload and download apart. The text of its §7.3 does not agree with the figure throughout.
 */
export const toleratedRates: readonly ToleratedRate[] = [
  { id: 'echo', uploadKBps: 10, downloadKBps: 10 },
  { id: 'wemo-switch', uploadKBps: 5, downloadKBps: 2.5 },
  { id: 'orvibo-socket', uploadKBps: 0.25, downloadKBps: 0.25 },
  { id: 'tp-link-plug', uploadKBps: 0.5, downloadKBps: 0.5 },
  { id: 'nest-cam', uploadKBps: 10, downloadKBps: 10 },
  { id: 'amcrest', uploadKBps: 35, downloadKBps: 2.5 },
  { id: 'sense', uploadKBps: 2.5, downloadKBps: 2.5 },
];

/** One device's trace at the paper's rates, shaped as in the paper and as here. */
export interface ToleranceRow extends ToleratedRate {
  padded: SimulationResult;
  packed: SimulationResult;
}

/** Simulates one device's trace at its rates in the paper, in packets of 512 bytes. */
export async function simulateTolerance(
  rate: ToleratedRate,
  trace: Trace,
  seed: number,
): Promise<ToleranceRow> {
  const { uploadKBps, downloadKBps } = rate;
  const options = { ...defaultVariantOptions, uploadKBps, downloadKBps, maxDelayMs: Infinity };
  const variants = [variantOf('padded-vit', options), variantOf('packed-vit', options)];
  const [padded, packed] = await simulate(trace, variants, { seed });
  return { ...rate, padded: padded!, packed: packed! };
}
