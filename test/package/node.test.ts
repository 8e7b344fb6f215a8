// What a person reads where Node.js is missing or too old, and that it comes before anything else.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from './archive.ts';

/** A machine: the programs in its PATH, each the body of a shell script. */
type Programs = Record<string, string>;

const tools = ['sh', 'tr', 'sed', 'id', 'mkdir', 'chmod', 'cat'];

/** Answers what the scripts ask of Node.js: its version, and whether that will do. */
function nodeOf(version: string): string {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const status = major > 20 || (major === 20 && minor >= 19) ? 0 : 1;
  return `case $1 in --version) echo v${version} ;; -e) exit ${status} ;; *) echo "${version} runs $*" ;; esac`;
}

function addPrograms(folder: string, programs: Programs): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
}

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function runScript(t: ExecutionContext, script: string, programs: Programs): Outcome {
  const root = temporaryFolder(t);
  const bin = join(root, 'bin');
  addPrograms(bin, programs);
  for (const tool of tools) {
    if (programs[tool] !== undefined) continue;
    const place = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    symlinkSync(place, join(bin, tool));
  }
  mkdirSync(join(root, 'scripts'));
  writeFileSync(join(root, 'scripts/install-packages.sh'), 'exec apt-get install "$@"\n');
  return spawnSync('sh', [resolve(script)], {
    cwd: root,
    env: { PATH: bin },
    encoding: 'utf8',
  });
}

const prepare = (t: ExecutionContext, programs: Programs): Outcome =>
  runScript(t, 'scripts/install-node.sh', programs);

/** npm that installs Node.js 20.20.2 where it is told to. */
const npm = [
  'echo "npm $*" >&2',
  'bin=$3/node_modules/node/bin; mkdir -p $bin',
  `cat >$bin/node <<'END'\n#!/bin/sh\n${nodeOf('20.20.2')}\nEND`,
  'chmod +x $bin/node',
].join('\n');
const npmLine =
  'npm install --prefix .node --no-save --no-audit --no-fund --loglevel=error node@20\n';

/** apt-get that brings Debian's npm and Node.js of a version. */
function aptOf(version: string): string {
  const brought = { npm, node: nodeOf(version) };
  const lines = Object.entries(brought).map(
    ([name, body]) =>
      `cat >"$bin/${name}" <<'OUTER'\n#!/bin/sh\n${body}\nOUTER\nchmod +x "$bin/${name}"`,
  );
  return `echo "apt-get $*" >&2\nbin=\${0%/*}\n${lines.join('\n')}`;
}

const root = { id: 'echo 0' };
const person = { id: 'echo 1000' };
const needed = 'Node.js 20.19 or newer and npm are needed; this machine has';

for (const version of ['20.19.0', '20.20.2', '22.1.0']) {
  test(`Node.js ${version} with npm is taken without a word`, (t) => {
    const outcome = prepare(t, { node: nodeOf(version), npm: 'exit 9' });
    t.like(outcome, { status: 0, stdout: '', stderr: '' });
  });
}

test('Debian 12’s Node.js with npm: a newer one is put into .node', (t) => {
  const outcome = prepare(t, { ...person, node: nodeOf('18.20.4'), npm });
  const said = `${needed} Node.js v18.20.4. Installing Node.js 20 from npm into .node, for this folder alone\n`;
  t.like(outcome, { status: 0, stdout: said, stderr: npmLine });
});

test('no Node.js, as root on Debian 12: npm from Debian, Node.js from npm', (t) => {
  const outcome = prepare(t, { ...root, 'apt-get': aptOf('18.20.4') });
  t.is(outcome.status, 0, outcome.stderr);
  t.is(
    outcome.stdout,
    `${needed} no Node.js and no npm. Debian's npm brings Debian's Node.js.\n` +
      'That is Node.js v18.20.4. Installing Node.js 20 from npm into .node, for this folder alone\n',
  );
  t.is(outcome.stderr, `apt-get install npm\n${npmLine}`);
});

test('no Node.js, as root on Debian 13: Debian’s will do', (t) => {
  const outcome = prepare(t, { ...root, 'apt-get': aptOf('20.19.2') });
  t.like(outcome, { status: 0, stderr: 'apt-get install npm\n' });
});

test('no Node.js and not root: says what to type', (t) => {
  const outcome = prepare(t, { ...person, 'apt-get': 'exit 9' });
  const said = `${needed} no Node.js and no npm. Type: sudo apt-get install npm; then run make again, which sees to the rest.\n`;
  t.like(outcome, { status: 1, stdout: '', stderr: said });
});

test('no Node.js and no apt: says where it is to be had', (t) => {
  const outcome = prepare(t, { ...root, node: nodeOf('18.20.4') });
  const said = `${needed} Node.js v18.20.4 and no npm. Install them, e.g. from https://nodejs.org, and run make again.\n`;
  t.like(outcome, { status: 1, stdout: '', stderr: said });
});

test('npm that fails, or brings nothing, is told', (t) => {
  const failed = prepare(t, { node: nodeOf('18.20.4'), npm: 'exit 1' });
  t.like(failed, {
    status: 1,
    stderr:
      'npm could not install it; install Node.js 20.19 or newer yourself, and run make again.\n',
  });
  const idle = prepare(t, { node: nodeOf('18.20.4'), npm: 'exit 0' });
  t.like(idle, {
    status: 1,
    stderr: 'npm did not bring it; install Node.js 20.19 or newer yourself, and run make again.\n',
  });
});

for (const target of ['demo', 'test', 'build', 'deb', 'ipk', 'apk', 'feed', 'dist', 'lint']) {
  test(`make ${target} looks for Node.js before all else`, (t) => {
    const { MAKEFLAGS: _flags, MAKELEVEL: _level, ...env } = process.env;
    const lines = execFileSync('make', ['-n', target], { encoding: 'utf8', env }).split('\n');
    t.is(lines[0], 'sh scripts/install-node.sh');
  });
}

const wrapper = (t: ExecutionContext, folders: readonly Programs[]): Outcome => {
  const base = temporaryFolder(t);
  const path = folders.map((programs, index) => {
    addPrograms(join(base, `${index}`), programs);
    return join(base, `${index}`);
  });
  // Only the folders of this test: the machine's own Node.js would always do.
  const script = readFileSync('files/debian-common/iotshaper', 'utf8');
  t.true(script.includes(' /usr/local/bin /usr/bin;'));
  const copy = join(base, 'iotshaper');
  writeFileSync(copy, script.replace(' /usr/local/bin /usr/bin;', ';'));
  const outcome = spawnSync('/bin/sh', [copy, 'endpoint', 'a b'], {
    env: { PATH: path.join(':') },
    encoding: 'utf8',
  });
  return { ...outcome, stderr: outcome.stderr.replaceAll(base, '') };
};

test('the server’s command runs with the first Node.js that will do', (t) => {
  const outcome = wrapper(t, [
    { node: nodeOf('18.20.4') },
    { node: nodeOf('20.18.9') },
    {},
    { node: 'echo nonsense' },
    { node: 'exit 1' },
    { node: nodeOf('20.20.2') },
    { node: nodeOf('22.1.0') },
  ]);
  t.like(outcome, {
    status: 0,
    stdout: '20.20.2 runs --max-semi-space-size=4 /usr/lib/iotshaper/iotshaper.js endpoint a b\n',
    stderr: '',
  });
});

test('all say the same of how old Node.js may be', (t) => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  t.is(engines.node, '>=20.19');
  for (const file of ['scripts/install-node.sh', 'files/debian-common/iotshaper', 'README.md']) {
    t.regex(readFileSync(file, 'utf8'), /Node\.js 20\.19 or newer/, file);
  }
});

test('the server’s command says in one sentence what is missing', (t) => {
  const say = (there: string) =>
    `iotshaper needs Node.js 20.19 or newer, and there is ${there}. As root, type: npm install --global node@20\n`;
  t.like(wrapper(t, [{ node: nodeOf('18.20.4') }, { node: nodeOf('16.0.0') }]), {
    status: 1,
    stdout: '',
    stderr: say('v18.20.4 (/0/node)'),
  });
  t.like(wrapper(t, [{}]), { status: 1, stdout: '', stderr: say('none') });
});

test('the scripts are clean', (t) => {
  const scripts = ['scripts/install-node.sh', 'files/debian-common/iotshaper'];
  const checked = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  t.is(checked.error, undefined, 'apt-get install shellcheck');
  t.is(checked.status, 0, checked.stdout);
});
