// The init scripts, run as rc.common runs them, with a stand-in for procd that prints what it is asked.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from './archive.ts';

/** Runs one action; returns the lines it printed. */
function init(
  script: string,
  action: string,
  env: Record<string, string> = {},
  path = '',
): string[] {
  const { stdout, stderr, status } = spawnSync(
    'dash',
    [resolve('test/package/rc.common'), script, action],
    {
      encoding: 'utf8',
      env: { PATH: `${path}${process.env.PATH}`, ...env },
    },
  );
  if (status !== 0) throw new Error(`${action}: status ${status}, ${stderr}`);
  return stdout.trimEnd().split('\n').filter(Boolean);
}

const SERVICE = resolve('files/etc/init.d/iotshaper');

test('starts after firewall (19) and network (20), and adds its commands to rc.common’s', (t) => {
  t.deepEqual(init(SERVICE, 'settings'), ['START=40 STOP=60 USE_PROCD=1 extra: check print']);
});

test('start: one instance, respawned without end, both streams logged, told of what concerns it', (t) => {
  t.deepEqual(init(SERVICE, 'start'), [
    'open_instance ',
    'set_param command /usr/bin/iotshaper run',
    'set_param env LOG_SPLIT=1',
    'set_param stdout 1',
    'set_param stderr 1',
    'set_param respawn 3600 5 0',
    'set_param term_timeout 15',
    'close_instance',
    'reload_trigger iotshaper firewall',
    'raw_trigger interface.*.up 2000 /etc/init.d/iotshaper reload',
  ]);
});

test('node takes the options it is started with, and looks for garbage early in each package', (t) => {
  const starts = [
    'usr/bin/iotshaper',
    'debian-home/iotshaper.service',
    'debian/iotshaper-endpoint.service',
  ];
  for (const file of starts) {
    const options = readFileSync(`files/${file}`, 'utf8').match(/--[a-z0-9=-]+/g) ?? [];
    t.true(
      options.some((option) => /^--incremental-marking-hard-trigger=\d+$/.test(option)),
      file,
    );
    const { status, stderr } = spawnSync(process.execPath, [...options, '-e', '0'], {
      encoding: 'utf8',
    });
    t.is(status, 0, stderr);
  }
});

test('start: devices are held back until the service shapes, unless it runs already', (t) => {
  const folder = temporaryFolder(t);
  const script = join(folder, 'iotshaper');
  const rules = join(folder, 'boot.nft');
  const text = readFileSync(SERVICE, 'utf8').replace('/etc/iotshaper/boot.nft', rules);
  writeFileSync(script, text);
  const program = (name: string, body: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  program('nft', 'echo "nft $*"');
  program('logger', 'echo "logger $*"');
  const start = (env = {}) => init(script, 'start', env, `${folder}:`)[0];
  t.is(start(), 'open_instance ');
  writeFileSync(rules, 'table');
  t.is(start(), `nft -f ${rules}`);
  t.is(start({ RUNNING: '1' }), 'open_instance ');
  program('nft', 'exit 1');
  t.is(
    start(),
    `logger -t iotshaper -p daemon.err ${rules}: nft refuses it; devices are not held back until the service is up`,
  );
});

test('reload sends HUP to a running service and does nothing otherwise', (t) => {
  t.deepEqual(init(SERVICE, 'reload', { RUNNING: '1' }), ['signal iotshaper * HUP']);
  t.deepEqual(init(SERVICE, 'reload'), []);
});

test('only a stop for good opens: restart, upgrade and shutdown ask for a closed door first', (t) => {
  const folder = temporaryFolder(t);
  const run = join(folder, 'run');
  const script = join(folder, 'iotshaper');
  writeFileSync(script, readFileSync(SERVICE, 'utf8').replaceAll('/var/run/iotshaper', run));
  const isShutBy = (action: string, env = {}): boolean => {
    rmSync(run, { recursive: true, force: true });
    mkdirSync(run);
    t.is(init(script, action, env)[0], 'kill iotshaper');
    return existsSync(join(run, 'stay-shut'));
  };
  t.false(isShutBy('stop'));
  t.false(isShutBy('stop', { PKG_UPGRADE: '0' }), 'removal');
  t.true(isShutBy('stop', { PKG_UPGRADE: '1' }));
  t.true(isShutBy('shutdown'));
  t.true(isShutBy('restart'));
  rmSync(run, { recursive: true });
  t.is(init(script, 'restart')[1], 'open_instance ', 'where it did not run it starts');
});

test('status, check and print are the program’s', (t) => {
  const folder = temporaryFolder(t);
  const script = join(folder, 'iotshaper');
  writeFileSync(
    script,
    readFileSync(SERVICE, 'utf8').replaceAll('/usr/bin/iotshaper', 'echo program'),
  );
  for (const command of ['status', 'check', 'print']) {
    t.deepEqual(init(script, command), [`program ${command}`]);
  }
});

interface BootOptions {
  rules?: string;
  /** null where there is no service. */
  enabled?: boolean | null;
  refuses?: boolean;
}

/** Boots with stand-ins for nft and logger; returns what they were called with. */
function boot(
  t: ExecutionContext,
  { rules, enabled = true, refuses = false }: BootOptions,
): string[] {
  const folder = temporaryFolder(t);
  const log = join(folder, 'calls');
  for (const path of ['bin', 'init.d', 'iotshaper']) mkdirSync(join(folder, path));
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  program('bin/nft', `echo "nft $*" >> "${log}"; ${refuses ? 'exit 1' : ''}`);
  program('bin/logger', `echo "logger $*" >> "${log}"`);
  if (enabled !== null)
    program('init.d/iotshaper', `[ "$1" = enabled ] && exit ${enabled ? 0 : 1}`);
  if (rules !== undefined) writeFileSync(join(folder, 'iotshaper/boot.nft'), rules);
  const script = join(folder, 'init.d/iotshaper-boot');
  writeFileSync(
    script,
    readFileSync('files/etc/init.d/iotshaper-boot', 'utf8').replaceAll('/etc/', `${folder}/`),
  );
  init(script, 'boot', {}, `${join(folder, 'bin')}:`);
  const calls = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  return calls.map((line) => line.replaceAll(folder, ''));
}

test('boot: loads the kept rules before the firewall and the network', (t) => {
  t.deepEqual(init(resolve('files/etc/init.d/iotshaper-boot'), 'settings'), [
    'START=18 STOP= USE_PROCD= extra:',
  ]);
  t.deepEqual(boot(t, { rules: 'table' }), ['nft -f /iotshaper/boot.nft']);
});

test('boot: shuts nobody in where there are no rules, or no service that would open again', (t) => {
  t.deepEqual(boot(t, {}), []);
  t.deepEqual(boot(t, { rules: '' }), []);
  t.deepEqual(boot(t, { rules: 'table', enabled: false }), []);
});

test('boot: after a sysupgrade that kept this script alone, devices are held back until the package is there', (t) => {
  t.deepEqual(boot(t, { rules: 'table', enabled: null }), ['nft -f /iotshaper/boot.nft']);
  const lines = readFileSync('docs/platforms.md', 'utf8').match(/\S+ >> \/etc\/sysupgrade\.conf/g);
  t.deepEqual(
    lines?.map((line) => line.split(' ')[0]),
    ['/etc/init.d/iotshaper-boot', '/etc/rc.d/S18iotshaper-boot'],
  );
});

test('boot: says so when the rules can’t be loaded', (t) => {
  const [, said] = boot(t, { rules: 'table', refuses: true });
  t.regex(said!, /^logger -t iotshaper -p daemon.err \/iotshaper\/boot.nft: nft refuses it/);
});

test('starting it by hand does not shut anybody in', (t) => {
  t.deepEqual(init(resolve('files/etc/init.d/iotshaper-boot'), 'start'), []);
});

/** What the time daemon's event leaves in the service's folder. */
function hearTimeDaemon(t: ExecutionContext, env: Record<string, string>): boolean {
  const run = temporaryFolder(t);
  const script = readFileSync('files/etc/hotplug.d/ntp/90-iotshaper', 'utf8');
  const { status, stderr } = spawnSync('dash', ['-c', script.replaceAll('/var/run', run)], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  t.is(status, 0, stderr);
  return existsSync(join(run, 'iotshaper/clock-set'));
}

for (const [env, noted] of [
  [{ ACTION: 'step', stratum: '16' }, true],
  [{ ACTION: 'stratum', stratum: '3' }, true],
  [{ ACTION: 'stratum' }, true],
  [{ ACTION: 'periodic', stratum: '2' }, true],
  [{ ACTION: 'periodic', stratum: '15' }, true],
  [{ ACTION: 'periodic', stratum: '16' }, false],
  [{ ACTION: 'periodic' }, false],
  [{ ACTION: 'unsync', stratum: '16' }, false],
  [{}, false],
] as [Record<string, string>, boolean][]) {
  test(`the time daemon's ${JSON.stringify(env)} ${noted ? 'notes' : 'does not note'} a set clock`, (t) => {
    t.is(hearTimeDaemon(t, env), noted);
  });
}
