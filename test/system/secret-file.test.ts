// Secret files: their owner's alone, whole, and nothing beside them afterwards.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { writeSecret } from '../../src/shell/system/secret-file.ts';

test('written, written over, and over what was open to all', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-secret-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key');
  writeFileSync(path, 'old', { mode: 0o644 });
  writeFileSync(join(folder, 'key.new'), 'another');
  writeFileSync(join(folder, '.key.new'), 'left by a power cut', { mode: 0o644 });
  await writeSecret(path, 'new');
  t.is(readFileSync(path, 'utf8'), 'new');
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(folder).sort(), ['key', 'key.new']);
  t.is(readFileSync(join(folder, 'key.new'), 'utf8'), 'another');
  await t.throwsAsync(writeSecret(join(folder, 'none', 'key'), 'x'), { code: 'ENOENT' });
});
