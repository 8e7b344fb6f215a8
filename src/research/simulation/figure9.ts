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

/** One device's trace at the paper's rates, shaped as in the paper, as here, and as here at the best. */
export interface ToleranceRow extends ToleratedRate {
  padded: SimulationResult;
  packed: SimulationResult;
  ideal: SimulationResult;
}

/** Simulates one device's trace at its rates in the paper, in packets of 512 bytes. */
export async function simulateTolerance(
  rate: ToleratedRate,
  trace: Trace,
  seed: number,
): Promise<ToleranceRow> {
  const { uploadKBps, downloadKBps } = rate;
  const options = { ...defaultVariantOptions, uploadKBps, downloadKBps, maxDelayMs: Infinity };
  const names = ['padded-vit', 'packed-vit', 'packed-ideal'] as const;
  const variants = names.map((name) => variantOf(name, options));
  const [padded, packed, ideal] = await simulate(trace, variants, { seed });
  return { ...rate, padded: padded!, packed: packed!, ideal: ideal! };
}
