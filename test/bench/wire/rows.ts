// The conditions under which the provider's line is looked at, a row each.
import type { Variant } from '../../../src/research/lab/options.ts';

export interface Row {
  name: string;
  /** Labs that stand side by side. */
  variants: readonly Variant[];
  /** What `lab run` is told besides. */
  words: readonly string[];
  /** Other work has all cores for 2 s in every 4. */
  coresBusy?: boolean;
}

/** How long devices are idle or active at a time. */
export const TURN_S = 5;

const RATES = [40, 100, 400, 1000];
const BESIDE_PLACEBO: readonly Variant[] = ['vit', 'placebo'];

function row(name: string, ...words: string[]): Row {
  return { name, variants: BESIDE_PLACEBO, words };
}

export const rows: readonly Row[] = [
  ...RATES.map((rate) => row(`idle-${rate}`, '--rate', `${rate}`)),
  ...RATES.map((rate) => ({ ...row(`busy-${rate}`, '--rate', `${rate}`), coresBusy: true })),
  ...[40, 400].map((rate) => row(`step-${rate}`, '--rate', `${rate}`, '--busy-router')),
  row('bytes-256', '--packet-size', '256'),
  row('bytes-1400', '--packet-size', '1400'),
  row('tiny', '--load', 'tiny'),
  row('camera', '--load', 'camera'),
  row('crowd', '--load', 'crowd'),
  { name: 'modes', variants: ['constant', 'paper'], words: [] },
];
