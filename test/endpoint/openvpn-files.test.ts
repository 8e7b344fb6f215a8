// What the endpoint's OpenVPN reads: who may read it, and what becomes of it when homes come and go.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  clientConfigDirOf,
  findClosedDirectory,
  makeRunDir,
  writeClientConfigs,
} from '../../src/shell/endpoint/openvpn-files.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const texts = [
  { name: 'cottage', text: 'ifconfig-push 10.213.0.2 255.255.255.0\n' },
  { name: 'flat', text: 'ifconfig-push 10.213.0.254 255.255.255.0\n' },
];

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

async function newRunDir(t: ExecutionContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-run-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o711);
  const runDir = join(folder, 'run');
  await makeRunDir(nodeSystem, runDir);
  return runDir;
}

const gone: string[] = [];

function write(runDir: string, files = texts): ReturnType<typeof writeClientConfigs> {
  return writeClientConfigs(nodeSystem, clientConfigDirOf(runDir), files, (name) =>
    gone.push(name),
  );
}

test('anybody reads a home’s address and can’t list homes', async (t) => {
  const runDir = await newRunDir(t);
  t.is((await write(runDir)).closedFolder, null);
  for (const directory of [runDir, join(runDir, 'homes')]) t.is(mode(directory), '711');
  for (const { name } of texts) t.is(mode(join(runDir, 'homes', name)), '644');
  t.is(readFileSync(join(runDir, 'homes/flat'), 'utf8'), texts[1]!.text);
});

test('a home that is gone has no file any more', async (t) => {
  const runDir = await newRunDir(t);
  const before = gone.length;
  await write(runDir);
  await write(runDir, texts.slice(0, 1));
  t.deepEqual(readdirSync(join(runDir, 'homes')), ['cottage']);
  await write(runDir, []);
  t.deepEqual(gone.slice(before), ['flat', 'cottage']);
  t.deepEqual(readdirSync(join(runDir, 'homes')), []);
});

test('where others can’t read them the folder that shuts them out is named', async (t) => {
  const runDir = await newRunDir(t);
  chmodSync(runDir, 0o700);
  t.is((await write(runDir)).closedFolder, runDir);
});

test('a run directory that is there keeps its mode', async (t) => {
  const runDir = join(await newRunDir(t), 'own');
  mkdirSync(runDir, { mode: 0o700 });
  await makeRunDir(nodeSystem, runDir);
  t.is(mode(runDir), '700');
  const below = join(runDir, 'open');
  mkdirSync(below);
  t.is(await findClosedDirectory(nodeSystem, below), runDir);
  chmodSync(runDir, 0o711);
  t.is(await findClosedDirectory(nodeSystem, below), null);
});
