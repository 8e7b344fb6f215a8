// The lane of one, and processes that a killed service left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { readSysctl, writeSysctl } from '../../src/shell/network/netdev.ts';
import { endLeftovers, findProcesses } from '../../src/shell/system/leftovers.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { Serial } from '../../src/shell/system/serial.ts';
import { SystemError } from '../../src/shell/system/system.ts';

test('work is done one piece after another, in order, also after a failure', async (t) => {
  const serial = new Serial();
  const seen: string[] = [];
  const piece = (name: string, turns: number) => async () => {
    seen.push(`${name} begins`);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    seen.push(`${name} ends`);
    return name;
  };
  const first = serial.run(piece('a', 5));
  const second = serial.run(async () => {
    seen.push('b fails');
    throw new Error('b');
  });
  const third = serial.run(piece('c', 0));
  t.is(await first, 'a');
  await t.throwsAsync(second, { message: 'b' });
  t.is(await third, 'c');
  t.deepEqual(seen, ['a begins', 'a ends', 'b fails', 'c begins', 'c ends']);
});

test('a left process is found by its arguments and ended, others are not', async (t) => {
  const mark = `${60 + process.pid / 1e7}`;
  const left = spawn('sleep', [mark], { stdio: 'ignore' });
  const other = spawn('sleep', ['61'], { stdio: 'ignore' });
  t.teardown(() => other.kill());
  await Promise.all([once(left, 'spawn'), once(other, 'spawn')]);
  const ended = once(left, 'exit');
  t.is(await endLeftovers(nodeSystem, (argv) => argv.join(' ') === `sleep ${mark}`), 1);
  t.deepEqual(await ended, [null, 'SIGTERM']);
  t.is(other.exitCode, null);
  t.is(await endLeftovers(nodeSystem, (argv) => argv.join(' ') === `sleep ${mark}`), 0);
});

test('a left process that ignores TERM is killed', async (t) => {
  // It starts nothing: a child has its parent's arguments until it has its own.
  const script = `trap "" TERM; echo ready; read -r line # ${process.pid}`;
  const left = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(left.stdout, 'data');
  const ended = once(left, 'exit');
  t.is(await endLeftovers(nodeSystem, (argv) => argv[2] === script), 1);
  t.deepEqual(await ended, [null, 'SIGKILL']);
});

test('a sysctl that is not there is neither read nor written', async (t) => {
  t.is(await readSysctl(nodeSystem, 'net/ipv4/nosuchthing'), null);
  t.is(await writeSysctl(nodeSystem, 'net/ipv4/nosuchthing', '1'), null);
  const now = (await readSysctl(nodeSystem, 'kernel/ostype'))!;
  t.is(now, 'Linux');
  t.is(await writeSysctl(nodeSystem, 'kernel/ostype', now), null);
});

test('one that became another user’s is found where it is a child, though nobody says where it is', async (t) => {
  const argv = (name: string) => `socat\0${name}\0`;
  const texts: Record<string, string> = {
    '/proc/7/cmdline': argv('mine'),
    '/proc/7/stat': '7 (so) cat) S 42 7 7 0',
    '/proc/8/cmdline': argv('a stranger’s'),
    '/proc/8/stat': '8 (socat) S 1 8 8 0',
  };
  const files = {
    ...nodeSystem.files,
    list: () => Promise.resolve(['7', '8', '42', 'self']),
    readText: async (path: string) => {
      const text = texts[path];
      if (text === undefined) throw new SystemError('ENOENT', path);
      return text;
    },
    readLink: async (path: string) => {
      if (path === '/proc/self/ns/net') return 'net:[1]';
      throw new SystemError('EACCES', path);
    },
  };
  const processes = { ...nodeSystem.processes, pid: 42 };
  t.deepEqual(await findProcesses({ files, processes }, ([name]) => name === 'socat'), [7]);
});
