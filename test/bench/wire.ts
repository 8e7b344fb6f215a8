// Evaluation: what the provider's line shows of the running datapath under many conditions, each figure beside its null.
// Run as root after `make build`: node build/test/bench/wire.js [SECONDS] [ROWS, a regular expression] [FOLDER]
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { mean } from '../../src/core/analysis/statistics/sample.ts';
import { labDefaults, type Variant } from '../../src/research/lab/options.ts';
import { keepCoresBusy } from './busy-cores.ts';
import type { Analysis } from './wire/analyse.ts';
import { measureRateChanges } from './wire/changes.ts';
import { type Found, findBroken, renderFound, renderSmallest } from './wire/report.ts';
import { type Row, rows, TURN_S } from './wire/rows.ts';

const seconds = Number(process.argv[2] || 300);
const asked = new RegExp(process.argv[3] || '');
const root = resolve(process.argv[4] || 'out/wire');
const PROGRAM = resolve('dist/iotshaper.js');
const ANALYSE = join(import.meta.dirname, 'wire', 'analyse.js');
const CHANGES_ROW = 'changes';
/** The machine's load is looked at so often. */
const LOOK_MS = 5000;

const broken: string[] = [];
const found: Found[] = [];

/** Runs a program of ours to its end. @returns what it printed @throws Error with its complaints */
async function runToEnd(...words: string[]): Promise<string> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  let complained = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained = `${complained}${text}`.slice(-2000);
  });
  const status = await new Promise((done) => child.once('close', done));
  if (status !== 0) throw new Error(`${words.slice(1, 5).join(' ')}: ${complained.trim()}`);
  return printed;
}

/**
 * Seeds differ, so that turns of one lab are chance to those of the other: what its devices take from the cores that both share is not in
 * step with them.
 */
function runLab({ name, words }: Row, variant: Variant, index: number): Promise<string> {
  return runToEnd(
    ...[PROGRAM, 'lab', 'run', '--variant', variant, '--seconds', `${seconds}`],
    ...['--alternate', `${TURN_S}`, '--seed', `${labDefaults.seed + index}`, '--json'],
    ...['--id', `wire${index}`, '--out', join(root, name, variant), ...words],
  );
}

async function measureRow(row: Row): Promise<Found[]> {
  const rest = row.coresBusy ? keepCoresBusy() : null;
  const loads: number[] = [];
  const looks = setInterval(() => loads.push(loadavg()[0]!), LOOK_MS);
  try {
    await Promise.all(row.variants.map((variant, index) => runLab(row, variant, index)));
  } finally {
    clearInterval(looks);
    await rest?.();
  }
  const load = mean(loads);
  const texts = await Promise.all(
    row.variants.map((variant) => runToEnd(ANALYSE, join(root, row.name, variant))),
  );
  return texts.map((text) => ({ row: row.name, load, ...(JSON.parse(text) as Analysis) }));
}

const chosen = rows.filter(({ name }) => asked.test(name));
const isChanging = asked.test(CHANGES_ROW);
if (chosen.length === 0 && !isChanging) {
  const names = [...rows.map(({ name }) => name), CHANGES_ROW].join(', ');
  console.error(`ROWS=${process.argv[3]}: no row is called so; there are ${names}`);
  process.exit(2);
}
mkdirSync(root, { recursive: true });
console.log(`${chosen.length} rows of ${seconds} s, captures and figures in ${root}\n`);
for (const row of chosen) {
  try {
    const own = await measureRow(row);
    found.push(...own);
    broken.push(...own.flatMap(findBroken));
    writeFileSync(join(root, row.name, 'figures.json'), `${JSON.stringify(own, null, 1)}\n`);
    console.log(renderFound(own));
  } catch (error) {
    broken.push(`${row.name}: ${(error as Error).message}`);
  }
}
if (chosen.length > 1) console.log(`All rows:\n\n${renderFound(found)}`);
console.log(renderSmallest(found));
if (isChanging) broken.push(...(await measureRateChanges()));
for (const what of broken) console.error(`BROKEN: ${what}`);
process.exit(broken.length > 0 ? 1 : 0);
