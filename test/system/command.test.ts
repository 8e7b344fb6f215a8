// The command runner against real commands: output, status, standard error quoted, time limits.
import test from 'ava';
import { CommandError, succeeds } from '../../src/shell/system/command.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { SystemError } from '../../src/shell/system/system.ts';

async function failure(t: import('ava').ExecutionContext, work: Promise<unknown>) {
  return (await t.throwsAsync(work, { instanceOf: CommandError })) as CommandError;
}

test('both outputs, and input, as they are', async (t) => {
  const { stdout, stderr } = await run(['sh', '-c', 'cat; echo err >&2'], { input: 'zwei\nStück' });
  t.is(stdout, 'zwei\nStück');
  t.is(stderr, 'err\n');
});

test('arguments are never read by a shell', async (t) => {
  const words = ['a b', '$(reboot)', '"', "'", '*', ';', ''];
  t.is((await run(['printf', '%s\n', ...words])).stdout, `${words.join('\n')}\n`);
});

test('a failure quotes the command and what it said', async (t) => {
  const error = await failure(t, run(['sh', '-c', 'echo "no such thing" >&2; exit 4']));
  t.is(error.message, 'sh -c echo "no such thing" >&2; exit 4: no such thing');
  t.is(error.status, 4);
  t.is(error.stderr, 'no such thing\n');
});

test('a silent failure tells its status', async (t) => {
  t.is((await failure(t, run(['false']))).message, 'false: exit status 1');
});

test('a command that is not there', async (t) => {
  const error = await failure(t, run(['/nonexistent/tc', '-V']));
  t.is(error.message, '/nonexistent/tc -V: spawn /nonexistent/tc ENOENT');
  t.is(error.status, null);
});

test('out of time, it is killed and the signal told', async (t) => {
  const startMs = performance.now();
  const error = await failure(t, run(['sleep', '60'], { timeoutMs: 50 }));
  t.is(error.message, 'sleep 60: (ended by SIGKILL)');
  t.true(performance.now() - startMs < 10_000);
});

test('a command that does not read its input is no fault', async (t) => {
  t.is((await run(['true'], { input: 'x'.repeat(1 << 20) })).stdout, '');
});

test('the environment can be given', async (t) => {
  const { stdout } = await run(['sh', '-c', 'echo $WORD'], {
    env: { PATH: process.env.PATH, WORD: 'said' },
  });
  t.is(stdout, 'said\n');
});

test('a namespace comes before the command', async (t) => {
  const error = await failure(t, run(['true'], { netns: 'iottest-nonexistent' }));
  t.deepEqual(error.argv, ['ip', 'netns', 'exec', 'iottest-nonexistent', 'true']);
});

test('questions are answered yes or no', async (t) => {
  t.true(await succeeds(nodeSystem, ['true']));
  t.false(await succeeds(nodeSystem, ['false']));
  t.false(await succeeds(nodeSystem, ['/nonexistent/tc']));
});

test('an error that another bundle made is known as well', (t) => {
  /** What a second copy of the module makes of the class. */
  class Copy extends Error {
    constructor(name: string) {
      super('x');
      this.name = name;
    }
  }
  t.true(new Copy('CommandError') instanceof CommandError);
  t.true(new Copy('SystemError') instanceof SystemError);
  t.false(new Copy('Error') instanceof CommandError);
  t.false({ name: 'SystemError' } instanceof SystemError);
});
