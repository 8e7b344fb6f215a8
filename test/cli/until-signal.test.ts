// A service in the foreground: signals stop and reload it, and a start that fails is told after it was undone.
import test from 'ava';
import { runUntilSignal, type Service } from '../../src/shell/cli/run/until-signal.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from './captured-console.ts';

/** Notes what is done to it. */
function noted(start: () => Promise<void> = async () => {}) {
  const done: string[] = [];
  const service: Service = {
    start: () => {
      done.push('start');
      return start();
    },
    stop: async () => {
      done.push('stop');
    },
  };
  const priorities: number[] = [];
  const processes = {
    ...nodeSystem.processes,
    raisePriority: (nice: number) => void priorities.push(nice),
  };
  const console = new CapturedConsole();
  const context = { system: { ...nodeSystem, processes }, console };
  return { done, service, context, console, priorities };
}

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  test(`${name} stops it, after reloads that HUP asked for`, async (t) => {
    const { done, service, context, console, priorities } = noted();
    const running = runUntilSignal(context, service, () => done.push('reload'));
    t.true(console.isPrivate);
    t.deepEqual(priorities, [-10]);
    t.is(console.signal('SIGHUP'), 1);
    t.is(console.signal('SIGHUP'), 1);
    t.is(console.signal(name), 1);
    await running;
    t.is(await console.exited, 0);
    t.deepEqual(done, ['start', 'reload', 'reload', 'stop']);
    t.falsy(service.staysShut);
  });
}

test('a start that fails is undone, and nothing may get out', async (t) => {
  const { done, service, context } = noted(() => Promise.reject(new Error('no tun')));
  const running = runUntilSignal(context, service, () => {});
  await t.throwsAsync(running, { message: 'no tun' });
  t.deepEqual(done, ['start', 'stop']);
  t.true(service.staysShut);
});
