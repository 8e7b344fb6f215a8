// What many tries of one fault come to: the median and the worst.
import type { Fault, Measure } from './measure.ts';

export const HEAD =
  '| fault | tries | in the clear | silence up / down, s | most in 100 ms up / down | beyond what nothing broken makes | well after, s | a device beside answered | held |';

const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '—');

/** `median (worst)`, of figures that are better the smaller they are. */
function spread(values: readonly number[], render: (value: number) => string): string {
  const sorted = [...values].sort((one, other) => one - other);
  return `${render(sorted[sorted.length >> 1]!)} (${render(sorted.at(-1)!)})`;
}

/** One row for all tries of a fault. @param held tries that kept all bounds */
export function summarise(
  { name }: Fault,
  measures: readonly (Measure & { ownMost: number })[],
  held: number,
): string {
  const clear = measures.reduce(
    (sum, { devices, inside }) => sum + devices.length + inside.length,
    0,
  );
  const of = (
    figure: (measure: Measure & { ownMost: number }) => number,
    render = seconds,
  ): string => spread(measures.map(figure), render);
  const whole = (value: number): string => `${value}`;
  // Turned round, since more is better here.
  const answered = spread(
    measures.map(({ answeredShare }) => -answeredShare),
    (value) => `${Math.round(-100 * value)} %`,
  );
  return `| ${[
    name,
    `${measures.length}`,
    `${clear}`,
    `${of(({ up }) => up.silenceS)} / ${of(({ down }) => down.silenceS)}`,
    `${of(({ up }) => up.burst, whole)} / ${of(({ down }) => down.burst, whole)}`,
    of(({ up, down, ownMost }) => Math.max(0, Math.max(up.burst, down.burst) - ownMost), whole),
    of(({ recoveredS }) => recoveredS),
    answered,
    `${held}`,
  ].join(' | ')} |`;
}
