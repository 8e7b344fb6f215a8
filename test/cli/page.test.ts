// `iotshaper password` and `iotshaper page`: what is kept, what is said, what is refused.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tellFailures } from '../../src/shell/cli/failure.ts';
import { runCli } from '../../src/shell/cli/program.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import type { System } from '../../src/shell/system/system.ts';
import { isPassword } from '../../src/shell/web/password-hash.ts';
import { CapturedConsole } from './captured-console.ts';

/** A machine whose devices' network is br-iot. */
function createMachine(t: ExecutionContext, main = '') {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-page-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'iotshaper');
  writeFileSync(
    config,
    `config iotshaper 'main'\n${main}\nconfig network\n\toption device 'br-iot'\n`,
  );
  const system: System = {
    ...nodeSystem,
    processes: { ...nodeSystem.processes, uid: 0 },
    sockets: {
      ...nodeSystem.sockets,
      netdevAddresses: () => [
        { netdev: 'br-iot', address: '10.42.0.1', length: 24, mac: '' },
        { netdev: 'other', address: '10.43.0.1', length: 24, mac: '' },
      ],
    },
  };
  return {
    at: (name: string) => join(folder, name),
    async run(...words: string[]): Promise<[number, string]> {
      const console = new CapturedConsole(...words, '--config', config);
      const context = { system, console };
      await tellFailures(context, () => runCli(context));
      return [console.status ?? 0, console.out + console.err];
    },
  };
}

test('a password is made up, kept as its hash alone, and the page’s place is told', async (t) => {
  const { run, at } = createMachine(t);
  t.regex((await run('page'))[1], /no password yet .* iotshaper password/);
  const [status, said] = await run('password');
  t.is(status, 0, said);
  const [, password = ''] = /^The password of the page is (\S+)\n/.exec(said) ?? [];
  const kept = readFileSync(at('page-password'), 'utf8');
  t.false(kept.includes(password));
  t.true(await isPassword(password, kept));
  for (const name of ['page-password', 'page-certificate.pem']) {
    t.is(statSync(at(name)).mode & 0o777, 0o600, name);
  }
  const [, told] = await run('page');
  t.regex(told, /^https:\/\/10\.42\.0\.1:8443\/\n.*\n(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\n$/);
  t.true(said.endsWith(told), 'the certificate stays the same');
});

test('one of one’s own is taken from a file, unless it is weak', async (t) => {
  const { run, at } = createMachine(t);
  writeFileSync(at('weak'), 'secret\n');
  t.deepEqual(await run('password', at('weak')), [
    1,
    'iotshaper: the password needs 10 characters or more\n',
  ]);
  writeFileSync(at('good'), 'correct horse\nand more\n');
  const [status, said] = await run('password', at('good'));
  t.is(status, 0, said);
  t.notRegex(said, /correct/);
  t.true(await isPassword('correct horse', readFileSync(at('page-password'), 'utf8')));
});

test('a page that is off says so', async (t) => {
  const { run } = createMachine(t, "\toption page '0'\n");
  t.regex((await run('page'))[1], /^The page is off; "iotshaper set page=1"/);
});
