// What holds for every command there is, read from the command line's own table: how help, wrong options and damaged files end.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Command } from 'commander';
import { buildProgram } from '../../src/shell/cli/program.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';
import { hasStackTrace, iotshaper } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'iotshaper-table-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

/** Every command at every depth, those that help does not show too. */
function commandsOf(command: Command, path: readonly string[] = []): [string[], Command][] {
  return command.commands.flatMap((one) => {
    const here = [...path, one.name()];
    return [[here, one] as [string[], Command], ...commandsOf(one, here)];
  });
}

async function loadTable(): Promise<{ path: string[]; command: Command }[]> {
  const program = await buildProgram({ system: nodeSystem, console: new CapturedConsole() });
  return commandsOf(program).map(([path, command]) => ({ path, command }));
}

async function loadLeaves(): Promise<{ path: string[]; command: Command }[]> {
  const leaves = (await loadTable()).filter(({ command }) => command.commands.length === 0);
  if (leaves.length < 25) throw new Error(`only ${leaves.length} commands`);
  return leaves;
}

test.serial('help is 0, an unknown option 2', async (t) => {
  for (const { path, command } of await loadTable()) {
    const words = path.join(' ');
    const help = await iotshaper(...path, '--help');
    t.is(help.status, 0, words);
    t.is(help.stderr, '');
    t.true(help.stdout.startsWith(`Usage: iotshaper ${words}`), help.stdout);
    if (command.commands.length > 0) continue;
    const wrong = await iotshaper(...path, '--nosuch');
    t.is(wrong.status, 2, words);
    t.is(wrong.stdout, '');
    t.regex(wrong.stderr, /^error: (unknown option '--nosuch'|required option .* not specified)\n/);
  }
});

test.serial('no option takes what stands behind its value', async (t) => {
  for (const { path, command } of await loadLeaves()) {
    const { options } = command;
    for (const { flags, variadic } of options) t.false(variadic, `${path.join(' ')} ${flags}`);
  }
});

test.serial('a value that an option can’t have is 2, and the option is named', async (t) => {
  let tried = 0;
  for (const { path, command } of await loadLeaves()) {
    for (const option of command.options) {
      if (!option.required || !option.long) continue;
      const isChecked = /^<(port|n|s|seconds|ms|KBps|GB|money|hours|bytes|percent|number|share)>$/;
      const kind = option.flags.split(' ').at(-1)!;
      if (!isChecked.test(kind)) continue;
      const { status, stderr } = await iotshaper(...path, option.long, 'https');
      t.is(status, 2, `${path.join(' ')} ${option.flags}`);
      t.true(
        stderr.startsWith(`error: option '${option.flags}' argument 'https' is invalid.`),
        stderr,
      );
      tried++;
    }
  }
  t.true(tried > 40, `${tried}`);
});

// What is damaged, by the command that reads it.
const damaged: Readonly<Record<string, string>> = {
  'homes.json': '{"homes": 1}',
  'bytes.pcap': '\xff\x00\x01garbage',
  'text.csv': 'a,b\n1,2,3\nx',
  uci: "config a 'b",
};
for (const [name, text] of Object.entries(damaged)) writeFileSync(at(name), text, 'latin1');
const identity = {
  ...{ host: 'a', port: 1194, tunnelNet: '10.213.0', innerNet: '10.214' },
  innerNet6: 'fd00:1:2',
};
/** A folder of an endpoint with this in the place of one of its files. */
function state(name: string, file: string, text: string): string {
  mkdirSync(at(name), { mode: 0o700 });
  writeFileSync(join(at(name), 'endpoint.json'), JSON.stringify(identity));
  writeFileSync(join(at(name), 'homes.json'), '[]');
  writeFileSync(join(at(name), file), text);
  return at(name);
}
const noHomes = state('no-homes', 'homes.json', '{}');
const noIdentity = state('no-identity', 'endpoint.json', '[]');
const noCertificate = state('no-certificate', 'endpoint.crt', 'x');

const inputs: readonly (readonly string[])[] = [
  ...[noHomes, noIdentity].flatMap((dir) =>
    [['list'], ['add-home', 'a'], ['rotate', 'a'], ['remove-home', 'a'], ['export']].map(
      (words) => [...['endpoint', ...words, '--state-dir', dir]],
    ),
  ),
  ['endpoint', 'set-host', 'b', '--state-dir', noIdentity],
  ['endpoint', 'set-port', '443', '--state-dir', noIdentity],
  ['endpoint', 'set-ranges', '--state-dir', noIdentity],
  ['endpoint', 'add-home', 'a', '--state-dir', noCertificate],
  ['endpoint', 'import', at('uci'), '--state-dir', at('none')],
  ['endpoint', 'import', folder, '--state-dir', at('none')],
  ['check', at('uci')],
  ['check', at('bytes.pcap')],
  ['print', at('uci')],
  ['print', '--uci', at('uci')],
  ['cost', '--config', at('uci')],
  ['cost', '--config', folder],
  ['audit', '--wire', at('bytes.pcap'), '--activity', at('text.csv')],
  ['audit', '--wire', at('text.csv'), '--activity', at('bytes.pcap')],
  ['audit', '--run', folder],
  ['recommend', at('bytes.pcap')],
  ['recommend', at('text.csv')],
  ['recommend', folder],
  ['simulate', at('bytes.pcap')],
  ['simulate', at('text.csv')],
  ['attack', 'identify', at('bytes.pcap')],
  ['attack', 'identify', at('text.csv')],
  ['attack', 'identify', at('bytes.pcap'), '--labels', at('text.csv')],
  ['attack', 'activity', at('bytes.pcap')],
  ['attack', 'activity', at('text.csv'), '--events', at('uci')],
];
for (const words of inputs) {
  const name = words.join(' ').replaceAll(folder, '…');
  test.serial(`damaged: ${name}`, async (t) => {
    const { status, stdout, stderr } = await iotshaper(...words);
    t.true(status === 1 || status === 4, `${status}: ${stderr}`);
    t.is(stdout, '');
    t.regex(stderr, /^(iotshaper: )?\S.*\n$/s);
    t.false(hasStackTrace(stderr), stderr);
    t.notRegex(stderr, /is not iterable|undefined|\bnull\b|Cannot read|\[object|Unexpected token/);
  });
}

for (const file of ['README.md', 'docs/help.md', 'SECURITY.md', 'docs/configuration.md']) {
  test.serial(`${file} names commands that there are, with options that they have`, async (t) => {
    const text = readFileSync(file, 'utf8');
    const table = await loadTable();
    const named = [...text.matchAll(/(?:^ {4}|`)iotshaper ([a-z][^`\n#]*)/gm)];
    t.true(named.length > 0);
    for (const [, words = ''] of named) {
      const found = table
        .filter(({ path }) => `${words} `.startsWith(`${path.join(' ')} `))
        .sort((a, b) => b.path.length - a.path.length)[0];
      t.truthy(found, words);
      if (found?.command.commands.length) t.regex(words, /^\w+$/, words);
      const known = found?.command.options.map(({ long }) => long) ?? [];
      for (const [option] of words.matchAll(/--[a-z-]+/g)) t.true(known.includes(option), words);
    }
  });
}
