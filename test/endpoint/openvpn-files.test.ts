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
  findClosedDirectory,
  makeRunDir,
  prepareOpenVpn,
  removeClientConfigs,
} from '../../src/shell/endpoint/openvpn-files.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const identity = {
  host: 'vps.example.org',
  port: 1195,
  tunnelNet: '10.213.0',
  innerNet: '10.214',
  innerNet6: 'fd12:3456:789a',
};
const homes = [
  { name: 'cottage', host: 2, fingerprint: 'AA:BB', controlKey: '' },
  { name: 'flat', host: 254, fingerprint: 'CC:DD', controlKey: '' },
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

function prepare(runDir: string, served = homes): Promise<{ text: string; said: string[] }> {
  const said: string[] = [];
  const log = (level: string, text: string) => void said.push(`${level}: ${text}`);
  const store = new EndpointStore(nodeSystem, '/nowhere');
  const options = { system: nodeSystem, store, runDir, log };
  return prepareOpenVpn(options, identity, served).then((text) => ({ text, said }));
}

test('OpenVPN becomes nobody, who reads a home’s address and can’t list homes', async (t) => {
  const runDir = await newRunDir(t);
  const { text, said } = await prepare(runDir);
  t.deepEqual(said, []);
  t.regex(text, /^user nobody\ngroup nogroup$/m);
  t.true(text.includes(`\nclient-config-dir ${runDir}/homes\n`));
  t.true(text.includes('<peer-fingerprint>\nAA:BB\nCC:DD\n</peer-fingerprint>\n'));
  for (const directory of [runDir, join(runDir, 'homes')]) t.is(mode(directory), '711');
  for (const { name } of homes) t.is(mode(join(runDir, 'homes', name)), '644');
  const address = readFileSync(join(runDir, 'homes/flat'), 'utf8');
  t.is(address, 'ifconfig-push 10.213.0.254 255.255.255.0\n');
});

test('a home that is gone has no file any more', async (t) => {
  const runDir = await newRunDir(t);
  await prepare(runDir);
  await prepare(runDir, homes.slice(0, 1));
  t.deepEqual(readdirSync(join(runDir, 'homes')), ['cottage']);
  const { text } = await prepare(runDir, []);
  t.deepEqual(readdirSync(join(runDir, 'homes')), []);
  t.regex(text, /<peer-fingerprint>\n(00:){31}00\n<\/peer-fingerprint>/);
  await removeClientConfigs(nodeSystem, runDir);
  t.deepEqual(readdirSync(runDir), []);
});

test('where nobody can’t read them OpenVPN stays root, and the log says why', async (t) => {
  const runDir = await newRunDir(t);
  chmodSync(runDir, 0o700);
  const { text, said } = await prepare(runDir);
  t.notRegex(text, /^(user|group) /m);
  t.deepEqual(said, [`warning: OpenVPN keeps running as root: ${runDir} is closed to other users`]);
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
