// Bench: an audit without end on simulated days: false alarms, and how soon planted leaks are found: running-audit.js [DAYS] [FROM] [KIND]
import { seededRandom } from '../../src/core/random/random.ts';
import { RunningAudit } from '../../src/research/analysis/running/running-audit.ts';
import { RunningWire, type RunningWireOptions } from '../analysis/running-wires.ts';

const [daysText = '100', fromText = '1', only = ''] = process.argv.slice(2);
const BATCH_S = 600;
const DAY_BATCHES = 144;

type Kind = Omit<RunningWireOptions, 'seed'>;

/** A hundred days of each are five hundred. */
const nulls: Record<string, Kind> = {
  'constant, one clock': { mode: 'constant' },
  'constant, 20 ppm apart': { mode: 'constant', driftPpm: 20 },
  'constant, polled': { mode: 'constant', pollS: 3.2 },
  vit: { mode: 'vit' },
  'vit, polled': { mode: 'vit', pollS: 3.2 },
};
const leaks: Record<string, { kind: Kind; hours: number }> = {
  'constant, 1 slot in 1000 by 0.5 ms': {
    kind: { mode: 'constant', planted: { share: 0.001, laterMs: 0.5 } },
    hours: 3,
  },
  'vit, 1 slot in 100 by 0.5 ms': {
    kind: { mode: 'vit', everyS: 8, planted: { share: 0.01, laterMs: 0.5 } },
    hours: 24,
  },
  'vit, busy, 1 slot in 100 by 0.5 ms': {
    kind: { mode: 'vit', everyS: 1, planted: { share: 0.01, laterMs: 0.5 } },
    hours: 24,
  },
  'vit, busy, 1 slot in 1000 by 0.5 ms': {
    kind: { mode: 'vit', everyS: 1, planted: { share: 0.001, laterMs: 0.5 } },
    hours: 6,
  },
};

const days = Number(daysText);
const from = Number(fromText);
const started = process.cpuUsage();

console.log(`An audit without end, error 0.01. ${days} days of each, watched for 24 h:`);
let alarms = 0;
let watched = 0;
for (const [name, kind] of Object.entries(nulls)) {
  if (!name.startsWith(only)) continue;
  let own = 0;
  const largest: number[] = [];
  const withinMs: number[] = [];
  for (let seed = from; seed < from + days; seed++) {
    const state = watch({ ...kind, seed }, DAY_BATCHES);
    if (state.foundAtHours !== null) own++;
    largest.push(state.eValue);
    if (state.shift) withinMs.push(state.shift.withinMs);
  }
  alarms += own;
  watched += days;
  const bound = withinMs.reduce((a, b) => a + b, 0) / withinMs.length;
  console.log(
    `  ${name.padEnd(24)} false alarms ${own}/${days}   mean evidence at the end ${mean(largest).toFixed(2)} (1 is fair)   a shift by ${(1000 * bound).toFixed(1)} µs would have been seen`,
  );
}
console.log(`  all: ${alarms} of ${watched}\n`);

// Days in several pieces: the first has the leaks.
if (from > 1) process.exit();
console.log('Planted in slots that carry devices’ packets, ten homes each; hours until found:');
for (const [name, { kind, hours }] of Object.entries(leaks)) {
  if (!name.startsWith(only)) continue;
  const found: (number | null)[] = [];
  let moments = 0;
  for (let seed = from; seed < from + 10; seed++) {
    const state = watch({ ...kind, seed: 1000 + seed }, hours * 6);
    found.push(state.foundAtHours);
    moments += state.moments / state.hours / 10;
  }
  const texts = found.map((hour) => (hour === null ? `not in ${hours}` : hour.toFixed(1)));
  console.log(`  ${name.padEnd(36)} ${texts.join(', ')}   theory: ${theoryHours(kind, moments)}`);
}
const { user, system } = process.cpuUsage(started);
console.log(`\n${((user + system) / 1e6).toFixed(0)} s of processor time`);

function watch(options: RunningWireOptions, batches: number) {
  const wire = new RunningWire(options);
  const audit = new RunningAudit({ random: seededRandom(options.seed, 71) });
  for (let i = 0; i < batches; i++) {
    audit.add(wire.next(BATCH_S));
    if (audit.state().foundAtHours !== null) break;
  }
  return audit.state();
}

/** Hours after which evidence of the mean alone, at its likeliest growth of half a squared deviation a moment, passes 1/0.01. */
function theoryHours({ mode, planted, meanMs = 12.8 }: Kind, momentsPerHour: number): string {
  const slotsPerHour = 3_600_000 / meanMs;
  const shiftMs = (planted!.laterMs * planted!.share * slotsPerHour) / momentsPerHour;
  const sdMs = mode === 'vit' ? 0.3 * meanMs : Math.SQRT2 * 0.12;
  const hours = (2 * Math.log(100) * (sdMs / shiftMs) ** 2) / momentsPerHour;
  return `${hours.toFixed(hours < 1 ? 2 : 1)} h by the mean interval alone (${shiftMs.toFixed(3)} ms of ${sdMs.toFixed(2)} ms, ${momentsPerHour.toFixed(0)} moments an hour)`;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
