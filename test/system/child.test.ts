// Supervision of real, tiny programs: restarts, pauses, TERM and KILL.
import test, { type ExecutionContext } from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { type ChildOptions, SupervisedChild } from '../../src/shell/system/child.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

/** A child with its lines, ends and starts, and a way to await any of them. */
function supervise(t: ExecutionContext, options: Partial<ChildOptions>) {
  const seen: string[] = [];
  const startsMs: number[] = [];
  const waiting = new Set<() => void>();
  const note = (what: string): void => {
    seen.push(what);
    for (const check of waiting) check();
  };
  const child = new SupervisedChild({
    system: nodeSystem,
    argv: () => ['true'],
    onLine: (line) => note(line),
    onExit: (why) => note(`exit: ${wordsOf(why)}`),
    onStart: () => {
      startsMs.push(performance.now());
      note('start');
    },
    minPauseMs: 20,
    maxPauseMs: 80,
    ...options,
  });
  t.teardown(() => child.stop());
  const until = (what: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (seen.filter((one) => one === what).length < times) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { child, seen, startsMs, until };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const sh = (script: string) => ({ argv: () => ['sh', '-c', script] });

test('what ends is started again, after growing pauses', async (t) => {
  const { child, seen, startsMs, until } = supervise(t, sh('echo said; echo also >&2; exit 3'));
  child.start();
  await until('start', 5);
  await child.stop();
  const pauses = startsMs.slice(1).map((atMs, index) => atMs - startsMs[index]!);
  for (const [index, least] of [20, 40, 80, 80].entries()) {
    t.true(pauses[index]! >= least - 1, `pause ${index}: ${pauses[index]} ms`);
  }
  t.is(seen.filter((one) => one === 'exit: exit status 3').length, 4);
  t.true(seen.includes('said') && seen.includes('also'));
});

test('TERM lets it end in its own way, and it is not started again', async (t) => {
  const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.02; done';
  const { child, seen, until } = supervise(t, sh(script));
  child.start();
  child.start(); // nothing: it runs already
  await until('ready');
  const pid = child.pid!;
  await child.stop();
  t.false(isAlive(pid));
  t.is(child.pid, undefined);
  t.deepEqual(seen, ['start', 'ready', 'bye']);
});

test('KILL ends what TERM does not', async (t) => {
  const script = 'trap "" TERM; echo ready; while :; do sleep 0.02; done';
  const { child, until } = supervise(t, { ...sh(script), graceMs: 100 });
  child.start();
  await until('ready');
  const pid = child.pid!;
  const startMs = performance.now();
  await child.stop();
  t.true(performance.now() - startMs >= 99);
  t.false(isAlive(pid));
});

test('killed from outside, it is told by which signal, and started again', async (t) => {
  const { child, until } = supervise(t, { argv: () => ['sleep', '60'] });
  child.start();
  process.kill(child.pid!, 'SIGKILL');
  await until('exit: ended by SIGKILL');
  await until('start', 2);
  t.true(isAlive(child.pid!));
});

test('a program that is not there is told, and tried again', async (t) => {
  const { child, until } = supervise(t, { argv: () => ['/nonexistent/program'] });
  child.start();
  await until('exit: spawn /nonexistent/program ENOENT', 2);
  await child.stop();
  t.is(child.pid, undefined);
});

test('stopped during the pause, it stays away', async (t) => {
  const { child, seen, until } = supervise(t, { argv: () => ['false'] });
  child.start();
  await until('exit: exit status 1');
  await child.stop();
  await new Promise((resolve) => setTimeout(resolve, 100)); // what must not happen has no event
  t.deepEqual(seen, ['start', 'exit: exit status 1']);
});

test('a restart takes the arguments of now', async (t) => {
  let word = 'first';
  const { child, seen, until } = supervise(t, {
    argv: () => ['sh', '-c', `echo ${word}; exec sleep 60`],
  });
  child.start();
  await until('first');
  word = 'second';
  await child.restart();
  await until('second');
  t.false(seen.some((one) => one.startsWith('exit')));
});

test('lines are whole, and an endless one is cut', async (t) => {
  const { child, seen, until } = supervise(
    t,
    sh(
      'printf a; sleep 0.02; printf "b\\nc\\n"; head -c 100000 /dev/zero | tr "\\0" x; echo; echo end; exec sleep 60',
    ),
  );
  child.start();
  await until('end');
  t.deepEqual(seen.slice(1, 3), ['ab', 'c']);
  t.true(seen[3]!.length < 100_000 && /^x+$/.test(seen[3]!));
});
