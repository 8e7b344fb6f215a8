// The paper's Figure 9: rates at which each device still worked, and what a trace waits at them.

import {
  type ToleratedRate as PaperRate,
  toleratedRates as paperRates,
} from '../../core/cost/tolerated-rates.ts';
import type { Trace } from '../../shell/simulation/trace.ts';
import type { DeviceId } from '../devices/catalogue.ts';
import { type SimulationResult, simulate } from './simulate.ts';
import { defaultVariantOptions, variantOf } from './variants.ts';

/** Rates of one device in the paper, KB/s. */
export type ToleratedRate = PaperRate & { id: DeviceId };

export const toleratedRates: readonly ToleratedRate[] = paperRates;

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
