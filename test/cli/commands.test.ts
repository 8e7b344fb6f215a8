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
  [['nosuch'], 2, /unknown command 'nosuch'\n.*--help/],
  [['chekc'], 2, /unknown command 'chekc'\n\(Did you mean check\?\)\n.*--help/],
  [['--nosuch'], 2, /unknown option '--nosuch'/],
  [[], 2, /^Usage: iotshaper/],
  [['endpoint'], 2, /^Usage: iotshaper endpoint/],
  [['endpoint', 'nosuch'], 2, /unknown command 'nosuch'\n.*--help/],
  [['endpoint', 'init', '--state-dir', none], 2, /required option '--host <host>'/],
  [['endpoint', 'init', '--host'], 2, /argument missing/],
  [['endpoint', 'add-home', '--state-dir', none], 2, /missing required argument 'name'/],
  [['endpoint', 'add-home', 'x', '--state-dir', none], 1, /none: there is no endpoint yet; run/],
  [['endpoint', 'list', '--state-dir', none], 1, /there is no endpoint yet/],
  [
    ['endpoint', 'init', '--host', 'a b', '--state-dir', none],
    2,
    /'--host <host>' argument 'a b' is invalid\. must be a host name or an address/,
  ],
  [
    ['endpoint', 'init', '--host', 'a', '--port', '1e3', '--state-dir', none],
    2,
    /'--port <port>' argument '1e3' is invalid\. must be a whole number between 1 and 65535\.\n/,
  ],
  [['audit', '--wire', 'x', '--nosuch'], 2, /unknown option '--nosuch'/],
  [
    ['attack', 'activity', 'x', '--seed', '-1'],
    2,
    /must be a whole number between 0 and 2147483647/,
  ],
  [['attack', 'nosuch'], 2, /unknown command 'nosuch'/],
  [['lab', 'run', '--variant', 'nosuch'], 2, /Allowed choices are unprotected, block, vpn/],
  [['lab', 'run', '--devices', 'echo,nosuch'], 2, /'echo,nosuch' is invalid. must be among sense,/],
  [['lab', 'cases', '--seconds', '1'], 2, /must be a number between 5 and 3600/],
  [
    ['lab', 'table', none],
    1,
    /none\/summary\.json: is not the summary of a lab run; give a folder/,
  ],
  [['lab', 'compare', none], 1, /none\/summary\.json: is not the summary of a lab run/],
  [['lab', 'observe', none], 1, /none\/summary\.json: is not the summary of a lab run/],
  [['lab', 'observe', '--windows', '1,x', none], 2, /must be a number between 0\.1 and 3600/],
  [
    ['attack', 'activity', 'x.pcap', '--leave-out', '9-3'],
    2,
    /--leave-out is "9-3", expected two seconds, FROM-TO/,
  ],
  [['lab', 'plan'], 2, /required option '--device <id>'/],
  [
    ['lab', 'plan', '--device', 'echo', '--out', join(none, 'x.csv')],
    1,
    /--out .*x\.csv: no such folder\n$/,
  ],
  [['check', 'a', 'b'], 2, /too many arguments/],
  [['cost', '--rate', 'fast'], 2, /argument 'fast' is invalid. must be a number between/],
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

test.serial(
  'what homes may have is set, listed, moved with the endpoint, and forgotten with the home',
  async (t) => {
    const dir = join(folder, 'limits');
    const run = (...words: string[]) => iotshaper('endpoint', ...words, '--state-dir', dir);
    await run('init', '--host', '192.0.2.7');
    await run('add-home', 'cottage', '--out', join(folder, 'cottage.ovpn'));
    t.regex(
      (await run('limit')).stdout,
      /^all homes together.*\n\nHOME +DOWN +UP +PACKETS +MONTH\n\(others\) +any +any +any +any\ncottage +any /,
    );
    const said = async (...words: string[]) => (await run('limit', ...words)).stdout;
    t.is(
      await said('--default', '--rate', '40', '--month-gb', '300'),
      'homes without figures of their own: at most 40 KB/s down, 40 KB/s up, 300 GB a month\n',
    );
    t.is(
      await said('cottage', '--down', '80', '--month-gb', 'none', '--slots', '200'),
      'home "cottage": at most 80 KB/s down, 40 KB/s up, 200 packets a second each way\n',
    );
    t.is(
      await said('cottage', '--down', 'default'),
      'home "cottage": at most 40 KB/s down, 40 KB/s up, 200 packets a second each way\n',
    );
    t.is(
      await said('--machine', '--slots', '3000', '--rate', '1500'),
      'all homes together, each way: 1500 KB/s, 3000 packets a second\n',
    );
    t.is(
      await said('--machine', '--slots', 'default'),
      'all homes together, each way: 1500 KB/s\n',
      'of the only home there is nothing is reckoned',
    );
    await run('add-home', 'flat', '--out', join(folder, 'limits-flat.ovpn'));
    t.regex(
      await said('--machine'),
      /1500 KB\/s, \d+ packets a second \(reckoned: 4000 a processor core, at most 16000; /,
    );
    t.is(statSync(join(dir, 'limits.json')).mode & 0o777, 0o600);
    const { homes } = JSON.parse(await said('--json')) as { homes: unknown[] };
    t.deepEqual(homes, [
      { name: 'cottage', downKBps: 40, upKBps: 40, slots: 200, monthGB: null },
      { name: 'flat', downKBps: 40, upKBps: 40, slots: null, monthGB: 300 },
    ]);

    const wrong: [words: string[], said: RegExp][] = [
      [['--rate', '40'], /name the home that it is for, or give --default, or --machine\n/],
      [['cottage', '--machine'], /one of them\n/],
      [
        ['cottage', '--rate', '0.1'],
        /must be a number between 0\.25 and 1000000 KB\/s, "none", or "default"/,
      ],
      [
        ['cottage', '--rate', '20000'],
        /must be between 0\.25 and 10000 KB\/s for a home, got 20000\n/,
      ],
      [['--machine', '--month-gb', '10'], /--machine takes --rate and --slots/],
      [['palace', '--rate', '40'], /there is no home "palace"; there is: cottage, flat\n/],
    ];
    for (const [words, expected] of wrong) {
      const ended = await run('limit', ...words);
      t.is(ended.status, 2);
      t.regex(ended.stderr, expected);
    }

    const copy = join(folder, 'limits-copy.json');
    await run('export', '--out', copy);
    const there = ['--state-dir', join(folder, 'limits-there')];
    await iotshaper('endpoint', 'import', copy, ...there);
    const listed = async (...where: string[]) =>
      (await iotshaper('endpoint', 'limit', ...where)).stdout;
    t.is(await listed(...there), await listed('--state-dir', dir));
    await run('remove-home', 'cottage');
    await run('add-home', 'cottage', '--out', join(folder, 'cottage-again.ovpn'));
    t.regex(await said('cottage'), /at most 40 KB\/s down, 40 KB\/s up, 300 GB a month\n/);
    writeFileSync(join(dir, 'limits.json'), '{"usual":{"downKBps":"fast"}}');
    t.regex(
      (await run('limit')).stderr,
      /limits\.json: is damaged; restore it from a backup, or remove it and set limits anew\n$/,
    );
  },
);

test.serial('an endpoint from first to last', async (t) => {
  const dir = ['--state-dir', join(folder, 'endpoint')];
  const run = (...words: string[]) => iotshaper('endpoint', ...words, ...dir);
  const made = await run('init', '--host', 'vps.invalid');
  t.is(made.status, 0);
  t.is(made.stdout, '');
  t.regex(made.stderr, /^Endpoint vps\.invalid:1194 \(UDP\) is made\. Next: .*add-home NAME --out/);
  t.regex(made.stderr, /^warning: the name vps\.invalid is not found yet; /m);
  const again = await run('init', '--host', 'vps.example.org');
  t.is(again.status, 1);
  t.regex(again.stderr, /there is an endpoint already/);
  t.regex((await run('list')).stdout, /^No homes yet; add one: /);

  const added = await run('add-home', 'cottage');
  t.is(added.status, 0);
  t.true(checkProfile(added.stdout, pemReader).ok);
  const out = join(folder, 'flat.ovpn');
  const told = await run('add-home', 'flat', '--out', out);
  t.is(told.stdout, '');
  t.regex(told.stderr, /^Home "flat" is added\. Its profile is .*flat\.ovpn, a secret: upload it/);
  t.is(statSync(out).mode & 0o777, 0o600);
  const profile = readFileSync(out, 'utf8');
  t.true(checkProfile(profile, pemReader).ok);
  for (const words of [['add-home', 'other'], ['rotate', 'flat'], ['export']]) {
    const kept = await run(...words, '--out', out);
    t.is(kept.status, 1);
    t.regex(kept.stderr, /--out .*flat\.ovpn: is there already/);
    t.is(readFileSync(out, 'utf8'), profile);
    const lost = await run(...words, '--out', join(folder, 'nosuch', 'x.ovpn'));
    t.is(lost.status, 1);
    t.regex(lost.stderr, /^iotshaper: --out .*: no such folder\n$/);
  }
  const twice = await run('add-home', 'flat');
  t.is(twice.status, 1);
  t.is(twice.stdout, '');
  t.regex(twice.stderr, /its key is kept nowhere but in its profile; run ".* rotate flat"/);

  const list = await run('list');
  const state = '+not served: no service +';
  t.regex(
    list.stdout,
    new RegExp(
      `^HOME +ADDRESS +STATE +FINGERPRINT\ncottage +10\\.213\\.0\\.2 ${state}([0-9A-F]{2}:){31}[0-9A-F]{2}\nflat +10\\.213\\.0\\.3 ${state}\\S+\n$`,
    ),
  );
  const { homes: listed } = JSON.parse((await run('list', '--json')).stdout) as {
    homes: { name: string; state: string }[];
  };
  t.deepEqual(
    listed.map(({ name, state: is }) => [name, is]),
    [
      ['cottage', 'not-served'],
      ['flat', 'not-served'],
    ],
  );
  const homes = join(folder, 'endpoint', 'homes.json');
  const stored = readFileSync(homes, 'utf8');
  writeFileSync(homes, stored.replace(/,\s*"controlKey": ".*"/, ''));
  const older = await run('list');
  t.regex(older.stdout, /^cottage .* can't be served /m);
  t.regex(older.stderr, /^warning: home "cottage" is of an older version .* rotate cottage"/);
  for (const { controlKey } of JSON.parse(stored) as { controlKey: string }[]) {
    t.false(`${list.stdout}${older.stdout}${older.stderr}`.includes(controlKey));
  }

  const moved = await run('set-host', '192.0.2.7');
  t.is(moved.status, 0, moved.stderr);
  t.regex(moved.stderr, /^New profiles name 192\.0\.2\.7 from now on\.\n/);
  t.regex(
    moved.stderr,
    /change their line "remote vps\.invalid 1194" to "remote 192\.0\.2\.7 1194"/,
  );
  t.regex(moved.stderr, /^warning: 192\.0\.2\.7 is none of this server's own addresses/m);
  const fresh = join(folder, 'fresh.ovpn');
  t.is((await run('rotate', 'cottage', '--out', fresh)).status, 0);
  t.regex(readFileSync(fresh, 'utf8'), /^remote 192\.0\.2\.7 1194$/m);

  const port = await run('set-port', '443');
  t.is(port.status, 0, port.stderr);
  t.regex(port.stderr, /^Homes come to UDP port 443 from now on\. .*where 1194 was let in/);
  t.regex(port.stderr, /^Profiles made before do not fit any more\. .*\(cottage, /m);
  const free = await run('set-port');
  t.regex(free.stderr, /^Homes come to UDP port (?!443)\d+ from now on/);
  t.is((await run('set-port', '53')).status, 1);
  t.is((await run('set-port', '1194')).status, 0);
  const stay = await run('set-ranges');
  t.regex(
    stay.stderr,
    /^10\.21\d\.0\.0\/24 and 10\.2\d\d\.0\.0\/16 are free, and stay as they are\.$/m,
  );
  const ranges = await run('set-ranges', '--avoid', '10.213.0.0/24,10.216.1.0/24');
  t.is(ranges.status, 0, ranges.stderr);
  t.regex(
    ranges.stderr,
    /^The inside of the tunnel is 10\.217\.0\.0\/24 and 10\.218\.0\.0\/16 from/,
  );
  const all = [213, 215, 217, 219, 221].map((net) => `10.${net}.0.0/24`).join(',');
  const none = await run('set-ranges', '--avoid', all);
  t.is(none.status, 1);
  t.regex(none.stderr, /every range from 10\.213 to 10\.222 has a network .* another network$/m);

  const copy = join(folder, 'copy.json');
  t.is((await run('export', '--out', copy)).status, 0);
  t.is(statSync(copy).mode & 0o777, 0o600);
  const other = ['--state-dir', join(folder, 'other')];
  const taken = await iotshaper('endpoint', 'import', copy, '--host', '192.0.2.8', ...other);
  t.is(taken.status, 0, taken.stderr);
  t.regex(taken.stderr, /^This machine is the endpoint 192\.0\.2\.8:1194 \(UDP\) with 2 homes now/);
  t.is(readFileSync(join(folder, 'other', 'homes.json'), 'utf8'), readFileSync(homes, 'utf8'));
  const unread = await iotshaper('endpoint', 'import', out, ...other);
  t.is(unread.status, 1);
  t.regex(unread.stderr, /flat\.ovpn: is not what "iotshaper endpoint export" writes\n$/);

  const removed = await run('remove-home', 'cottage');
  t.is(removed.status, 0);
  t.regex(removed.stderr, /^Home "cottage" is removed: .* Homes left: flat\.\n$/);
  const gone = await run('remove-home', 'cottage');
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
