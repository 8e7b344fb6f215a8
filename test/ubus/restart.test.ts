// ubusd killed and started anew: everything of ours is back on the bus. How soon: `make bench`.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { messageType } from '../../src/shell/ubus/frame.ts';
import { deferred, queue, socketPathFor } from './setup.ts';

/** The stand-in as a process that can be killed. */
async function spawnUbusd(t: ExecutionContext, socketPath: string): Promise<ChildProcess> {
  const program = 'build/test/stand-ins/ubusd/main.js';
  const child = spawn(process.execPath, [program, socketPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const object = {
  path: 'iotshaper',
  methods: { status: { arguments: {}, handler: () => ({ state: 'shaping' }) } },
} as const;

test('killed and restarted, at once and after a while', async (t) => {
  const socketPath = socketPathFor(t);
  let daemon = await spawnUbusd(t, socketPath);
  const server = new UbusClient(nodeSystem, { socketPath });
  const follower = new UbusClient(nodeSystem, { socketPath });
  t.teardown(() => {
    server.close();
    follower.close();
  });
  const published = server.publish(object);
  await published.whenPresent();
  const heard = queue<unknown>();
  const listening = follower.listen('iot.*', (name) => heard.push(name));
  const following = follower.subscribe('iotshaper', (type) => heard.push(type));
  await Promise.all([listening.whenPresent(), following.whenPresent()]);

  for (const awayMs of [0, 2500]) {
    await kill(daemon);
    await new Promise((resolve) => setTimeout(resolve, awayMs));
    await t.throwsAsync(server.lookup(), { message: /Connection failed$/ });
    daemon = await spawnUbusd(t, socketPath);
    const started = performance.now();
    await published.whenPresent();
    const backMs = performance.now() - started;
    t.log(`away ${awayMs} ms: object back after ${backMs.toFixed(0)} ms`);
    await Promise.all([listening.whenPresent(), following.whenPresent()]);
    t.deepEqual(await follower.call('iotshaper', 'status'), { state: 'shaping' });
    published.notify('state', {});
    t.is(await heard.next(), 'state', 'the subscription is back');
    await server.sendEvent('iot.event');
    t.is(await heard.next(), 'iot.event', 'the listener is back');
  }
});

test('a client may start before ubusd does', async (t) => {
  const socketPath = socketPathFor(t);
  const logged: string[] = [];
  const client = new UbusClient(nodeSystem, { socketPath, log: (line) => logged.push(line) });
  t.teardown(() => client.close());
  const published = client.publish(object);
  await t.throwsAsync(client.whenConnected(400), {
    message: /^no ubusd at .*: Connection failed$/,
  });
  await t.throwsAsync(client.call('x', 'y'), { message: 'ubus call x y: Connection failed' });
  await spawnUbusd(t, socketPath);
  await published.whenPresent();
  t.deepEqual(logged, [
    `ubus: no ubusd at ${socketPath} (ENOENT): Connection failed; trying again`,
    'ubus: connected',
  ]);
});

/** A daemon that greets and then does as told. */
async function misbehave(
  t: ExecutionContext,
  socketPath: string,
  greeting: Buffer[],
): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    for (const bytes of greeting) socket.write(bytes);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => server.close());
}

const hello = Buffer.from('000000000f9ea5a200000004', 'hex');

const refuses = test.macro(async (t, greeting: Buffer[], reason: RegExp) => {
  const socketPath = socketPathFor(t);
  await misbehave(t, socketPath, greeting);
  const logged = queue<string>();
  const client = new UbusClient(nodeSystem, { socketPath, log: logged.push, helloTimeoutMs: 100 });
  t.teardown(() => client.close());
  t.regex(await logged.next(), reason);
});

test(
  'no message at all',
  refuses,
  [Buffer.from('HTTP/1.1 400 Bad\r\n\r\n')],
  /no message: message version 72/,
);
test('no hello', refuses, [], /no hello from ubusd/);
test(
  'another message than hello',
  refuses,
  [Buffer.from('00010001000000000000000c0100000800000000', 'hex')],
  /did not say hello first/,
);
test(
  'noise after the hello',
  refuses,
  [hello, Buffer.from('ffffffffffffffffffffffff', 'hex')],
  /connection lost: ubusd sent what is no message: message version 255/,
);

test('a damaged answer fails its call and nothing else', async (t) => {
  const socketPath = socketPathFor(t);
  const damaged = '000200010000000000000008ffffffff';
  const sound = '00010002000000000000000c0100000800000000';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(hello);
    socket.on('data', (chunk) => {
      t.is(chunk[1], messageType.lookup);
      socket.write(Buffer.from(chunk[3] === 1 ? damaged : sound, 'hex'));
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => server.close());
  const client = new UbusClient(nodeSystem, { socketPath });
  t.teardown(() => client.close());
  await client.whenConnected(5000);
  await t.throwsAsync(client.lookup(), {
    message:
      /^look up objects: byte 0: attribute of .* runs past its container.*Parsing message data failed$/,
  });
  t.deepEqual(await client.lookup(), []);
});

test('an answer from another object than was asked is passed over', async (t) => {
  const socketPath = socketPathFor(t);
  const forged = '00010001000000050000000c0100000800000004';
  const own = '00010001000000000000000c0100000800000000';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(hello);
    socket.on('data', () => socket.write(Buffer.from(forged + own, 'hex')));
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => server.close());
  const client = new UbusClient(nodeSystem, { socketPath });
  t.teardown(() => client.close());
  await client.whenConnected(5000);
  t.deepEqual(await client.lookup(), []);
});

test('a daemon that stops reading is left, with memory bounded', async (t) => {
  const socketPath = socketPathFor(t);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(hello);
    socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => server.close());
  const lost = deferred<string>();
  const client = new UbusClient(nodeSystem, { socketPath, log: lost.resolve });
  t.teardown(() => client.close());
  await client.whenConnected(5000);
  const text = 'x'.repeat(500_000);
  const results = await Promise.allSettled(
    Array.from({ length: 8 }, () => client.sendEvent('iot.event', { text })),
  );
  t.true(results.every(({ status }) => status === 'rejected'));
  t.regex(await lost.promise, /^ubus: connection lost: ubusd has not read \d+ bytes$/);
});
