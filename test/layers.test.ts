// Three wings: a pure core, a shell that touches the system, research apart. Who may import whom, types included.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import test from 'ava';

interface Import {
  from: string;
  /** A file below src, or a module's name. */
  to: string;
  /** Read only when a command asks for it: a file of its own in what is shipped. */
  isLater: boolean;
}

type Graph = ReadonlyMap<string, readonly Import[]>;

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => `src/${path}`);

/** What a file's text imports, of values and of types alike. */
function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(/(?:\bfrom|\bimport)(\s*\(\s*|\s+)'([^']+)'/g)].map(
    ([, between, name]) => ({
      from,
      to: name!.startsWith('.') ? normalize(join(dirname(from), name!)) : name!,
      isLater: between!.includes('('),
    }),
  );
}

const graph: Graph = new Map(
  sources.map((path) => [path, importsOf(path, readFileSync(path, 'utf8'))]),
);

/** `core`, `shell` or `research`; a file at the top is its own wing. */
function wingOf(path: string): string {
  return path.startsWith('src/') ? path.split('/')[1]! : 'outside';
}

/** Everything that is read with `entry`, each with the way there. */
function reachOf(entry: string, among: Graph): Map<string, string> {
  const ways = new Map([[entry, entry]]);
  for (const [file, way] of ways) {
    for (const { to, isLater } of among.get(file) ?? []) {
      if (!isLater && !ways.has(to)) ways.set(to, `${way} > ${to}`);
    }
  }
  return ways;
}

/** Libraries that judge configurations. */
const LIBRARIES = ['ajv', 'ip-cidr'];

/** Ways from a file of the core to what is none of it. */
function waysOutOfCore(among: Graph): string[] {
  const ways = [...among.keys()]
    .filter((path) => wingOf(path) === 'core')
    .flatMap((path) => [...reachOf(path, among)])
    .filter(([to]) => wingOf(to) !== 'core' && to !== 'src/version.ts' && !LIBRARIES.includes(to));
  return [...new Set(ways.map(([, way]) => way))];
}

/** Ways from what a router or server runs to research. */
function waysToResearch(among: Graph): string[] {
  const wings = ['shell', 'main.ts', 'main-quickjs.ts'];
  const starts = [...among.keys()].filter((path) => wings.includes(wingOf(path)));
  return starts
    .flatMap((path) => [...reachOf(path, among)])
    .filter(([to]) => wingOf(to) === 'research')
    .map(([, way]) => way);
}

function withImport(from: string, text: string): Graph {
  return new Map([...graph, [from, [...(graph.get(from) ?? []), ...importsOf(from, text)]]]);
}

test('src shows three wings', (t) => {
  t.deepEqual(readdirSync('src').sort(), [
    ...['core', 'main-quickjs.ts', 'main.ts', 'research', 'shell', 'version.ts'],
  ]);
  t.true(sources.length > 200, `${sources.length} files`);
});

test('no file has more than 300 lines, no folder more than 15 files', (t) => {
  const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').length - 1;
  const filesIn = (folder: string) => sources.filter((path) => dirname(path) === folder).length;
  t.deepEqual(
    sources.filter((path) => linesOf(path) > 300),
    [],
  );
  t.deepEqual(
    [...new Set(sources.map(dirname))].filter((folder) => filesIn(folder) > 15),
    [],
  );
});

test('the core imports nothing but itself, no module of the platform, and no type of the shell', (t) => {
  t.deepEqual(waysOutOfCore(graph), []);
});

test('nothing that a router or a server runs imports research', (t) => {
  t.deepEqual(waysToResearch(graph), []);
});

test('the checks find a type of the shell, a socket behind two imports, and research in the shell', (t) => {
  const packer = 'src/core/framing/packer.ts';
  const type = withImport(packer, "import type { Log } from '../../shell/system/log.ts';");
  t.true(waysOutOfCore(type).some((way) => way.startsWith(`${packer} > src/shell/system/log.ts`)));
  const rhythm = 'src/core/control/rhythm.ts';
  const socket = new Map([
    ...withImport(packer, "import { helloEveryMs } from '../control/rhythm.ts';"),
    [rhythm, importsOf(rhythm, "import { createSocket } from 'node:dgram';")],
  ]);
  t.true(waysOutOfCore(socket).includes(`${packer} > ${rhythm} > node:dgram`));
  const watch = 'src/shell/home/home-watch.ts';
  const research = withImport(watch, "import { runLab } from '../../research/lab/run.ts';");
  t.true(waysToResearch(research).includes(`${watch} > src/research/lab/run.ts`));
});

/** What exists in Node and in no other engine, or has to be handed in. */
const GLOBALS =
  /\b(?:Buffer|process|performance|setTimeout|setInterval|setImmediate|__dirname|require)\b\s*[.(]/;

test('the core uses no global of Node, but where bytes of captures and files are read', (t) => {
  const excused = /^src\/core\/(?:capture|config\/uci)/;
  const bad = sources.filter((path) => {
    if (wingOf(path) !== 'core' || excused.test(path)) return false;
    const code = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return GLOBALS.test(code);
  });
  t.deepEqual(bad, []);
});

/** Of Node's modules these compute and touch nothing. */
const SUMS = ['node:path', 'node:crypto'];
/** What asks the machine without a door, and what names Node's own types. */
const MACHINE =
  /\b(?:process|performance|setTimeout|setInterval|setImmediate)\b\s*[.(]|\bDate\.now\b|\bNodeJS\b/;

/** One for each engine. */
const DOORS = ['src/shell/system/node/', 'src/shell/system/quickjs/'];

/**
 * A fleet's registry and eye: libraries that open sockets of their own, each in the one file that may, which no router has.
 * All else that a fleet asks of the machine goes through the door, too.
 */
const FLEET: Readonly<Record<string, readonly string[]>> = {
  'src/shell/fleet/database.ts': ['pg'],
  'src/shell/fleet/metrics.ts': ['prom-client'],
  'src/shell/fleet/http-server.ts': ['node:http'],
};

/** Why a file of the shell does more than hand everything to the door it was given; null when it does not. */
function waysAroundDoor(path: string, text: string): string | null {
  if (wingOf(path) !== 'shell' || DOORS.some((door) => path.startsWith(door))) return null;
  const module = importsOf(path, text).find(
    ({ to }) => to.startsWith('node:') && !SUMS.includes(to) && !FLEET[path]?.includes(to),
  );
  if (module) return `${path} imports ${module.to}`;
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const word = MACHINE.exec(code)?.[0];
  return word === undefined ? null : `${path} says ${word}`;
}

test('only the door touches the machine', (t) => {
  const around = sources.map((path) => waysAroundDoor(path, readFileSync(path, 'utf8')));
  t.deepEqual(
    around.filter((way) => way !== null),
    [],
  );
});

test('the check finds a module, a clock, a timer and a type of Node in the shell', (t) => {
  const path = 'src/shell/tunnel/frame-link.ts';
  const ways = (text: string): string | null => waysAroundDoor(path, text);
  t.is(ways("import { createSocket } from 'node:dgram';"), `${path} imports node:dgram`);
  t.is(ways('const nowMs = performance.now();'), `${path} says performance.`);
  t.is(ways('setTimeout(() => {}, 5);'), `${path} says setTimeout(`);
  t.is(ways('let timer: NodeJS.Timeout;'), `${path} says NodeJS`);
  t.is(ways("import { join } from 'node:path'; // no process.env"), null);
  t.is(waysAroundDoor('src/shell/system/node/files.ts', "import 'node:fs';"), null);
});

test('what opens sockets by itself is a fleet’s alone, a library a file, and read only where there is a fleet', (t) => {
  const modules = Object.values(FLEET).flat();
  const found = [...graph.values()].flat().filter(({ to }) => modules.includes(to));
  const door = found.filter(({ from }) => !DOORS.some((path) => from.startsWith(path)));
  t.deepEqual(
    door.map(({ from, to }) => `${from} ${to}`).sort(),
    [
      ...Object.entries(FLEET).flatMap(([path, names]) => names.map((name) => `${path} ${name}`)),
    ].sort(),
  );
  const bad = [...graph.values()]
    .flat()
    .filter(
      ({ from, to, isLater }) =>
        to.startsWith('src/shell/fleet/') && !from.startsWith('src/shell/fleet/') && !isLater,
    );
  t.deepEqual(bad, []);
});

test('what a router runs all day holds neither tools nor the endpoint nor a command line', (t) => {
  const starts = ['src/main.ts', 'src/main-quickjs.ts', 'src/shell/cli/home.ts'];
  const held = starts.flatMap((path) => [...reachOf(path, graph).keys()]);
  const bad = held.filter((path) =>
    /^src\/shell\/(?:endpoint|fleet|analysis|capture|simulation)\/|\/cli\/(?:tools\/|(?:endpoint|program)\.ts$)|^commander$/.test(
      path,
    ),
  );
  // The service tells of an audit's outcome, whose sums are made by the tools.
  t.deepEqual(bad, []);
  t.true(held.length > 100, `${held.length} files`);
});

test('a command is imported by the command line alone', (t) => {
  const bad = [...graph.values()]
    .flat()
    .filter(
      ({ from, to }) =>
        to.includes('/shell/cli/') && !/\/cli\/|^src\/main(?:-quickjs)?\.ts$/.test(from),
    );
  t.deepEqual(bad, []);
});

/** What stands in bundles in the place of ip-address, and on QuickJS in the place of Node.js's modules. */
const spare = [
  'src/core/ip/block-address.ts',
  ...['crypto', 'command-line', 'pem-reader', 'der'].map(
    (name) => `src/shell/system/quickjs/stand-ins/${name}.ts`,
  ),
  'src/shell/system/quickjs/modules.d.ts',
];

test('every source file is reached from the program, the page or the documentation', (t) => {
  const reached = new Set([
    'src/main.ts',
    'src/main-quickjs.ts',
    // The page's module, what it gives translators, and the documentation's table.
    'src/core/page/page.ts',
    'src/core/page/texts.ts',
    'src/core/config/options/option-markdown.ts',
  ]);
  for (const path of reached) for (const { to } of graph.get(path) ?? []) reached.add(to);
  t.deepEqual(
    sources.filter((path) => !reached.has(path) && !spare.includes(path)),
    [],
  );
});

test('only QuickJS’s own door, and what starts it, imports QuickJS’s modules', (t) => {
  const bad = [...graph.values()]
    .flat()
    .filter(({ from, to }) => to.startsWith('quickjs:') && !from.startsWith(DOORS[1]!));
  t.deepEqual(bad, []);
});

/** Reads files where nothing but ECMAScript's own globals is there, and says which can't be read. */
const BARE = `
  import { runInNewContext } from 'node:vm';
  const own = new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)'));
  const [, ...files] = process.argv;
  const say = console.log.bind(console);
  for (const name of Object.getOwnPropertyNames(globalThis)) if (!own.has(name)) delete globalThis[name];
  for (const file of files) await import(file).catch(({ message }) => say(file + ': ' + message));
  say('all read');
`;

test('every file of the core is read by an engine that has nothing of its own yet', (t) => {
  const files = sources
    .filter((path) => wingOf(path) === 'core')
    .map((path) => resolve('build', path.replace(/\.ts$/, '.js')));
  const argv = ['--input-type=module', '--eval', BARE, ...files];
  const { stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
  t.is(stdout, 'all read\n');
});
