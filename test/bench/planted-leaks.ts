// Evaluation: how long the audit takes to find each leak planted in the running datapath, and what it says of a clean one.
// Run as root after `make build`: node build/test/bench/planted-leaks.js [RUNS] [SECONDS,…] [LEAK,…] [FOLDER]
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordsOf } from '../../src/core/notices/words.ts';
import type { FinishedRun } from '../../src/research/lab/findings/run-folder.ts';
import { auditRun, runShaped } from '../leaks/lab-run.ts';
import { leaks } from '../leaks/leaks.ts';
import { buildLeaky } from '../leaks/leaky-program.ts';

const [runsText = '3', lengthsText = '15,30,60,120,300', only = '', folder] = process.argv.slice(2);
const lengths = lengthsText.split(',').map(Number);
const seconds = Math.max(...lengths);
const root = folder ?? mkdtempSync(join(tmpdir(), 'leaks-'));
const asked =
  only === '' ? ['none', 'none-in-turn', ...leaks.map(({ name }) => name)] : only.split(',');
/** What shows only in many intervals of either kind needs both in equal parts to show soon; and so does its null. */
const IN_TURN_S: Record<string, number> = { 'none-in-turn': 4, 'sd-shrunk': 4 };
const programs = await Promise.all(
  asked.map(async (name) => {
    const leak = leaks.find((one) => one.name === name);
    const program = leak ? await buildLeaky(leak, join(root, name)) : 'dist/iotshaper.js';
    return { name, program };
  }),
);

const found = new Map(asked.map((name) => [name, lengths.map(() => 0)]));
for (let run = 1; run <= Number(runsText); run++) {
  const results: { name: string; run: FinishedRun }[] = [];
  for (const isInTurn of [false, true]) {
    // All of a kind at once, each in a lab of its own.
    const kind = programs.filter(({ name }) => name in IN_TURN_S === isInTurn);
    const finished = kind.map(async ({ name, program }, k) => {
      const out = join(root, name, `run-${run}`);
      const inTurn = isInTurn ? { alternateS: IN_TURN_S[name]! } : {};
      const options = { program, seconds, seed: run, id: `b${k}`, out, ...inTurn };
      return { name, run: await runShaped(options) };
    });
    results.push(...(await Promise.all(finished)));
  }
  for (const { name, run: lab } of results) {
    let first = true;
    lengths.forEach((length, k) => {
      const { level, packets, windows, onsets, findings } = auditRun(lab, length);
      if (level !== 'leak') return;
      found.get(name)![k]!++;
      if (!first) return;
      first = false;
      const split = windows[0] ? `, ${windows[0].active} active windows of 1 s` : '';
      console.log(
        `${name}, run ${run}: found in ${length} s: ${packets.up} packets up${split}, ${onsets.tested} onsets: ${wordsOf(findings[0]!)}`,
      );
    });
    if (first) console.log(`${name}, run ${run}: nothing found in ${seconds} s`);
  }
}
console.log(`\nfound in        ${lengths.map((length) => `${length} s`.padStart(7)).join('')}`);
for (const [name, counts] of found) {
  console.log(
    `${name.padEnd(16)}${counts.map((count) => `${count}/${runsText}`.padStart(7)).join('')}`,
  );
}

// Time is the machine's, structure is not: a wrong size has to be found, and of what shows in time at least something.
const most = (name: string): number => Math.max(...(found.get(name) ?? [0]));
const inTime = leaks.map(({ name }) => name).filter((name) => name !== 'byte-short');
const broken = [
  ...(asked.includes('byte-short') && most('byte-short') < Number(runsText)
    ? ['a frame a byte short was not found in every run']
    : []),
  ...(inTime.every((name) => asked.includes(name) && most(name) === 0)
    ? ['no leak in time was found at all']
    : []),
];
for (const what of broken) console.error(`BROKEN: ${what}`);
process.exit(broken.length > 0 ? 1 : 0);
