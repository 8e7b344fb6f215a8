// Which command lines are the service's own, and which go to the command line with its help and its refusals.
import test from 'ava';
import { readRunOptions } from '../../src/shell/cli/run/run-options.ts';
import { iotshaper } from './program.ts';

test('plain options are read, and none is made up', (t) => {
  t.deepEqual(readRunOptions(['run']), {});
  t.deepEqual(readRunOptions(['run', '--config', 'a', '--run-dir', 'b', '--state-dir', 'c']), {
    config: 'a',
    runDir: 'b',
    stateDir: 'c',
  });
  t.is(readRunOptions(['run', '--ubus', 'a', '--ubus', 'b'])?.ubus, 'b');
});

for (const words of [
  [],
  ['status'],
  ['run', '--help'],
  ['run', '-h'],
  ['run', 'x'],
  ['run', '--nosuch', 'x'],
  ['run', '--config'],
  ['run', '--', 'x'],
  ['run', '--config=x'],
  ['run', '--config', '--ubus'],
  ['run', 'constructor', 'x'],
]) {
  test(`left to the command line: ${words.join(' ')}`, (t) => {
    t.is(readRunOptions(words), null);
  });
}

test('the command line knows the same options', async (t) => {
  const { stdout } = await iotshaper('run', '--help');
  const shown = [...stdout.matchAll(/^ {2}--([\w-]+) </gm)].map(([, name]) => name!);
  t.deepEqual(shown.sort(), ['config', 'run-dir', 'state-dir', 'ubus']);
  for (const name of shown) t.truthy(readRunOptions(['run', `--${name}`, 'x']), name);
});

test('what is wrong with them is said in words', async (t) => {
  const { status, stderr } = await iotshaper('run', '--config');
  t.is(status, 2);
  t.regex(stderr, /^error: option '--config <file>' argument missing\n/);
});
