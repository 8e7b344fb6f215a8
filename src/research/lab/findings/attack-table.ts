// What the attack got out of each lab run, as cells of a table.
import type { Interval } from '../../../core/analysis/statistics/auc-interval.ts';
import { type AttackFigures, RATE_WINDOW_S, TOLERANCE_S } from './attack.ts';

/** One figure of every run: what it is, and a cell a run. */
export interface TableRow {
  name: string;
  cells: string[];
}

export function attackRows(attacks: readonly AttackFigures[]): TableRow[] {
  const row = (name: string, cell: (attack: AttackFigures) => string): TableRow => ({
    name,
    cells: attacks.map(cell),
  });
  return [
    row('devices named by DNS', ({ namedByDns, devices }) =>
      ofTotal(namedByDns.length, devices.length),
    ),
    row('devices named by rates', ({ byRates, devices }) =>
      byRates ? ofTotal(byRates.named.length, devices.length) : '–',
    ),
    row('windows named right (guessing)', ({ byRates }) =>
      byRates
        ? `${percent(byRates.validation.accuracy)} (${percent(byRates.validation.baseline)})`
        : '–',
    ),
    row('events found', ({ events }) =>
      events ? `${events.hits} of ${events.events}, ${events.found - events.hits} false` : '–',
    ),
    row('events, F1', ({ events }) => (events ? events.f1.toFixed(2) : '–')),
    row('activity AUC (95 %)', ({ auc }) => intervalText(auc)),
    row('AUC that would show', ({ visibleAuc }) => visibleAuc?.toFixed(2) ?? '–'),
    row('audit’s verdict', ({ verdict }) => verdict ?? '–'),
  ];
}

/** What those names mean, a sentence each. */
export const attackNotes: readonly string[] = [
  'Named by DNS: devices whose servers’ names were asked for in the clear.',
  `Named by rates: 3 nearest neighbours on mean and deviation of the rates in windows of ${RATE_WINDOW_S} s, cross-validated within the run; in a tunnel a window belongs to the device that said most. A device counts as named when most of its windows were told right, and better than by always guessing the commonest.`,
  `Events: bursts found within ${TOLERANCE_S} s of what happened; F1 is 1 when all were found and nothing else. Some are hit by chance.`,
  'Activity AUC: how often a random forest ranks an active second (or a busier one, where devices hardly rest) above an idle one: 0.50 is guessing, and below it is no better. What would show is the least AUC that a run so short tells from guessing; where that is high the audit says “too short”.',
];

function intervalText(auc: Interval | null): string {
  return auc ? `${auc.value.toFixed(2)} (${auc.low.toFixed(2)}–${auc.high.toFixed(2)})` : '–';
}

function ofTotal(count: number, total: number): string {
  return `${count} of ${total}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
