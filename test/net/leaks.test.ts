// Leaks planted in the running datapath: the audit has to find each. Root, namespaces, real OpenVPN and tc.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { FinishedRun } from '../../src/lab/run-folder.ts';
import { auditRun, runShaped } from '../leaks/lab-run.ts';
import { leaks } from '../leaks/leaks.ts';
import { buildLeaky } from '../leaks/leaky-program.ts';
import { requireNamespaces } from './support.ts';

const SECONDS = 100;

const root = mkdtempSync(join(tmpdir(), 'iotshaper-leaks-'));
test.after.always(() => rmSync(root, { recursive: true, force: true }));

/** Which family of tests has to find each. */
const expected: Record<string, string> = {
  'own-class': 'onsets',
  'byte-short': 'sizes',
  'cover-pause': 'onsets',
  'extra-slot': 'onsets',
  'sd-shrunk': 'intervals',
};

/** What shows only in many intervals of either kind needs both in equal parts to show so soon. */
const ALTERNATE_S: Record<string, number> = { 'sd-shrunk': 4 };

/** Starts all labs at once: one after the other they would take minutes more. */
function startRuns(): Map<string, Promise<FinishedRun>> {
  const runs = new Map(
    leaks.map((leak, k) => [
      leak.name,
      buildLeaky(leak, join(root, leak.name)).then((program) =>
        runShaped({
          ...{ program, seconds: SECONDS, seed: 5, id: `leak${k}` },
          out: join(root, `run-${k}`),
          ...(leak.name in ALTERNATE_S ? { alternateS: ALTERNATE_S[leak.name]! } : {}),
        }),
      ),
    ]),
  );
  for (const run of runs.values()) run.catch(() => {}); // the test of each tells
  return runs;
}

let runs: Map<string, Promise<FinishedRun>> | null = null;

for (const { name, what } of leaks) {
  test.serial(`the audit finds out that ${what}`, async (t) => {
    if (!requireNamespaces(t)) return;
    t.timeout(4 * 60_000);
    runs ??= startRuns();
    const run = await runs.get(name)!;
    t.regex(JSON.stringify(run.summary.service), /"state":"shaping"/);
    const { level, findings, sentence } = auditRun(run, SECONDS);
    t.is(level, 'leak', sentence);
    const families = findings.map(({ family }) => family);
    t.true(families.includes(expected[name]!), families.join(', '));
  });
}
