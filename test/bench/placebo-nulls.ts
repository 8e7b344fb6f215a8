// Bench: how often the lab's observer and the demo's attack find something in placebos: placebo-nulls.js SECONDS[+TURN,TURN…] FOLDER… (runs of `lab run --variant placebo`, cut into pieces so long)
import type { Interval } from '../../src/core/analysis/statistics/auc-interval.ts';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { attackRun } from '../../src/research/lab/findings/attack.ts';
import { observeRun } from '../../src/research/lab/findings/observer.ts';
import { readRunFolder } from '../../src/research/lab/findings/run-folder.ts';

const [secondsText = '30', ...folders] = process.argv.slice(2);
const [pieceText = '30', turnsText = '0'] = secondsText.split('+');
const pieceS = Number(pieceText);
/** Activity turned against the wire by so many seconds shares not even the machine with it. */
const turnsS = turnsText.split(',').map(Number);
/** Enough to tell 1 in 100, and no more: there are hundreds of pieces. None where intervals alone are asked for. */
const PERMUTATIONS = Number(process.env.PERMUTATIONS ?? 499);
/** With fewer than these no p falls below the levels that are counted. */
const LEAST_FOR_P = 99;

interface Count {
  of: number;
  found: number;
}

const counts = new Map<string, Count & { limit: string; sum: number }>();
let pieces = 0;
const started = process.cpuUsage();
for (const folder of folders) {
  const run = await readRunFolder(folder);
  for (const turnS of turnsS) tryPieces(run, turnS);
}

function tryPieces(
  { attack, summary }: Awaited<ReturnType<typeof readRunFolder>>,
  turnS: number,
): void {
  const turn = <T extends { timeS: number }>(all: readonly T[]): T[] =>
    all
      .map((one) => {
        const offsetS = one.timeS - attack.startS + turnS;
        return { ...one, timeS: attack.startS + (offsetS % summary.seconds) };
      })
      .sort((a, b) => a.timeS - b.timeS);
  const home = turn(attack.home);
  const events = turn(attack.events);
  for (let piece = 0; (piece + 1) * pieceS <= summary.seconds; piece++) {
    const startS = attack.startS + piece * pieceS;
    const endS = startS + pieceS;
    const within = ({ timeS }: { timeS: number }) => timeS >= startS && timeS < endS;
    const input = {
      ...attack,
      startS,
      endS,
      wire: { up: attack.wire.up.filter(within), down: attack.wire.down.filter(within) },
      home: home.filter(within),
      events: events.filter(within),
      seed: attack.seed * 1000 + piece + turnS * 10_000,
    };
    pieces++;
    observe(input);
    if (PERMUTATIONS >= LEAST_FOR_P) demo(input);
  }
}

/** What `lab observe` prints. */
function observe(input: Parameters<typeof observeRun>[0] & { seed: number }): void {
  const [windows] = observeRun(input, {
    windowsS: [1],
    permutations: PERMUTATIONS,
    seed: input.seed,
  });
  const { activity, devices } = windows!;
  if (activity) {
    holds('lab observe: activity, forest: interval holds 0.50', activity.figures.forest);
    holds('lab observe: activity, logistic: interval holds 0.50', activity.figures.logistic);
    below('lab observe: p of the forest', activity.forestP, 0.05);
    below('lab observe: p of any test', activity.anyP, 0.05);
  }
  for (const { auc } of devices.devices)
    holds('lab observe: one device’s own activity: interval holds 0.50', auc);
  const least = Math.min(1, ...devices.devices.map(({ adjustedP }) => adjustedP));
  if (devices.devices.length) below('lab observe: p of the best told device', least, 0.05);
  if (devices.named) below('lab observe: p of windows named right', devices.named.pValue, 0.05);
}

/** What `lab demo` and `lab table` print. */
function demo(input: Parameters<typeof attackRun>[0]): void {
  const { auc, verdict, byRates, events } = attackRun(input);
  holds('demo: activity, forest: interval holds 0.50', auc);
  if (verdict) add('demo: the audit’s verdict: a leak', verdict === 'leak', '1 % at most');
  if (byRates) add('demo: a device named by rates', byRates.named.length > 0, '');
  if (events) add('demo: moments called events', events.found > 0, '');
}

function holds(what: string, interval: Interval | null): void {
  if (interval) add(what, interval.low <= 0.5 && interval.high >= 0.5, '95 %', interval.value);
}

function below(what: string, p: number, level: number): void {
  if (PERMUTATIONS < LEAST_FOR_P) return;
  add(`${what} below ${level}`, p < level, `${100 * level} %`);
}

function add(what: string, isFound: boolean, limit: string, value = Number.NaN): void {
  const count = counts.get(what) ?? { of: 0, found: 0, limit, sum: 0 };
  counts.set(what, count);
  count.of++;
  count.sum += value;
  if (isFound) count.found++;
}

const rows = [...counts]
  .sort()
  .map(([what, { of, found, limit, sum }]) => [
    what,
    `${found}/${of}`,
    `${((100 * found) / of).toFixed(1)} %`,
    limit,
    Number.isNaN(sum) ? '' : (sum / of).toFixed(3),
  ]);
console.log(
  `${pieces} placebos of ${pieceS} s, cut from ${folders.length} recordings, activity turned by ${turnsText} s\n`,
);
console.log(
  renderTable(
    [
      { title: '' },
      { title: 'found', right: true },
      { title: '', right: true },
      { title: 'should be', right: true },
      { title: 'mean AUC', right: true },
    ],
    rows,
  ),
);
console.log(`${(process.cpuUsage(started).user / 1e6).toFixed(0)} s of processor time`);
