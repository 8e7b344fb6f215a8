// The strongest observer we have, trained on the defended traffic itself: whether anything happened, and which device it was.

import { FEWEST_WINDOWS, labelWindows } from '../../../core/analysis/audit-activity.ts';
import { testWindows, type WindowFigures } from '../../../core/analysis/audit-windows.ts';
import type { Interval } from '../../../core/analysis/statistics/auc-interval.ts';
import { renderRows } from '../../../core/plot/text-table.ts';
import { type DeviceFigures, testDevices } from '../../analysis/audit-devices.ts';
import { type NextInterval, testNextInterval } from '../../analysis/next-interval.ts';
import type { Delay } from '../traffic/traffic-log.ts';
import type { Turns } from '../traffic/turns.ts';
import { type AttackInput, activityByDevice, wireWithin } from './attack.ts';
import type { Direction, HomePacket } from './observation.ts';
import { labelByTurns } from './stretches.ts';
import { underline } from './table.ts';

const PERMUTATIONS = 1999;

export interface ObserverOptions {
  /** Lengths of window. */
  windowsS: readonly number[];
  permutations?: number;
  seed: number;
}

/** What windows of one length tell. */
export interface ObservedWindows {
  windowS: number;
  windows: number;
  /** Null with too few windows of either kind. */
  activity: {
    figures: WindowFigures;
    /** Chance of so high an AUC of the forest, taken alone. */
    forestP: number;
    /** Chance of anything as far out among all features and classifiers. */
    anyP: number;
  } | null;
  devices: DeviceFigures;
}

/** What is looked at of a run; `turns` where its devices were active by turns. */
export type Observed = Pick<AttackInput, 'startS' | 'endS' | 'wire' | 'home'> & {
  turns?: Turns | null;
};

/** Asks every question of one run. */
export function observeRun(run: Observed, options: ObserverOptions): ObservedWindows[] {
  const { startS } = run;
  const { permutations = PERMUTATIONS, seed } = options;
  const packets = wireWithin(run);
  const byDevice = activityByDevice(activityWithin(run));
  return observeActivity(run, options).map((observed) => ({
    ...observed,
    devices: testDevices(packets, byDevice, { ...observed, startS, permutations, seed }),
  }));
}

/** Asks whether anything happened, and not which device it was. */
export function observeActivity(
  run: Observed,
  { windowsS, permutations = PERMUTATIONS, seed }: ObserverOptions,
): Omit<ObservedWindows, 'devices'>[] {
  const { startS, endS, turns } = run;
  const packets = wireWithin(run);
  const activity = activityWithin(run);
  return windowsS.map((windowS) => {
    const windows = Math.floor((endS - startS) / windowS);
    const place = { startS, windowS, windows };
    // What the tunnel hands to devices follows the wire; their turns do not.
    const labels = turns ? labelByTurns(turns, place) : labelWindows(activity, place);
    const enough = Math.min(labels.active, labels.idle) >= FEWEST_WINDOWS;
    const tested = enough
      ? testWindows(packets, { startS, windowS, labels, permutations, level: 0.01, seed })
      : null;
    return {
      windowS,
      windows,
      activity: tested && {
        figures: tested.figures,
        forestP: tested.tests.results.find(({ name }) => name === 'forest')?.pValue ?? 1,
        anyP: Math.min(...tested.tests.results.map(({ adjustedP }) => adjustedP)),
      },
    };
  });
}

function activityWithin({ startS, endS, home }: Observed): HomePacket[] {
  return home
    .filter(({ timeS }) => timeS >= startS && timeS < endS)
    .sort((a, b) => a.timeS - b.timeS);
}

/**
 * Asks of each direction whether the intervals after devices' messages differ; null where they said too little. What they said unprompted: what answers
 * a packet follows the stream that brought it, and in the lab both streams stall together, as both ends share a core.
 */
export function observeNext(
  { startS, endS, wire }: Pick<AttackInput, 'startS' | 'endS' | 'wire'>,
  messages: readonly Pick<Delay, 'timeS' | 'direction'>[],
  seed: number,
): Record<Direction, NextInterval | null> {
  const saidS = messages.filter(({ direction }) => direction === 'up').map(({ timeS }) => timeS);
  const tested = (direction: Direction) =>
    testNextInterval(
      wire[direction].map(({ timeS }) => timeS).filter((timeS) => timeS >= startS && timeS < endS),
      saidS,
      { startS, endS, seed },
    );
  return { up: tested('up'), down: tested('down') };
}

/** One run's answers under its name. */
export interface ObservedRun {
  name: string;
  windows: ObservedWindows[];
  next?: Record<Direction, NextInterval | null>;
}

/** Runs side by side; with a placebo among them, what each has beyond it. */
export function renderObserver(runs: readonly ObservedRun[]): string {
  const placebo = runs.find(({ name }) => name === 'placebo');
  const lengths = runs[0]?.windows.map(({ windowS }) => windowS) ?? [];
  const rows = lengths.flatMap((windowS, k) => {
    const row = (what: string, cell: (windows: ObservedWindows, run: ObservedRun) => string) => [
      `${windowS} s`,
      what,
      ...runs.map((run) => cell(run.windows[k]!, run)),
    ];
    const base = placebo?.windows[k]?.activity?.figures.forest;
    return [
      row('windows active/idle', ({ activity }) =>
        activity ? `${activity.figures.active}/${activity.figures.idle}` : 'too few',
      ),
      row('activity AUC (95 %)', ({ activity }) => intervalText(activity?.figures.forest)),
      ...(base
        ? [
            row('  beyond the placebo’s (95 %)', ({ activity }, run) =>
              run === placebo ? '–' : beyond(activity?.figures.forest, base),
            ),
          ]
        : []),
      row('  p of the forest / of any test', ({ activity }) =>
        activity ? `${pText(activity.forestP)} / ${pText(activity.anyP)}` : '–',
      ),
      row('information, bits (95 % of chance)', ({ activity }) => {
        if (!activity) return '–';
        const { bits, nullHighBits } = activity.figures.information;
        return `${bits.toPrecision(2)} (${nullHighBits.toPrecision(2)})`;
      }),
      row('best told device: AUC (95 %)', ({ devices }) => intervalText(devices.devices[0]?.auc)),
      row('  which, p of it among all', ({ devices }) => {
        const least = [...devices.devices].sort((a, b) => a.adjustedP - b.adjustedP)[0];
        return least ? `${least.device}, ${pText(least.adjustedP)}` : '–';
      }),
      row('windows named right (chance)', ({ devices: { named } }) =>
        named ? `${percent(named.right, named)} (${percent(named.chance, named)})` : '–',
      ),
      row('  p of that', ({ devices: { named } }) => (named ? pText(named.pValue) : '–')),
    ];
  });
  for (const direction of ['up', 'down'] as const) {
    if (!runs.some(({ next }) => next?.[direction])) continue;
    const row = (what: string, cell: (next: NextInterval) => string) =>
      rows.push([
        'next',
        what,
        ...runs.map(({ next }) => (next?.[direction] ? cell(next[direction]) : '–')),
      ]);
    row(
      `interval after a message, ${direction}: gap (95 % of chance)`,
      ({ gap, nullHigh }) => `${gap.toFixed(3)} (${nullHigh.toFixed(3)})`,
    );
    row('  which after it, p among those tried', ({ lag, pValue }) => `${lag}., ${pText(pValue)}`);
  }
  const titles = ['window', '', ...runs.map(({ name }) => name)];
  return `${underline(renderRows([titles, ...rows], 2))}${notes.map((note) => `${note}\n`).join('')}`;
}

const notes: readonly string[] = [
  'Activity: a random forest on counts, sizes, quantiles, autocorrelation, entropy and spectrum of the intervals, trained on this very traffic and judged on stretches it has not seen: how often it ranks an active window above an idle one (where hardly one is idle: a busier above a quieter). 0.50 is guessing.',
  'p: how often chance alone does as well. Information: the most that one feature shares with activity, and what 95 of 100 draws of chance stay below.',
  'Interval after a message: from the slot that leaves next after a device began to say something to the one after that, or some slots later; the largest gap between its distribution and that of all others. Not the interval in which the device began, which is a long one more often, whatever the stream.',
  'Best told device: the same question asked of each device’s own activity. Windows named right: called after the device that said most in them.',
];

/** Difference of two independent runs' AUCs with its 95 % interval, the errors taken from their own intervals. */
function beyond(own: Interval | null | undefined, base: Interval): string {
  if (!own) return '–';
  const half = Math.hypot(own.high - own.low, base.high - base.low) / 2;
  const difference = own.value - base.value;
  return `${signed(difference)} (${signed(difference - half)} to ${signed(difference + half)})`;
}

function intervalText(auc: Interval | null | undefined): string {
  return auc ? `${auc.value.toFixed(2)} (${auc.low.toFixed(2)}–${auc.high.toFixed(2)})` : '–';
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
}

function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(p < 0.1 ? 3 : 2);
}

function percent(count: number, { windows }: { windows: number }): string {
  return `${((100 * count) / windows).toFixed(1)} %`;
}
