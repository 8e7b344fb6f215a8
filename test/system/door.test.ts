// Node.js's door keeps to what every door does; QuickJS's is asked the same by `make evaluate-quickjs`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { contract } from '../quickjs/contract.ts';

// One after the other: ports are their own.
for (const [name, promised] of Object.entries(contract)) {
  test.serial(name, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'iotshaper-door-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    await t.notThrowsAsync(promised(nodeSystem, folder));
  });
}
