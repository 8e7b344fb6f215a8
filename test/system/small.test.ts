// The lane of one, and processes that a killed service left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { readSysctl, writeSysctl } from '../../src/shell/network/netdev.ts';
import { endLeftovers } from '../../src/shell/system/leftovers.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { Serial } from '../../src/shell/system/serial.ts';

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
  const script = `trap "" TERM; echo ready; while :; do sleep 0.1; done # ${process.pid}`;
  const left = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
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
