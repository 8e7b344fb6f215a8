// Makes figures of what was read: which is compared with what, and what each is to be.
import type { Memory } from '../process-memory.ts';
import type { DelayRow } from './devices.ts';
import type { Exactness, Shape } from './exactness.ts';
import { ENDS, type Shown } from './measure.ts';
import { type BestSize, DRAWS } from './packet-sizes.ts';
import { type Reading, sumOf, type Use, usesOf } from './process-costs.ts';
import { compare, type Figure, type OtherName, type Parted } from './report.ts';

/** Times plain OpenVPN's processor time that the home may take, by rate. */
const HOME_CPU: Readonly<Record<number, number>> = { 40: 2, 400: 1.5 };
const PROPORTIONAL_MB = 30;
const RATE_PERCENT = 0.2;
const SD_PERCENT = 2;
const DELAY_TIMES = 1.1;
const SHAPES_S = 3;

/** One amount of what families used together, whole and by parts. */
function partedUse(families: readonly (readonly Reading[])[], of: (use: Use) => number): Parted {
  const uses = families.map(usesOf);
  const total = (each: readonly Use[]): number => each.reduce((sum, use) => sum + of(use), 0);
  return {
    whole: total(uses.map(({ whole }) => sumOf(whole))),
    parts: uses[0]!.parts.map((_, part) => total(uses.map(({ parts }) => parts[part]!))),
  };
}

export function costFigures({ twoClocks, oneClock, rateKBps }: Shown): Figure[] {
  const { own, plain, sender, paper } = twoClocks.readings;
  return ENDS.flatMap((end) => {
    const others = (of: (use: Use) => number) => ({
      paper: partedUse([paper[end]], of),
      oneClock: partedUse([oneClock.readings.own[end]], of),
    });
    const seconds = ({ secondsAMinute }: Use): number => secondsAMinute;
    const switches = ({ switchesPerS }: Use): number => switchesPerS;
    const most = end === 'home' ? HOME_CPU[rateKBps] : undefined;
    return [
      compare(
        { rateKBps, what: `CPU, ${end}`, unit: 's a minute', against: 'plain OpenVPN' },
        partedUse([own[end]], seconds),
        partedUse([plain[end]], seconds),
        {
          goal: most === undefined ? null : { of: 'ratio', most },
          others: others(seconds),
        },
      ),
      compare(
        {
          ...{ rateKBps, what: `CPU, ${end}, sending counted`, unit: 's a minute' },
          against: 'plain OpenVPN and its sender',
        },
        partedUse([own[end]], seconds),
        partedUse([plain[end], sender[end]], seconds),
      ),
      compare(
        { rateKBps, what: `wake-ups, ${end}`, unit: 'a second', against: 'plain OpenVPN' },
        partedUse([own[end]], switches),
        partedUse([plain[end]], switches),
        { others: others(switches) },
      ),
    ];
  });
}

/** One kind of memory of all programs together; the last moment stands for the whole. */
function partedMemory(moments: readonly Map<string, Memory>[], of: keyof Memory): Parted {
  const parts = moments.map((programs) =>
    [...programs.values()].reduce((sum, one) => sum + one[of], 0),
  );
  return { whole: parts.at(-1)!, parts };
}

export function memoryFigures({ memory, rateKBps }: Shown): Figure[] {
  const kinds = {
    proportional: 'proportionalMB',
    'its own alone': 'privateMB',
    resident: 'residentMB',
  } as const;
  return ENDS.flatMap((end) =>
    Object.entries(kinds).map(([kind, of]) =>
      compare(
        { rateKBps, what: `memory, ${end}, ${kind}`, unit: 'MB', against: 'plain OpenVPN' },
        partedMemory(memory.own[end], of),
        partedMemory(memory.plain[end], of),
        {
          others: { paper: partedMemory(memory.paper[end], of) },
          ...(end === 'home' &&
            kind === 'proportional' && { goal: { of: 'value', most: PROPORTIONAL_MB } }),
        },
      ),
    ),
  );
}

interface Row {
  asked?: number;
  against?: string;
  goal?: Figure['goal'];
  /** Left out where the prototype asks for no such thing. */
  hasPaper?: boolean;
}

export function exactnessFigures(
  all: readonly Exactness[],
  rateKBps: number,
  { paper, oneClock }: Partial<Record<OtherName, readonly Exactness[]>> = {},
): Figure[] {
  return all.flatMap((one, index) => {
    const { direction, askedSdMs, sdErrorPercent } = one;
    const theirs = paper?.[index]?.sizes.join(' ');
    const parted = (from: Exactness, of: keyof Shape): Parted => ({
      whole: from.whole[of],
      parts: from.parts.map((part) => part[of]),
    });
    const row = (
      what: string,
      unit: string,
      of: keyof Shape,
      { asked, against = '', goal = null, hasPaper = true }: Row = {},
    ): Figure =>
      compare(
        { rateKBps, what: `${what}, ${direction}`, unit, against },
        parted(one, of),
        asked === undefined ? null : { whole: asked, parts: one.parts.map(() => asked) },
        {
          goal,
          others: {
            ...(hasPaper && paper && { paper: parted(paper[index]!, of) }),
            ...(oneClock && { oneClock: parted(oneClock[index]!, of) }),
          },
        },
      );
    return [
      row('rate', 'KB/s', 'rateKBps', {
        asked: rateKBps,
        against: 'asked',
        goal: { of: 'off', most: RATE_PERCENT },
      }),
      row('interval sd', 'ms', 'sdMs', {
        asked: askedSdMs,
        against: `by chance ± ${sdErrorPercent.toFixed(1)} %; asked`,
        goal: { of: 'off', most: SD_PERCENT },
      }),
      row('interval sd but for pauses', 'ms', 'drawnSdMs', {
        asked: askedSdMs,
        against: 'asked',
        hasPaper: false,
      }),
      row('slots missing in pauses', '%', 'missingPercent', { hasPaper: false }),
      row('longest interval', 'ms', 'longestMs'),
      row('packets of another size', '%', 'oddSizesPercent', {
        against: `sizes ${one.sizes.join(' ')}${theirs ? `, the prototype's ${theirs}` : ''}`,
      }),
    ];
  });
}

export function delayFigures(shown: Shown): Figure[] {
  const { rateKBps, twoClocks, oneClock, heavy, simulated } = shown;
  const own = [...twoClocks.home.delays, ...heavy.home];
  const paper = [...twoClocks.paper.delays, ...heavy.paper];
  return own.flatMap((row, index) =>
    (['p50Ms', 'p99Ms'] as const).map((quantile) => {
      const { load, direction, packets, lost } = row;
      const { ideal, product, standingMs } = simulated[index]!;
      const parted = ({ whole, parts }: DelayRow): Parted => ({
        whole: whole[quantile],
        parts: parts.map((part) => part[quantile]),
      });
      const least = ideal[quantile] + standingMs;
      const single = oneClock.home.delays[index];
      return compare(
        {
          ...{ rateKBps, unit: 'ms' },
          what: `delay, ${load} load, ${direction}, ${quantile.slice(0, 3)}`,
          against: `ideal ${ideal[quantile].toFixed(1)} + standing ${standingMs.toFixed(1)} =`,
        },
        parted(row),
        { whole: least, parts: row.parts.map(() => least) },
        {
          // What it is to be: the ideal, a tenth more of it, and what stands.
          goal: {
            of: 'value',
            most: Math.round(10 * (DELAY_TIMES * ideal[quantile] + standingMs)) / 10,
          },
          others: {
            paper: parted(paper[index]!),
            ...(single && { oneClock: parted(single) }),
          },
          ...{ packets, lost, simulatedMs: product[quantile] },
        },
      );
    }),
  );
}

export function goodputFigures({ goodput, rateKBps }: Shown, ideal: number): Figure[] {
  return (['up', 'down'] as const).map((direction) => {
    const parted = (arrived: readonly number[]): Parted => {
      const parts = arrived.map((kBps) => kBps / rateKBps);
      return { whole: parts.reduce((sum, part) => sum + part, 0) / parts.length, parts };
    };
    const own = parted(goodput.home[direction]);
    return compare(
      {
        ...{ rateKBps, unit: 'of the rate', against: 'ideal' },
        what: `goodput, saturated, ${direction}`,
      },
      own,
      { whole: ideal, parts: own.parts.map(() => ideal) },
      { others: { paper: parted(goodput.paper[direction]) } },
    );
  });
}

/** Middle of some times, and each of them. */
function timesOf(times: readonly number[]): Parted {
  const sorted = [...times].sort((one, other) => one - other);
  return { whole: sorted[sorted.length >> 1]!, parts: sorted };
}

export function startFigures(
  times: readonly { answersMs: number; shapesMs: number }[],
  plainS: readonly number[],
  paperS: readonly number[],
): Figure[] {
  const describe = (what: string, of: 'answersMs' | 'shapesMs', most: number | null): Figure => {
    const own = timesOf(times.map((one) => one[of] / 1000));
    const isShaping = of === 'shapesMs';
    return compare(
      { what, unit: 's', against: isShaping ? 'plain OpenVPN, its keys made' : '' },
      own,
      isShaping ? timesOf(plainS) : null,
      {
        goal: most === null ? null : { of: 'value', most },
        ...(isShaping && { others: { paper: timesOf(paperS) } }),
        each: own.parts,
      },
    );
  };
  return [
    describe('start until it answers', 'answersMs', null),
    describe('start until it shapes', 'shapesMs', SHAPES_S),
  ];
}

/** What each capture takes at its best packet size, beside what it takes at the default. */
export function sizeFigures(found: readonly BestSize[]): Figure[] {
  return found.flatMap(({ capture, packets, best, chosen, usual }) => {
    const mean = (parts: readonly number[]): Parted => ({
      whole: parts.reduce((sum, one) => sum + one, 0) / DRAWS,
      parts,
    });
    const at = `${capture}, ${chosen.packetBytes} bytes`;
    const given = { against: `best of each draw ${best.join(' ')}; ${usual.packetBytes} bytes` };
    return [
      compare(
        { ...given, what: at, unit: 'GB a month' },
        mean(chosen.gbPerMonth),
        mean(usual.gbPerMonth),
        { packets, best },
      ),
      compare(
        { what: `${at}, delay`, unit: 'ms', against: `${usual.packetBytes} bytes` },
        mean(chosen.meanMs),
        mean(usual.meanMs),
      ),
    ];
  });
}
