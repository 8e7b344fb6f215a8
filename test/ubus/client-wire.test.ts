// Our client, in place of each recorded one, sends the recorded client's bytes.

import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../src/shell/ubus/client.ts';
import { UbusError } from '../../src/shell/ubus/status.ts';
import { deferred, queue, socketPathFor } from './setup.ts';
import { readTranscripts, type Step } from './transcript.ts';

const transcripts = readTranscripts();

/** Plays the daemon of a conversation at `socketPath`; resolves with what the client sent instead of its part. */
async function playDaemon(t: ExecutionContext, socketPath: string, steps: Step[]) {
  const played = deferred<{ got: string; expected: string }>();
  const sent = steps.filter(({ from }) => from === 'client').map(({ bytes }) => bytes);
  const expected = Buffer.concat(sent).toString('hex');
  const server = createServer((socket) => {
    let next = 0;
    let received = Buffer.alloc(0);
    let wanted = 0;
    const advance = () => {
      for (; next < steps.length; next++) {
        const { from, bytes } = steps[next]!;
        if (from === 'ubusd') socket.write(bytes);
        else if (received.length < wanted + bytes.length) return;
        else wanted += bytes.length;
      }
      played.resolve({ got: received.toString('hex'), expected });
    };
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      advance();
    });
    advance();
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  t.teardown(() => server.close());
  return played.promise;
}

const plays = test.macro({
  title: (name) => `in place of ${name}`,
  async exec(t, number: string, act: (client: UbusClient) => Promise<unknown>, stepCount?: number) {
    const transcript = transcripts.find(({ name }) => name.startsWith(number))!;
    const socketPath = socketPathFor(t);
    const steps = transcript.steps.slice(0, stepCount);
    const ready = playDaemon(t, socketPath, steps);
    const client = new UbusClient(nodeSystem, { socketPath });
    t.teardown(() => client.close());
    await client.whenConnected(5000);
    await act(client);
    const { got, expected } = await ready;
    t.is(got, expected);
  },
});

const call = (method: string, args: object) => (client: UbusClient) =>
  client.call('demo', method, args).catch((error: UbusError) => error);

test('ubus list', plays, '03', (client) => client.lookup());
test('ubus call demo types', plays, '05', call('types', {}));
test(
  'ubus call demo echo',
  plays,
  '06',
  call('echo', { text: 'a', count: 3, flag: false, list: [1, 'x'], table: { k: true } }),
);
test('ubus call demo fail', plays, '07', call('fail', {}));
test('ubus call demo later', plays, '08', call('later', {}));
test('ubus call nosuch', plays, '09', (client) => client.call('nosuch', 'x').catch(() => {}));
test('ubus call demo nosuch', plays, '10', call('nosuch', {}));
test('ubus send', plays, '13', (client) => client.sendEvent('iot.event', { n: 1 }));

test('ubus listen', plays, '11', async (client) => {
  const heard = queue<unknown>();
  client.listen('*', (name, data) => heard.push([name, data]));
  return await heard.next();
});

/** What the recorded provider offered, and answered. */
const demo = {
  path: 'demo',
  methods: {
    echo: {
      arguments: {
        text: 'string',
        count: 'int32',
        flag: 'int8',
        big: 'double',
        list: 'array',
        table: 'table',
      },
      handler: (args: object) => args,
    },
    types: {
      arguments: {},
      handler: () => ({
        i: 42,
        neg: -7,
        big: 5_000_000_000,
        d: 0.25,
        t: true,
        f: false,
        s: 'grüß "x"\n',
        a: [1, 'two', [3]],
        o: { k: { n: 1 } },
        e: '',
        ea: [],
        eo: {},
      }),
    },
    fail: {
      arguments: {},
      handler(): undefined {
        throw new UbusError('PERMISSION_DENIED');
      },
    },
    later: {
      arguments: {},
      async handler() {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { done: true };
      },
    },
  },
} as const;

// Its notification asked each subscriber for a reply; ours does not.
const beforeNotification = transcripts[1]!.steps.findIndex(
  ({ from, bytes }) => from === 'client' && bytes[1] === 10,
);

test(
  'the provider',
  plays,
  '02',
  (client) => client.publish(demo).whenPresent(),
  beforeNotification,
);
