// Breaks both ends on purpose, one fault after another, and prints what the provider saw of each and when all was well again.
// Run as root after `make build`: node build/test/bench/faults/table.js [NAMES] [TIMES]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExposureLab } from '../../net/exposure/exposure-lab.ts';
import { faults } from './faults.ts';
import {
  ASKED_IN_100_MS,
  type Fault,
  type Measure,
  MORE_IN_100_MS,
  measureFault,
  nothing,
  RECOVER_S,
} from './measure.ts';
import { HEAD, summarise } from './summary.ts';

const [pattern = '', times = '1'] = process.argv.slice(2);
const chosen = faults.filter(({ name }) => matcherOf(pattern).test(name));
if (chosen.length === 0) {
  console.error(`ROWS=${pattern}: no fault has such a name; these are there:`);
  for (const { name } of faults) console.error(`  ${name}`);
  process.exit(2);
}

/** What the names have to match; ends the program where that can not be read. */
function matcherOf(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch {
    console.error(`ROWS=${text}: no regular expression, as in ROWS='OpenVPN killed'`);
    process.exit(2);
  }
}

/** Why a fault did not hold. */
function findBreaches(fault: Fault, measure: Measure, mostAllowed: number): string[] {
  const { devices, inside, up, down, recoveredS, lastBad, answeredShare, found } = measure;
  const { burst, burstAtS } = up.burst > down.burst ? up : down;
  const { recoverS = RECOVER_S, leastAnswered = 0 } = fault;
  return [
    ...(devices.length > 0 ? [`${devices.length} of devices in the clear (${devices[0]})`] : []),
    ...(inside.length > 0 ? [`${inside.length} of the inside in the clear (${inside[0]})`] : []),
    ...(burst > mostAllowed ? [`a burst of ${burst} after ${seconds(burstAtS)} s`] : []),
    ...(recoveredS > recoverS ? [`not well within ${recoverS} s (${lastBad})`] : []),
    ...(answeredShare < leastAnswered
      ? [`${Math.round(100 * answeredShare)} % of a device beside answered`]
      : []),
    ...found,
  ];
}

function print({ name }: Fault, measure: Measure, breaches: readonly string[]): void {
  const { devices, inside, up, down, recoveredS, answeredShare } = measure;
  const held = breaches.length === 0 ? 'yes' : `**no**: ${breaches.join(', ')}`;
  console.log(
    `| ${name} | ${devices.length} | ${inside.length} | ${seconds(up.silenceS)} / ${seconds(down.silenceS)} | ${up.burst} / ${down.burst} | ${seconds(recoveredS)} | ${Math.round(100 * answeredShare)} % | ${held} |`,
  );
}

const seconds = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : '—');

/** What could not even be planted, or looked at, has not held; the others go on. */
async function tryMeasure(lab: ExposureLab, fault: Fault): Promise<Measure | null> {
  try {
    return await measureFault(lab, fault);
  } catch (error) {
    failed++;
    console.log(`| ${fault.name} | **not measured**: ${(error as Error).message.split('\n')[0]} |`);
    await startOver(lab);
    return null;
  }
}

/** A fault that was never mended would be seen in all that follow. */
async function startOver({ network }: ExposureLab): Promise<void> {
  await Promise.all([network.stop('home'), network.stop('endpoint')]);
  network.startEndpoint();
  network.startHome();
  await network.await('shaping');
}

// Services are started with a preloaded module by which their threads can be made to throw.
process.env.THROW_WHEN_TOLD = mkdtempSync(join(tmpdir(), 'iotshaper-throw-'));
process.env.NODE_OPTIONS = `--import ${new URL('../../net/programs/throw-when-told.js', import.meta.url)}`;
const lab = await ExposureLab.start(`fault${process.pid}`);
let failed = 0;
const rows: string[] = [];
try {
  console.log(
    '| fault | devices in the clear | inside in the clear | silence up / down, s | most in 100 ms up / down | well after, s | a device beside answered | held |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  const quiet = await measureFault(lab, nothing);
  // What the stream makes by itself on this machine while it does whatever else it does: before, and after each fault.
  let ownMost = Math.max(ASKED_IN_100_MS, quiet.up.burst, quiet.down.burst);
  print(nothing, quiet, []);
  for (const fault of chosen) {
    const measures: (Measure & { ownMost: number })[] = [];
    let held = 0;
    for (let round = 0; round < Number(times); round++) {
      const measure = await tryMeasure(lab, fault);
      if (!measure) continue;
      ownMost = Math.max(ownMost, measure.calmBurst);
      const breaches = findBreaches(fault, measure, ownMost + MORE_IN_100_MS);
      if (breaches.length > 0) failed++;
      else held++;
      measures.push({ ...measure, ownMost });
      print(fault, measure, breaches);
      if (process.env.SAID) for (const words of measure.said) console.log(`    ${words}`);
      if (!Number.isFinite(measure.recoveredS)) await startOver(lab);
    }
    if (measures.length > 1) rows.push(summarise(fault, measures, held));
  }
} finally {
  await lab.close();
  rmSync(process.env.THROW_WHEN_TOLD, { recursive: true, force: true });
}
if (rows.length > 0) {
  console.log(`\n${HEAD}\n${HEAD.replace(/[^|]+/g, '---')}`);
  for (const row of rows) console.log(row);
}
console.log(`${chosen.length} faults, ${failed} times not held`);
process.exit(failed > 0 ? 1 : 0);
