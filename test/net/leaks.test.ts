// Leaks planted in the program: each can still be built, and the one of structure shows in the lab. Root, namespaces.
// Whether an audit tells the others from chance is a measurement: `make evaluate-audit`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { auditRun, runShaped } from '../leaks/lab-run.ts';
import { leaks } from '../leaks/leaks.ts';
import { buildLeaky } from '../leaks/leaky-program.ts';
import { requireNamespaces } from './support.ts';

const SECONDS = 10;
const WIRE_BYTES = 512 + 52;

const root = mkdtempSync(join(tmpdir(), 'iotshaper-leaks-'));
test.after.always(() => rmSync(root, { recursive: true, force: true }));

for (const leak of leaks) {
  test.serial(`can be planted: ${leak.what}`, async (t) => {
    const program = await buildLeaky(leak, join(root, leak.name));
    t.is(program, join(root, leak.name, 'iotshaper.js'));
  });
}

test.serial(
  'a byte less in a frame shows in the provider’s capture, and in no other',
  async (t) => {
    if (!requireNamespaces(t)) return;
    const program = join(root, 'byte-short', 'iotshaper.js');
    const out = join(root, 'run');
    const run = await runShaped({ program, seconds: SECONDS, seed: 5, id: 'leak', out });
    t.regex(JSON.stringify(run.summary.service), /"state":"shaping"/);
    const [up, down] = auditRun(run, SECONDS).sizes;
    t.is(up!.expectedBytes, WIRE_BYTES);
    t.deepEqual(up!.other.bytes, [WIRE_BYTES - 1]);
    t.like(down!, { expectedBytes: WIRE_BYTES, other: { packets: 0, bytes: [] } });
  },
);
