// `iotshaper set` and its like on Debian: what is written, what is refused, and that the service takes it.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { onDebian } from '../../src/shell/cli/debian/debian.ts';
import { tellFailures } from '../../src/shell/cli/failure.ts';
import { runCli } from '../../src/shell/cli/program.ts';
import { type Methods, serveLocalApi } from '../../src/shell/machine/local-api.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';

const SHIPPED = readFileSync('files/etc/config/iotshaper', 'utf8');
const PROFILE = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');
/** As root, whoever runs the test. */
const system = { ...nodeSystem, processes: { ...nodeSystem.processes, uid: 0 } };

/** A machine with the configuration as the package brings it. */
class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'iotshaper-settings-'));
  readonly config = join(this.folder, 'iotshaper');

  constructor(t: ExecutionContext) {
    writeFileSync(this.config, SHIPPED);
    t.teardown(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Runs a command there; its exit status and what it printed, errors last. */
  async run(...words: string[]): Promise<[number, string]> {
    const takesRunDir = !['get', 'show'].includes(words[0]!);
    const places = ['--config', this.config, ...(takesRunDir ? ['--run-dir', this.folder] : [])];
    const captured = new CapturedConsole(...words, ...places);
    const console = onDebian({
      words: captured.words,
      isTerminal: false,
      write: (text) => captured.write(text),
      writeError: (text) => captured.writeError(text),
      onSignal: (name, work) => captured.onSignal(name, work),
      setExitStatus: (status) => captured.setExitStatus(status),
      exit: (status) => captured.exit(status),
      outliveReaders: () => {},
      keepFilesPrivate: () => {},
    });
    const context = { system, console };
    await tellFailures(context, () => runCli(context));
    return [captured.status ?? 0, captured.out + captured.err];
  }

  /** A service that answers there. */
  async serve(t: ExecutionContext, methods: Methods): Promise<void> {
    const listener = await serveLocalApi(system, join(this.folder, 'api.sock'), methods);
    t.teardown(() => listener.close());
  }
}

const KEPT = 'Kept. The service does not run; start it with: systemctl start iotshaper\n';

test('what is set is written whole, root’s alone, and read again', async (t) => {
  const machine = new Machine(t);
  t.deepEqual(await machine.run('set', 'rate=60', 'dns=0'), [0, KEPT]);
  t.is(statSync(machine.config).mode & 0o777, 0o600);
  t.deepEqual(await machine.run('get', 'rate'), [0, '60\n']);
  t.deepEqual(await machine.run('add', 'network', 'device=eth1'), [0, KEPT]);
  t.deepEqual(await machine.run('on'), [0, KEPT]);
  const [, shown] = await machine.run('show');
  for (const line of ['main.enabled=1', 'main.dns=0', '@network[0].device=eth1']) {
    t.true(shown.split('\n').includes(line), shown);
  }
  t.deepEqual(await machine.run('delete', '@network[0]'), [0, KEPT]);
  t.deepEqual(await machine.run('get', 'data_cap'), [1, '']);
});

for (const [words, status, said] of [
  [['set', 'rate=nonsense'], 1, /^iotshaper: iotshaper\.main\.rate: must be between .* got "nons/],
  [['set', 'rate=60', 'rat=3'], 2, /^iotshaper: "rat": .* did you mean "rate"\?\n$/],
  [['add', 'network'], 1, /^iotshaper: iotshaper\.@network\[0\]\.device: must be .* got nothing/],
  [['add', 'netwrk'], 2, /what can be added is network, device, schedule/],
  [['delete', '@device[0]'], 2, /there is no such section/],
] as const) {
  test(`${words.join(' ')}: refused, and nothing is written`, async (t) => {
    const machine = new Machine(t);
    const [ended, text] = await machine.run(...words);
    t.is(ended, status, text);
    t.regex(text, said);
    t.is(readFileSync(machine.config, 'utf8'), SHIPPED);
  });
}

test('a service that runs takes it at once, and says how things stand', async (t) => {
  const machine = new Machine(t);
  const rates: string[] = [];
  await machine.serve(t, {
    reload: async () => {
      rates.push((await machine.run('get', 'rate'))[1]);
      return { ok: true, errors: [], warnings: ['that is much; run "uci set iotshaper.rate=40"'] };
    },
    status: () => ({ reason: 'Your provider sees one steady stream of 60 KB/s.' }),
  });
  t.deepEqual(await machine.run('set', 'rate=60'), [
    0,
    'Your provider sees one steady stream of 60 KB/s.\nwarning: that is much; run "iotshaper set rate=40"\n',
  ]);
  t.deepEqual(rates, ['60\n']);
});

test('what the service can’t use is kept, and told', async (t) => {
  const machine = new Machine(t);
  const errors = [{ message: 'there is no profile' }];
  await machine.serve(t, { reload: () => ({ ok: false, errors, warnings: [] }) });
  t.deepEqual(await machine.run('on'), [
    1,
    "iotshaper: kept, but the service can't use it, and goes on as before:\nthere is no profile\n",
  ]);
  t.deepEqual(await machine.run('get', 'enabled'), [0, '1\n']);
});

test('a profile goes to its place; one that is none is refused by line', async (t) => {
  const machine = new Machine(t);
  const [good, bad, place] = ['good', 'bad', 'in-place'].map((name) => join(machine.folder, name));
  writeFileSync(good!, PROFILE);
  writeFileSync(bad!, 'remote a 1194\nup /bin/sh\n');
  await machine.run('set', `profile=${place}`);
  const [status, said] = await machine.run('tunnel', good!);
  t.is(status, 0, said);
  t.regex(said, /^The profile for \S+:\d+ is in its place\.\nThe service does not run; start it/);
  t.is(readFileSync(place!, 'utf8'), PROFILE);
  t.is(statSync(place!).mode & 0o777, 0o600);
  const [refused, why] = await machine.run('tunnel', bad!);
  t.is(refused, 1);
  t.regex(why, new RegExp(`${bad}, line 2: .*program`));
});

test('without the package there is nothing to change', async (t) => {
  const machine = new Machine(t);
  rmSync(machine.config);
  for (const words of [['set', 'rate=60'], ['show']]) {
    const [status, said] = await machine.run(...words);
    t.is(status, 1);
    t.regex(said, /iotshaper: is not there; is iot-shaper-home installed\?\n$/);
  }
});
