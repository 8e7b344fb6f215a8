// Bench: how long the audit takes to find each leak planted in the running datapath, and what it says of a clean one.
// Run as root after `make build`: node build/test/bench/planted-leaks.js [RUNS] [SECONDS,…] [LEAK,…] [FOLDER]
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditRun, runShaped } from '../leaks/lab-run.ts';
import { leaks } from '../leaks/leaks.ts';
import { buildLeaky } from '../leaks/leaky-program.ts';

const [runsText = '3', lengthsText = '15,30,60,120,300', only = '', folder] = process.argv.slice(2);
const lengths = lengthsText.split(',').map(Number);
const seconds = Math.max(...lengths);
const root = folder ?? mkdtempSync(join(tmpdir(), 'leaks-'));
const asked = only === '' ? ['none', ...leaks.map(({ name }) => name)] : only.split(',');
const programs = await Promise.all(
  asked.map(async (name) => {
    const leak = leaks.find((one) => one.name === name);
    const program = leak ? await buildLeaky(leak, join(root, name)) : 'dist/iotshaper.js';
    return { name, program };
  }),
);

const found = new Map(asked.map((name) => [name, lengths.map(() => 0)]));
for (let run = 1; run <= Number(runsText); run++) {
  // All at once: each in a lab of its own.
  const results = await Promise.all(
    programs.map(async ({ name, program }, k) => {
      const out = join(root, name, `run-${run}`);
      return { name, run: await runShaped({ program, seconds, seed: run, id: `b${k}`, out }) };
    }),
  );
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
        `${name}, run ${run}: found in ${length} s: ${packets.up} packets up${split}, ${onsets.tested} onsets: ${findings[0]!.text}`,
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
