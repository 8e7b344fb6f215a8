// Leaks planted in the running datapath: the audit has to find each. Root, namespaces, real OpenVPN and tc.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { auditRun, runShaped } from '../leaks/lab-run.ts';
import { leaks } from '../leaks/leaks.ts';
import { buildLeaky } from '../leaks/leaky-program.ts';

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

/** All labs at once: one after the other they would take minutes more. */
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

for (const { name, what } of leaks) {
  test.serial(`the audit finds out that ${what}`, async (t) => {
    t.timeout(4 * 60_000);
    const run = await runs.get(name)!;
    t.regex(JSON.stringify(run.summary.service), /"state":"shaping"/);
    const { level, findings, sentence } = auditRun(run, SECONDS);
    t.is(level, 'leak', sentence);
    const families = findings.map(({ family }) => family);
    t.true(families.includes(expected[name]!), families.join(', '));
  });
}
