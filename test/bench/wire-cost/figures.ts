// Makes figures of what was read: which is compared with what, and what each is to be.

import type { Memory } from '../process-memory.ts';
import type { DelayRow, Played } from './devices.ts';
import type { Exactness } from './exactness.ts';
import { meanOf, type Reading, sumOf, type Use, useBetween } from './process-costs.ts';
import { type Figure, figure } from './report.ts';

/** What one rate showed. */
export interface Shown {
  rateKBps: number;
  load: number;
  /** Readings at the ends of the parts, of each process family. */
  readings: Record<'home' | 'endpoint' | 'plainHome' | 'plainEndpoint', Reading[]>;
  /** Packets a second that plain OpenVPN carried. */
  plainPps: { up: number; down: number };
  memory: { home: Map<string, Memory>; endpoint: Map<string, Memory> };
  exactness: Exactness[];
  captureDropped: number;
  delays: DelayRow[];
  goodput: Played['arrivedKBps'] | null;
  /** What the home said whenever it held devices. */
  holds: readonly string[];
}

/** Times plain OpenVPN's processor time that the home may take, by rate. */
const HOME_CPU: Readonly<Record<number, number>> = { 40: 2, 400: 1.5 };
const PROPORTIONAL_MB = 30;
const RATE_PERCENT = 0.2;
const SD_PERCENT = 2;
const DELAY_TIMES = 1.1;
const SHAPES_S = 3;

const ENDS = [
  { name: 'home', own: 'home', plain: 'plainHome' },
  { name: 'endpoint', own: 'endpoint', plain: 'plainEndpoint' },
] as const;

/** Use in each part of a run. Switches of a child that was replaced within a part are lost. */
function usesOf(readings: readonly Reading[]): { whole: Map<string, Use>; parts: Use[] } {
  const each = readings.slice(1).map((after, index) => useBetween(readings[index]!, after));
  return { whole: meanOf(each), parts: each.map(sumOf) };
}

export function costFigures({ readings, rateKBps }: Shown): Figure[] {
  return ENDS.flatMap(({ name, own, plain }) => {
    const [mine, theirs] = [usesOf(readings[own]), usesOf(readings[plain])];
    const compare = (what: string, unit: string, of: (use: Use) => number): Figure => {
      const ratios = mine.parts.map((use, index) => of(use) / of(theirs.parts[index]!));
      return figure({
        ...{ rateKBps, what, unit, value: of(sumOf(mine.whole)), against: 'plain OpenVPN' },
        comparison: of(sumOf(theirs.whole)),
        spread: [Math.min(...ratios), Math.max(...ratios)],
      });
    };
    const most = name === 'home' ? HOME_CPU[rateKBps] : undefined;
    return [
      {
        ...compare(`CPU, ${name}`, 's a minute', ({ secondsAMinute }) => secondsAMinute),
        goal: most === undefined ? null : { of: 'ratio' as const, most },
      },
      compare(`wake-ups, ${name}`, 'a second', ({ switchesPerS }) => switchesPerS),
    ];
  });
}

/** All of one rate that no figure stands for, by process. */
export function detailsOf({ rateKBps, load, readings, memory, plainPps, holds, ...rest }: Shown) {
  const ends = ENDS.map(({ name, own, plain }) => [
    name,
    {
      uses: Object.fromEntries(usesOf(readings[own]).whole),
      plain: Object.fromEntries(usesOf(readings[plain]).whole),
      memory: Object.fromEntries(memory[name]),
    },
  ]);
  const { captureDropped, exactness, delays } = rest;
  return {
    ...{ rateKBps, load, plainPps, holds, captureDropped, exactness, delays },
    ends: Object.fromEntries(ends),
  };
}

/** Processor time and wake-ups of both ends by process, for the eye. */
export function splitLines({
  readings,
  memory,
  plainPps,
  load,
  exactness,
  captureDropped,
  holds,
}: Shown): string[] {
  const lines = [
    `  load ${load.toFixed(1)}; plain OpenVPN carried ${plainPps.up.toFixed(1)} packets a second up, ${plainPps.down.toFixed(1)} down`,
    `  ${exactness.map(({ slots, direction }) => `${slots} slots ${direction}`).join(', ')}, sizes ${exactness.map(({ sizes }) => sizes.join('/')).join(' and ')}, ${exactness[0]!.outside} packets beside the tunnel, ${captureDropped} missed by the capture`,
    `  devices were held ${holds.length} times${holds.map((line) => `\n    ${line}`).join('')}`,
  ];
  for (const { name, own } of ENDS) {
    const { whole } = usesOf(readings[own]);
    const sorted = [...whole].sort(
      ([, one], [, other]) => other.secondsAMinute - one.secondsAMinute,
    );
    const cost = sorted.map(
      ([part, { secondsAMinute, switchesPerS, waitedMsPerS }]) =>
        `${part} ${secondsAMinute.toFixed(2)} s, ${switchesPerS.toFixed(1)}/s, ${waitedMsPerS.toFixed(0)} ms/s`,
    );
    lines.push(`  ${name}, CPU a minute, wake-ups, waited for a processor: ${cost.join('; ')}`);
    const kept = [...memory[name]].map(
      ([part, { residentMB, proportionalMB, privateMB }]) =>
        `${part} ${residentMB.toFixed(1)} / ${proportionalMB.toFixed(1)} / ${privateMB.toFixed(1)}`,
    );
    lines.push(`  ${name}, MB resident / proportional / private: ${kept.join('; ')}`);
  }
  return lines;
}

export function memoryFigures({ memory, rateKBps }: Shown): Figure[] {
  return ENDS.flatMap(({ name }) => {
    const all = [...memory[name].values()];
    const sum = (of: (one: Memory) => number): number =>
      all.reduce((total, one) => total + of(one), 0);
    const one = { rateKBps, unit: 'MB' };
    return [
      figure({
        ...{ ...one, what: `memory, ${name}, proportional`, against: 'resident' },
        value: sum(({ proportionalMB }) => proportionalMB),
        comparison: sum(({ residentMB }) => residentMB),
        ...(name === 'home' && { goal: { of: 'value', most: PROPORTIONAL_MB } }),
      }),
      figure({
        ...{ ...one, what: `memory, ${name}, its own alone`, against: '' },
        value: sum(({ privateMB }) => privateMB),
      }),
    ];
  });
}

export function exactnessFigures(all: readonly Exactness[], rateKBps: number): Figure[] {
  return all.flatMap((one) => {
    const { direction, ratePercent, sdPercent, sdErrorPercent, drawnSdPercent } = one;
    const common = { rateKBps, unit: '%' };
    return [
      figure({
        ...{ ...common, what: `rate off, ${direction}`, value: ratePercent, against: 'asked' },
        goal: { of: 'value', most: RATE_PERCENT },
      }),
      figure({
        ...{ ...common, what: `interval sd off, ${direction}`, value: sdPercent },
        against: `asked ${one.askedSdMs.toFixed(2)} ms; by chance ± ${sdErrorPercent.toFixed(1)} %`,
        goal: { of: 'value', most: SD_PERCENT },
      }),
      figure({
        ...{ ...common, what: `the same but for pauses, ${direction}`, value: drawnSdPercent },
        against: 'intervals that are drawn',
      }),
      figure({
        ...{ ...common, what: `slots missing in pauses, ${direction}`, value: one.missingPercent },
        against: `longest interval ${one.longestMs.toFixed(1)} ms`,
      }),
    ];
  });
}

export function delayFigures(rows: readonly DelayRow[], rateKBps: number): Figure[] {
  return rows.flatMap((row) =>
    (['p50Ms', 'p99Ms'] as const).map((quantile) => {
      const { load, direction, standingMs, ideal, simulated, packets, lost } = row;
      return figure({
        ...{ rateKBps, unit: 'ms', value: row[quantile] },
        what: `delay, ${load} load, ${direction}, ${quantile.slice(0, 3)}`,
        against: `ideal ${ideal[quantile].toFixed(1)} + standing ${standingMs.toFixed(1)} =`,
        comparison: ideal[quantile] + standingMs,
        // What it is to be: the ideal, a tenth more of it, and what stands.
        goal: {
          of: 'value',
          most: Math.round(10 * (DELAY_TIMES * ideal[quantile] + standingMs)) / 10,
        },
        ...{ packets, lost, simulatedMs: simulated[quantile] },
      });
    }),
  );
}

export function goodputFigures({ goodput, rateKBps }: Shown, ideal: number): Figure[] {
  if (!goodput) return [];
  return (['up', 'down'] as const).map((direction) =>
    figure({
      ...{ rateKBps, unit: 'of the rate', against: 'ideal', comparison: ideal },
      what: `goodput, saturated, ${direction}`,
      value: goodput[direction] / rateKBps,
    }),
  );
}

export function startFigures(times: readonly { answersMs: number; shapesMs: number }[]): Figure[] {
  const describe = (what: string, of: 'answersMs' | 'shapesMs', most: number | null): Figure => {
    const sorted = times.map((one) => one[of] / 1000).sort((one, other) => one - other);
    return figure({
      ...{ what, unit: 's', value: sorted[sorted.length >> 1]! },
      against: `of ${sorted.length}: ${sorted.map((s) => s.toFixed(2)).join(' ')}`,
      goal: most === null ? null : { of: 'value', most },
    });
  };
  return [
    describe('start until it answers', 'answersMs', null),
    describe('start until it shapes', 'shapesMs', SHAPES_S),
  ];
}
