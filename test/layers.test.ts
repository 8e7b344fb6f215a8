// Which parts may import which: the core stays free of the system, and nothing lies unused.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';

/** Parts that take time, randomness and facts as arguments, and touch nothing. */
const core = ['analysis', 'capture', 'config', 'cost', 'devices', 'framing', 'ip', 'pacing'].concat(
  ['plan', 'plot', 'random', 'simulation', 'stream'],
);
const shell = ['cli', 'daemon', 'endpoint', 'lab', 'openvpn', 'shaper', 'system', 'tunnel', 'ubus'];

/** Parts that get by without any of the platform's modules, and the files that are excused. */
const platformFree = [
  'cost',
  'devices',
  'framing',
  'ip',
  'pacing',
  'plan',
  'plot',
  'random',
  'stream',
];
const excused: Record<string, string[]> = { 'src/pacing/crypto-random.ts': ['node:crypto'] };

/** What only these may import. */
const reserved: Record<string, string[]> = {
  cli: ['main.ts'],
  daemon: ['cli', 'endpoint'],
  endpoint: ['cli'],
  lab: ['cli'],
  ubus: ['cli'],
};

interface Import {
  from: string;
  to: string;
  /** Read only when a command asks for it: a file of its own in what is shipped. */
  isLater: boolean;
}

/** Imports that are there at run time: what only names types is gone. */
async function importsOfBundle(): Promise<Import[]> {
  const { metafile } = await build({
    entryPoints: ['src/main.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return Object.entries(metafile.inputs).flatMap(([from, { imports }]) =>
    imports.map(({ path, kind }) => ({ from, to: path, isLater: kind === 'dynamic-import' })),
  );
}

/** The part a source file belongs to: its folder, or its own name at the top. */
function partOf(path: string): string {
  return path.split('/')[1] ?? path;
}

const imports = importsOfBundle();

test('the core imports nothing of the shell', async (t) => {
  const found = await imports;
  t.true(found.length > 200, `${found.length} imports`);
  const bad = found.filter(
    ({ from, to }) =>
      core.includes(partOf(from)) && shell.some((part) => to.startsWith(`src/${part}/`)),
  );
  // Recording the wire is what `audit` does on a router; the sums beside it are pure.
  t.deepEqual(
    bad.filter(({ from }) => from !== 'src/analysis/live-capture.ts'),
    [],
  );
});

test('the purest parts import nothing of the platform', async (t) => {
  const bad = (await imports).filter(
    ({ from, to }) =>
      platformFree.includes(partOf(from)) && !to.startsWith('src/') && !excused[from]?.includes(to),
  );
  t.deepEqual(bad, []);
});

/** Parts of the shell that are pure all the same. */
const pureFiles = ['src/control/message.ts', 'src/openvpn/management.ts'].concat(
  ['inside', 'pem', 'profile', 'profile-directives', 'profile-names', 'profile-text', 'remote'].map(
    (name) => `src/openvpn/${name}.ts`,
  ),
);

test('messages and profiles are read without sockets, files or keys', async (t) => {
  const platform = (await imports).filter(
    ({ from, to }) => pureFiles.includes(from) && !to.startsWith('src/'),
  );
  // isIP, isIPv4 and isIPv6.
  t.deepEqual([...new Set(platform.map(({ to }) => to))], ['node:net']);
});

test('of the control channel only the socket and the hash touch the platform', async (t) => {
  const platform = (await imports).filter(
    ({ from, to }) => partOf(from) === 'control' && !to.startsWith('src/'),
  );
  t.deepEqual(platform.map(({ from, to }) => `${from} ${to}`).sort(), [
    'src/control/hmac.ts node:crypto',
    'src/control/home-control.ts node:dgram',
    'src/control/message.ts node:net',
  ]);
});

test('the highest parts are imported by those above them alone', async (t) => {
  const bad = (await imports).filter(({ from, to }) => {
    const [here, there] = [partOf(from), partOf(to)];
    return to.startsWith('src/') && here !== there && reserved[there]?.includes(here) === false;
  });
  t.deepEqual(bad, []);
});

/** Every source file that a bundle from this one holds, each with the way there. */
async function bundledFrom(entry: string): Promise<Map<string, string>> {
  const found = await imports;
  const ways = new Map([[entry, entry]]);
  for (const [file, way] of ways)
    for (const { from, to, isLater } of found)
      if (from === file && to.startsWith('src/') && !isLater && !ways.has(to))
        ways.set(to, `${way} > ${to}`);
  return ways;
}

/** Whatever of `ways` lies in none of these folders and is none of these files. */
function outside(ways: ReadonlyMap<string, string>, parts: string[], files: string[]): string[] {
  return [...ways]
    .filter(([file]) => !parts.includes(partOf(file)) && !files.includes(file))
    .map(([, way]) => way);
}

test('what a router runs all day holds nothing of research, tools or the endpoint', async (t) => {
  const ways = await bundledFrom('src/main.ts');
  const parts = ['config', 'control', 'cost', 'daemon', 'framing', 'ip', 'openvpn', 'pacing']
    .concat(['plan', 'shaper', 'stream', 'system', 'tunnel', 'ubus'])
    .concat('main.ts', 'version.ts');
  const commands = ['check', 'cost', 'failure', 'number-options', 'paths', 'print']
    .concat(['program', 'run', 'status', 'until-signal'])
    .map((name) => `src/cli/${name}.ts`);
  t.deepEqual(outside(ways, parts, [...commands, 'src/plot/text-table.ts']), []);
  t.true(ways.size > 100, `${ways.size} files`);
});

test('the tools beside it hold nothing of the lab and its attacks', async (t) => {
  const ways = await bundledFrom('src/cli/tools.ts');
  const parts = ['capture', 'config', 'control', 'cost', 'framing', 'ip', 'pacing'].concat([
    'random',
    'stream',
  ]);
  const simulation = ['direction-trace', 'latency', 'link', 'packed-link', 'packet-owner']
    .concat(['recommend', 'trace'])
    .map((name) => `src/simulation/${name}.ts`);
  const commands = ['audit', 'failure', 'number-options', 'paths', 'recommend', 'text-file']
    .concat(['tools', 'trace-options'])
    .map((name) => `src/cli/${name}.ts`);
  const analysis = [...ways.keys()].filter((file) =>
    /^src\/analysis\/(audit|statistics\/|forest|activity-events|live-capture|wire-features)/.test(
      file,
    ),
  );
  t.deepEqual(
    outside(ways, parts, [...simulation, ...commands, ...analysis, 'src/plot/text-table.ts']),
    [],
  );
  t.true(analysis.length > 15, analysis.join(' '));
});

/** Written for tests and for whoever uses the sources as a library; the page folds the rate section in its own language. */
const spare = ['src/capture/writer.ts', 'src/config/rate-section.ts'];

test('every source file is reached from the program', (t) => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `src/${path}`);
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, to] of readFileSync(path, 'utf8').matchAll(/(?:from|import)[\s(]+'(\.[^']+)'/g))
      visit(normalize(join(dirname(path), to!)));
  };
  visit('src/main.ts');
  t.deepEqual(
    sources.filter((path) => !reached.has(path) && !spare.includes(path)),
    [],
  );
});
