// One JSON line each way on a unix socket: whatever comes, an answer in words or none.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  askLocalApi,
  type Methods,
  NotRunningError,
  serveLocalApi,
} from '../../src/shell/machine/local-api.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-api-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'api.sock');
}

async function serve(t: ExecutionContext, methods: Methods): Promise<string> {
  const path = newPath(t);
  const server = await serveLocalApi(nodeSystem, path, methods);
  t.teardown(() => server.close());
  return path;
}

const methods: Methods = {
  echo: ({ value }) => value,
  later: async ({ value }) => ({ value }),
  nothing: () => undefined,
  fails: () => {
    throw new Error('the tunnel is down');
  },
};

/** Writes pieces one after another and returns all that comes back. */
function talk(path: string, ...pieces: string[]): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(path);
    socket.setEncoding('utf8');
    socket.on('data', (piece) => {
      text += piece;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    const next = (): void => {
      const piece = pieces.shift();
      if (piece !== undefined) socket.write(piece, () => setImmediate(next));
    };
    next();
  });
}

test('methods answer, at once or later', async (t) => {
  const path = await serve(t, methods);
  t.deepEqual(await askLocalApi(nodeSystem, path, { method: 'echo', value: { a: ['é', 1] } }), {
    a: ['é', 1],
  });
  t.deepEqual(await askLocalApi(nodeSystem, path, { method: 'later', value: 2 }), { value: 2 });
  t.is(await askLocalApi(nodeSystem, path, { method: 'nothing' }), null);
});

test('a large answer comes whole', async (t) => {
  const path = await serve(t, methods);
  const value = 'x'.repeat(1_000_000);
  t.is(await askLocalApi(nodeSystem, path, { method: 'echo', value }), value);
});

test('what a method throws is told as its message', async (t) => {
  const path = await serve(t, methods);
  const error = await t.throwsAsync(askLocalApi(nodeSystem, path, { method: 'fails' }));
  t.is(error.message, 'the tunnel is down');
  t.false(error instanceof NotRunningError);
});

test('an unknown method is named, also one that every object has', async (t) => {
  const path = await serve(t, methods);
  for (const method of ['nosuch', 'constructor', '__proto__', 'toString']) {
    await t.throwsAsync(askLocalApi(nodeSystem, path, { method }), {
      message: `there is no method "${method}"`,
    });
  }
});

test('what is no request is answered in words, wherever it is split', async (t) => {
  const path = await serve(t, methods);
  const line = '{"method":"echo","value":"é"}\n';
  t.is(await talk(path, ...line), '{"ok":true,"result":"é"}\n');
  t.regex(await talk(path, 'nonsense\n'), /^\{"ok":false,"error":".+"\}\n$/);
  for (const text of ['null\n', '7\n', '"x"\n']) {
    t.is(await talk(path, text), '{"ok":false,"error":"a request is a JSON object"}\n');
  }
  t.regex(await talk(path, '[]\n'), /there is no method/);
  // A second request on the same connection is nothing.
  t.is(await talk(path, `${line}${line}`), '{"ok":true,"result":"é"}\n');
});

test('an endless request is cut off', async (t) => {
  const path = await serve(t, methods);
  const piece = 'x'.repeat(1 << 20);
  t.is(await talk(path, piece, piece, piece, piece, piece), '');
  t.is(await askLocalApi(nodeSystem, path, { method: 'echo', value: 1 }), 1);
});

test('a socket left behind is no obstacle, and the new one is its owner’s alone', async (t) => {
  const path = newPath(t);
  writeFileSync(path, 'left behind');
  const server = await serveLocalApi(nodeSystem, path, methods);
  t.teardown(() => server.close());
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('nobody there, one that says nothing, and one that ends half-way: not running', async (t) => {
  const none = newPath(t);
  await t.throwsAsync(askLocalApi(nodeSystem, none, { method: 'x' }), {
    instanceOf: NotRunningError,
    message:
      'iotshaper is not running, so your devices are not protected; start it with: /etc/init.d/iotshaper start',
  });
  writeFileSync(none, 'no socket');
  await t.throwsAsync(askLocalApi(nodeSystem, none, { method: 'x' }), {
    instanceOf: NotRunningError,
  });
  const answers: [string, number][] = [
    ['', 5000],
    ['{"ok":tr', 5000],
    ['silence', 50],
  ];
  for (const [answer, timeoutMs] of answers) {
    const path = newPath(t);
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        if (answer !== 'silence') socket.end(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.teardown(() => server.close());
    await t.throwsAsync(askLocalApi(nodeSystem, path, { method: 'x' }, timeoutMs), {
      instanceOf: NotRunningError,
    });
  }
});
