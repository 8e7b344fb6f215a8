// Two of our clients over the stand-in ubusd: objects, calls, statuses, notifications, events.

import test from 'ava';
import { UbusError } from '../../src/shell/ubus/status.ts';
import { deferred, queue, startBus } from './setup.ts';

const echo = {
  path: 'echo',
  methods: {
    say: {
      arguments: { text: 'string', count: 'int32', share: 'double', on: 'int8', list: 'array' },
      handler: (args: object) => args,
    },
    who: { arguments: {}, handler: (_: object, caller: object) => caller },
    silent: { arguments: {}, handler: () => undefined },
    refuse: {
      arguments: {},
      handler(): undefined {
        throw new UbusError('PERMISSION_DENIED');
      },
    },
    fail: {
      arguments: {},
      handler(): undefined {
        throw new Error('a fault in the handler');
      },
    },
    huge: { arguments: {}, handler: () => ({ text: 'x'.repeat(1_048_576) }) },
  },
} as const;

test('an object that was published is found with its signature', async (t) => {
  const bus = await startBus(t);
  const server = await bus.connect();
  await server.publish(echo).whenPresent();
  const client = await bus.connect();
  const [found, ...others] = await client.lookup();
  t.deepEqual(others, []);
  t.is(found?.path, 'echo');
  t.deepEqual(found?.methods.say, {
    text: 'string',
    count: 'int32',
    share: 'double',
    on: 'int8',
    list: 'array',
  });
  t.deepEqual(Object.keys(found?.methods ?? {}), Object.keys(echo.methods));
  t.is((await client.lookup('ec*')).length, 1);
  await t.throwsAsync(client.lookup('nosuch'), { message: 'look up nosuch: Not found' });
});

test('a call carries every type there and back', async (t) => {
  const bus = await startBus(t);
  await (await bus.connect()).publish(echo).whenPresent();
  const client = await bus.connect();
  const args = { text: 'grüß', count: -7, share: 0.25, on: true, list: [1, { k: 2 ** 40 }] };
  t.deepEqual(await client.call('echo', 'say', args), args);
  t.deepEqual(await client.call('echo', 'who'), { user: 'root', group: 'root' });
  t.deepEqual(await client.call('echo', 'silent'), {});
});

const fails = test.macro(
  async (t, path: string, method: string, args: object, status: string, message: string) => {
    const bus = await startBus(t);
    await (await bus.connect()).publish(echo).whenPresent();
    const client = await bus.connect();
    const error = await t.throwsAsync<UbusError>(client.call(path, method, args), {
      instanceOf: UbusError,
    });
    t.is(error?.status, status as never);
    t.is(error?.message, message);
    t.deepEqual(await client.call('echo', 'silent'), {}, 'the connection lives on');
  },
);

test('no such object', fails, 'no', 'x', {}, 'NOT_FOUND', 'ubus call no x: Not found');
test(
  'no such method',
  fails,
  'echo',
  'toString',
  {},
  'METHOD_NOT_FOUND',
  'ubus call echo toString: Method not found',
);
test(
  'argument of another type',
  fails,
  'echo',
  'say',
  { count: 'three' },
  'INVALID_ARGUMENT',
  'ubus call echo say: Invalid argument',
);
test(
  'refused by the handler',
  fails,
  'echo',
  'refuse',
  {},
  'PERMISSION_DENIED',
  'ubus call echo refuse: Permission denied',
);
test(
  'fault in the handler',
  fails,
  'echo',
  'fail',
  {},
  'UNKNOWN_ERROR',
  'ubus call echo fail: Unknown error',
);
test(
  'reply too long for a message',
  fails,
  'echo',
  'huge',
  {},
  'UNKNOWN_ERROR',
  'ubus call echo huge: Unknown error',
);

test('a fault in a handler is logged, not told to the caller', async (t) => {
  const bus = await startBus(t);
  const logged: string[] = [];
  const server = await bus.connect({ log: (line) => logged.push(line) });
  await server.publish(echo).whenPresent();
  await t.throwsAsync((await bus.connect()).call('echo', 'fail'));
  t.deepEqual(logged, ['ubus: object echo, fail: a fault in the handler']);
});

test('replies may come late and in any order', async (t) => {
  const bus = await startBus(t);
  const first = deferred<object>();
  const later = {
    path: 'later',
    methods: {
      slow: { arguments: {}, handler: () => first.promise },
      fast: { arguments: {}, handler: () => ({ fast: true }) },
    },
  };
  await (await bus.connect()).publish(later).whenPresent();
  const client = await bus.connect();
  const slow = client.call('later', 'slow');
  t.deepEqual(await client.call('later', 'fast'), { fast: true });
  first.resolve({ done: true });
  t.deepEqual(await slow, { done: true });
});

test('a call that is not answered ends in time', async (t) => {
  const bus = await startBus(t);
  const stuck = {
    path: 'stuck',
    methods: { wait: { arguments: {}, handler: () => new Promise<undefined>(() => {}) } },
  };
  await (await bus.connect()).publish(stuck).whenPresent();
  const client = await bus.connect();
  await t.throwsAsync(client.call('stuck', 'wait', {}, { timeoutMs: 50 }), {
    message: 'ubus call stuck wait: Request timed out',
  });
});

test('a caller that floods an object is told so', async (t) => {
  const bus = await startBus(t);
  const gate = deferred<object>();
  const slow = { path: 'slow', methods: { wait: { arguments: {}, handler: () => gate.promise } } };
  await (await bus.connect()).publish(slow).whenPresent();
  const client = await bus.connect();
  const calls = Array.from({ length: 200 }, () => client.call('slow', 'wait'));
  const settled = Promise.allSettled(calls);
  // The 72 beyond the limit are answered while the others still wait.
  const refusals = await Promise.allSettled(calls.slice(128));
  t.true(refusals.every((one) => one.status === 'rejected'));
  gate.resolve({ ok: true });
  const all = await settled;
  t.is(all.filter(({ status }) => status === 'fulfilled').length, 128);
  t.deepEqual(await client.call('slow', 'wait'), { ok: true }, 'and afterwards all is well');
});

test('subscribers hear notifications, and of the object going and coming back', async (t) => {
  const bus = await startBus(t);
  const server = await bus.connect();
  const follower = await bus.connect();
  const heard = queue<unknown>();
  const subscription = follower.subscribe(
    'echo',
    (type, data) => heard.push([type, data]),
    (present) => heard.push(present),
  );
  t.is(await heard.next(), false, 'not there yet');
  const object = server.publish(echo);
  await object.whenPresent();
  t.is(await heard.next(), true);
  t.true(object.hasSubscribers);
  object.notify('state', { state: 'shaping', since: 5 });
  t.deepEqual(await heard.next(), ['state', { state: 'shaping', since: 5 }]);
  await object.remove();
  t.is(await heard.next(), false);
  const again = server.publish(echo);
  t.is(await heard.next(), true);
  again.notify('state', { state: 'off' });
  t.deepEqual(await heard.next(), ['state', { state: 'off' }]);
  await subscription.remove();
  await server.lookup();
  t.false(again.hasSubscribers);
});

test('two subscriptions to one object hear each notification once', async (t) => {
  const bus = await startBus(t);
  const object = (await bus.connect()).publish(echo);
  await object.whenPresent();
  const follower = await bus.connect();
  const heard = queue<string>();
  const first = follower.subscribe('echo', (type) => heard.push(`first ${type}`));
  await first.whenPresent();
  const second = follower.subscribe('echo', (type) => heard.push(`second ${type}`));
  await second.whenPresent();
  object.notify('a', {});
  object.notify('b', {});
  const four = [await heard.next(), await heard.next(), await heard.next(), await heard.next()];
  t.deepEqual(four.sort(), ['first a', 'first b', 'second a', 'second b']);
});

test('events reach those who listen for them', async (t) => {
  const bus = await startBus(t);
  const heard = queue<unknown>();
  const listener = await bus.connect();
  await listener.listen('iot.*', (name, data) => heard.push([name, data])).whenPresent();
  const sender = await bus.connect();
  await sender.sendEvent('other', {});
  await sender.sendEvent('iot.event', { n: 1 });
  t.deepEqual(await heard.next(), ['iot.event', { n: 1 }]);
  await t.throwsAsync(sender.sendEvent('ubus.object.add', {}), {
    message: 'send event ubus.object.add: Permission denied',
  });
});

test('a path that is taken is waited for', async (t) => {
  const bus = await startBus(t);
  const first = (await bus.connect()).publish(echo);
  await first.whenPresent();
  const logged = queue<string>();
  const client = await bus.connect({ log: logged.push });
  const second = client.publish(echo);
  t.is(
    await logged.next(),
    'ubus: add object echo: Invalid argument (does another process offer it?); trying again',
  );
  await first.remove();
  await second.whenPresent();
  t.is((await client.lookup('echo')).length, 1);
});

test('after closing, nothing waits for ever', async (t) => {
  const bus = await startBus(t);
  const client = await bus.connect();
  const waiting = client.lookup();
  client.close();
  await t.throwsAsync(waiting, { message: 'look up objects: closed: Connection failed' });
  await t.throwsAsync(client.whenConnected(), { instanceOf: UbusError });
});
