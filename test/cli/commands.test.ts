// Commands and options that are not there, and those that can't be: a hint, another status than 0, no stack trace.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Command } from 'commander';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { buildProgram } from '../../src/shell/cli/program.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';
import { hasStackTrace, iotshaper, startIotshaper } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'iotshaper-cli-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const none = join(folder, 'none');
const context = { system: nodeSystem, console: new CapturedConsole() };

const refused: [words: string[], status: number, said: RegExp][] = [
  [['nosuch'], 1, /unknown command 'nosuch'\n.*--help/],
  [['chekc'], 1, /unknown command 'chekc'\n\(Did you mean check\?\)\n.*--help/],
  [['--nosuch'], 1, /unknown option '--nosuch'/],
  [[], 1, /^Usage: iotshaper/],
  [['endpoint'], 1, /^Usage: iotshaper endpoint/],
  [['endpoint', 'nosuch'], 1, /unknown command 'nosuch'\n.*--help/],
  [['endpoint', 'init', '--state-dir', none], 1, /required option '--host <host>'/],
  [['endpoint', 'init', '--host'], 1, /argument missing/],
  [['endpoint', 'add-home', '--state-dir', none], 1, /missing required argument 'name'/],
  [['endpoint', 'add-home', 'x', '--state-dir', none], 1, /none: there is no endpoint yet; run/],
  [['endpoint', 'list', '--state-dir', none], 1, /there is no endpoint yet/],
  [['endpoint', 'init', '--host', 'a b', '--state-dir', none], 1, /--host: must be .* got "a b"/],
  [
    ['endpoint', 'init', '--host', 'a', '--port', '1e3', '--state-dir', none],
    1,
    /'--port <port>' argument '1e3' is invalid\. must be a whole number between 1 and 65535\.\n/,
  ],
  [['audit', '--wire', 'x', '--nosuch'], 2, /unknown option '--nosuch'/],
  [
    ['attack', 'activity', 'x', '--seed', '-1'],
    1,
    /must be a whole number between 0 and 2147483647/,
  ],
  [['attack', 'nosuch'], 1, /unknown command 'nosuch'/],
  [['lab', 'run', '--variant', 'nosuch'], 1, /Allowed choices are unprotected, block, vpn/],
  [['lab', 'run', '--devices', 'echo,nosuch'], 1, /'echo,nosuch' is invalid. must be among sense,/],
  [['lab', 'cases', '--seconds', '1'], 1, /must be a number between 5 and 3600/],
  [
    ['lab', 'table', none],
    1,
    /none\/summary\.json: is not the summary of a lab run; give a folder/,
  ],
  [['lab', 'compare', none], 1, /none\/summary\.json: is not the summary of a lab run/],
  [['lab', 'observe', none], 1, /none\/summary\.json: is not the summary of a lab run/],
  [['lab', 'observe', '--windows', '1,x', none], 1, /must be a number between 0\.1 and 3600/],
  [
    ['attack', 'activity', 'x.pcap', '--leave-out', '9-3'],
    1,
    /--leave-out is "9-3", expected two seconds, FROM-TO/,
  ],
  [['lab', 'plan'], 1, /required option '--device <id>'/],
  [
    ['lab', 'plan', '--device', 'echo', '--out', join(none, 'x.csv')],
    1,
    /--out .*x\.csv: no such folder\n$/,
  ],
  [['check', 'a', 'b'], 1, /too many arguments/],
  [['cost', '--rate', 'fast'], 1, /argument 'fast' is invalid. must be a number between/],
  [
    ['status', '--run-dir', none],
    3,
    /^iotshaper: iotshaper is not running, so your devices are not protected; start it with: .*\n$/,
  ],
  [
    ['reload', '--run-dir', none],
    3,
    /^iotshaper: iotshaper is not running, so your devices are not protected; start it with: .*\n$/,
  ],
];

for (const [words, status, said] of refused) {
  test.serial(`refused: ${words.join(' ').replace(folder, '…')}`, async (t) => {
    // The lab writes to its process's own console.
    const asProcess = words.length < 2 || words[0] === 'lab';
    const ended = await (asProcess ? startIotshaper : iotshaper)(...words);
    t.is(ended.status, status);
    t.is(ended.stdout, '');
    t.regex(ended.stderr, said);
    t.false(hasStackTrace(ended.stderr), ended.stderr);
    t.throws(() => statSync(none), { code: 'ENOENT' });
  });
}

test.serial('version and help are no failure', async (t) => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  t.is((await startIotshaper('--version')).stdout, `${version}\n`);
  const help = await startIotshaper('--help');
  t.is(help.status, 0);
  for (const { name, description } of commandsOf(await buildProgram(context))) {
    t.not(description, '', name);
    if (!name.includes(' ')) t.regex(help.stdout, new RegExp(`^  ${name}\\b`, 'm'));
  }
});

/** Every command that help shows, at every depth. */
function commandsOf(
  command: Command,
  path: string[] = [],
): { name: string; description: string }[] {
  return [...command.createHelp().visibleCommands(command)].flatMap((one) => {
    const here = [...path, one.name()];
    return [{ name: here.join(' '), description: one.description() }, ...commandsOf(one, here)];
  });
}

test('no command ends the process by itself', async (t) => {
  const visit = (command: Command): void => {
    // Commander throws where a callback is set, and calls process.exit elsewhere.
    t.truthy((command as unknown as { _exitCallback: unknown })._exitCallback, command.name());
    for (const one of command.commands) visit(one);
  };
  visit(await buildProgram(context));
});

test.serial('an endpoint from first to last', async (t) => {
  const dir = ['--state-dir', join(folder, 'endpoint')];
  const made = await iotshaper('endpoint', 'init', '--host', 'vps.example.org', ...dir);
  t.is(made.status, 0);
  t.is(made.stdout, '');
  t.regex(
    made.stderr,
    /^Endpoint vps\.example\.org:1194 \(UDP\) is made\. Next: .*add-home NAME\n$/,
  );
  const again = await iotshaper('endpoint', 'init', '--host', 'vps.example.org', ...dir);
  t.is(again.status, 1);
  t.regex(again.stderr, /there is an endpoint already/);

  const added = await iotshaper('endpoint', 'add-home', 'cottage', ...dir);
  t.is(added.status, 0);
  t.true(checkProfile(added.stdout, pemReader).ok);
  const out = join(folder, 'flat.ovpn');
  t.is((await iotshaper('endpoint', 'add-home', 'flat', '--out', out, ...dir)).stdout, '');
  t.is(statSync(out).mode & 0o777, 0o600);
  t.true(checkProfile(readFileSync(out, 'utf8'), pemReader).ok);

  const lost = join(folder, 'nosuch', 'x.ovpn');
  const failed = await iotshaper('endpoint', 'add-home', 'lost', '--out', lost, ...dir);
  t.is(failed.status, 1);
  t.regex(failed.stderr, /^iotshaper: --out: ENOENT/);

  const list = await iotshaper('endpoint', 'list', ...dir);
  t.regex(
    list.stdout,
    /^cottage\t10\.213\.0\.2\t([0-9A-F]{2}:){31}[0-9A-F]{2}\nflat\t10\.213\.0\.3\t\S+\n$/,
  );
  const homes = join(folder, 'endpoint', 'homes.json');
  const stored = readFileSync(homes, 'utf8');
  writeFileSync(homes, stored.replace(/,\s*"controlKey": ".*"/, ''));
  const older = await iotshaper('endpoint', 'list', ...dir);
  t.is(
    older.stdout,
    list.stdout.replace(
      '\nflat',
      '\tcan not be served: of an older version; run remove-home and add-home, then upload the new profile\nflat',
    ),
  );
  for (const { controlKey } of JSON.parse(stored) as { controlKey: string }[]) {
    t.false(`${list.stdout}${older.stdout}`.includes(controlKey));
  }
  t.is((await iotshaper('endpoint', 'remove-home', 'cottage', ...dir)).status, 0);
  const gone = await iotshaper('endpoint', 'remove-home', 'cottage', ...dir);
  t.is(gone.status, 1);
  t.is(gone.stderr, 'iotshaper: there is no home "cottage"; there is: flat\n');
});

test.serial('a plan is a trace that the simulation reads', async (t) => {
  const out = join(folder, 'echo.csv');
  const made = await startIotshaper(
    'lab',
    'plan',
    '--device',
    'echo',
    '--seconds',
    '30',
    '--out',
    out,
  );
  t.is(made.status, 0);
  const printed = await startIotshaper('lab', 'plan', '--device', 'echo', '--seconds', '30');
  t.is(printed.stdout, readFileSync(out, 'utf8'));
  const simulated = await startIotshaper('simulate', '--figure9', `echo=${out}`);
  t.is(simulated.status, 0);
  t.regex(simulated.stdout, /^echo +10\/10 /m);
});
