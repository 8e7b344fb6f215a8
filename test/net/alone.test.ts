// One service to a machine, for as long as what it serves with is there: the second one is refused and touches nothing.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { run } from '../../src/shell/system/node/processes.ts';
import { eventually, newNamespace, requireNamespaces } from './support.ts';

const program = resolve('dist/iotshaper.js');

interface Ended {
  status: number;
  error: string;
}

test('a second service is refused before it touches the first; one whose endpoint is gone ends', async (t) => {
  if (!requireNamespaces(t)) return;
  const dir = await mkdtemp(join(tmpdir(), 'iotshaper-alone-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const netns = await newNamespace(t, 'alone');
  const state = join(dir, 'state');
  const iotshaper = (...words: string[]): Promise<Ended & { output: string }> =>
    new Promise((done) => {
      const argv = ['netns', 'exec', netns, process.execPath, program, ...words];
      execFile('ip', argv, { timeout: 60_000 }, (error, output, said) =>
        done({ status: error ? Number(error.code) : 0, output, error: said }),
      );
    });
  const endpoint = (...words: string[]) => iotshaper('endpoint', ...words, '--state-dir', state);
  const made = await endpoint('init', '--host', '203.0.113.10');
  t.is(made.status, 0, made.error);

  const words = ['endpoint', 'run', '--state-dir', state, '--run-dir', join(dir, 'run')];
  const argv = ['netns', 'exec', netns, process.execPath, program, ...words];
  const first: ChildProcess = spawn('ip', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  t.teardown(() => first.kill('SIGKILL'));
  let log = '';
  first.stderr!.on('data', (piece) => {
    log += piece;
  });
  const ended = new Promise<number | null>((done) => first.on('exit', done));
  const homes = async (): Promise<string[]> => {
    const { output } = await iotshaper('status', '--json', '--run-dir', join(dir, 'run'));
    const status = JSON.parse(output || '{}') as { homes?: { name: string }[] };
    return status.homes?.map(({ name }) => name) ?? [];
  };
  /** Processes of the first one's that last, by name; a socat that asks the kernel comes when there is something to ask. */
  const children = async (): Promise<string[]> => {
    const { stdout } = await run(['ip', 'netns', 'pids', netns]);
    const pids = stdout.trim().split('\n').join(',');
    const listed = await run(['ps', '-o', 'comm=,pid=,args=', '-p', pids]);
    return listed.stdout
      .split('\n')
      .filter((line) => /^(socat|dnsmasq|openvpn) /.test(line) && !/SOCKET-SENDTO/.test(line));
  };
  const rules = async () => (await run(['nft', '-s', '-t', 'list', 'ruleset'], { netns })).stdout;
  await eventually('the first one stands', async () => {
    const isShut = /table inet iotshaper/.test(await rules());
    return isShut && (await children()).length >= 3;
  });

  const before = [await children(), await rules()];
  const others = [
    ['endpoint', 'run', '--state-dir', state, '--run-dir', join(dir, 'other')],
    ['endpoint', 'run', '--state-dir', state, '--run-dir', join(dir, 'run')],
    ['run', '--run-dir', join(dir, 'run'), '--state-dir', join(dir, 'home')],
  ];
  for (const refused of await Promise.all(others.map((other) => iotshaper(...other)))) {
    t.is(refused.status, 1);
    t.regex(refused.error, /^iotshaper: another iotshaper service runs on this machine/);
  }
  t.deepEqual([await children(), await rules()], before);

  t.is((await endpoint('add-home', 'one')).status, 0);
  await eventually('its home is known', async () => (await homes()).includes('one'));
  // Put back from a backup, the folder is another one.
  await cp(state, join(dir, 'copy'), { recursive: true, preserveTimestamps: true });
  await rename(state, join(dir, 'gone'));
  await rename(join(dir, 'copy'), state);
  t.is((await endpoint('add-home', 'two')).status, 0);
  await eventually('homes of the other folder are known', async () =>
    (await homes()).includes('two'),
  );

  await rm(state, { recursive: true });
  t.is(await ended, 1, log);
  t.regex(log, /iotshaper: the endpoint in .* was removed or made anew, so this service ends/);
  t.notRegex(await rules(), /table inet iotshaper/);
});
