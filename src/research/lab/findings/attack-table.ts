// What the attack got out of each lab run, as cells of a table.
import type { Interval } from '../../../core/analysis/statistics/auc-interval.ts';
import { type AttackFigures, RATE_WINDOW_S, TOLERANCE_S } from './attack.ts';

/** One figure of every run: what it is, and a cell a run. */
export interface TableRow {
  name: string;
  cells: string[];
}

/** Least AUC that would have been found, from which on a run says something of activity: a shorter one finds anything. */
const TELLING_AUC = 0.75;

/** Whether a run was long enough that what the audit found of activity is more than chance. */
export function tellsActivity({ visibleAuc }: AttackFigures): boolean {
  return visibleAuc !== null && visibleAuc <= TELLING_AUC;
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
    row('events found (by chance)', ({ events }) =>
      events ? `${events.hits} of ${events.events} (${events.chanceHits.toFixed(0)})` : '–',
    ),
    row('false alarms', ({ events }) => (events ? `${events.found - events.hits}` : '–')),
    ...(attacks.some(tellsActivity)
      ? [
          row('activity AUC (95 %)', ({ auc }) => intervalText(auc)),
          row('AUC that would show', ({ visibleAuc }) => visibleAuc?.toFixed(2) ?? '–'),
          row('audit’s verdict', ({ verdict }) => verdict ?? '–'),
        ]
      : []),
  ];
}

/** What those names mean, a sentence each. */
export function attackNotes(attacks: readonly AttackFigures[]): string[] {
  return [...nameNotes, attacks.some(tellsActivity) ? activityNote : shortNote];
}

const nameNotes: readonly string[] = [
  'Named by DNS: devices whose servers’ names were asked for in the clear.',
  `Named by rates: 3 nearest neighbours on mean and deviation of the rates in windows of ${RATE_WINDOW_S} s, cross-validated within the run; in a tunnel a window belongs to the device that said most. A device counts as named when most of its windows were told right, and better than by always guessing the commonest.`,
  `Events: bursts found within ${TOLERANCE_S} s of what happened; by chance: how many as many alarms at random moments would find.`,
];

const activityNote =
  'Activity AUC: how often a random forest ranks an active second (or a busier one, where devices hardly rest) above an idle one: 0.50 is guessing, and below it is no better. What would show is the least AUC that a run so short tells from guessing; where that is high the audit says “too short”.';

const shortNote =
  'Whether anything happens at all, at any moment, takes minutes to tell where events do not show by themselves: give devices 300 s and more (--seconds), and run "iotshaper lab observe" on what they left.';

function intervalText(auc: Interval | null): string {
  return auc ? `${auc.value.toFixed(2)} (${auc.low.toFixed(2)}–${auc.high.toFixed(2)})` : '–';
}

function ofTotal(count: number, total: number): string {
  return `${count} of ${total}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
