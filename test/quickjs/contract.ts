// What every door keeps to, whatever runs it: the same is asked of Node.js's in the unit tests and of QuickJS's by itself.
import { CommandError } from '../../src/shell/system/command.ts';
import { type Connection, type System, SystemError } from '../../src/shell/system/system.ts';

/** One promise of a door; fails by throwing. `folder` is empty and its own. */
export type Promised = (system: System, folder: string) => Promise<void>;

function same(found: unknown, wanted: unknown): void {
  const [one, other] = [found, wanted].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${one} instead of ${other}`);
}

async function refusal(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}

async function code(work: Promise<unknown>): Promise<string> {
  const error = await refusal(work);
  if (!(error instanceof SystemError)) throw error;
  return error.code;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Resolves with all that came until it closed. */
function wholeOf(connection: Connection): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    connection.onData((piece) => {
      text += textOf(piece);
    });
    connection.onClose(() => resolve(text));
  });
}

const LONG = 'ä line\n'.repeat(40_000);

export const contract: Record<string, Promised> = {
  'files are written in place, replaced, listed and removed': async ({ files }, folder) => {
    const path = `${folder}/deep/er`;
    await files.makeFolder(path, 0o700);
    await files.makeFolder(path, 0o755);
    same((await files.stat(path))?.mode, 0o700);
    await files.write(`${path}/b`, 'zwei\u0000Stück', 0o640);
    await files.write(`${path}/b`, 'zwei Stück');
    await files.replace(`${path}/a`, new Uint8Array([1, 2, 255]));
    same(await files.list(path), ['a', 'b']);
    same(await files.readText(`${path}/b`), 'zwei Stück');
    same([...(await files.readBytes(`${path}/a`))], [1, 2, 255]);
    same([...files.readNow(`${path}/a`)!], [1, 2, 255]);
    same(await files.stat(`${path}/a`), { mode: 0o600, uid: 0, bytes: 3, isFolder: false });
    await files.setMode(`${path}/a`, 0o644);
    same((await files.stat(`${path}/a`))?.mode, 0o644);
    await files.replace(`${path}/a`, 'open', 0o666); // whatever the umask
    same((await files.stat(`${path}/a`))?.mode, 0o666);
    await files.remove(`${folder}/deep`);
    await files.remove(`${folder}/deep`);
    same(files.exists(`${folder}/deep`), false);
  },

  'what is not there is said by its name': async ({ files }, folder) => {
    const path = `${folder}/none`;
    same(await code(files.readText(path)), 'ENOENT');
    same(await code(files.list(path)), 'ENOENT');
    same(await code(files.readLink(path)), 'ENOENT');
    same(await code(files.write(`${path}/x`, '')), 'ENOENT');
    same(await code(files.readBytes(folder)), 'EISDIR');
    same([await files.stat(path), files.readNow(path), files.exists(path)], [null, null, false]);
    same(await files.stat('/proc/self/stat/none'), null);
    same((await files.readLink('/proc/self/ns/net')).startsWith('net:['), true);
  },

  'long files and those whose length the kernel does not know are read whole': async (
    { files },
    folder,
  ) => {
    await files.write(`${folder}/long`, LONG);
    same((await files.readText(`${folder}/long`)).length, LONG.length);
    let bytes = 0;
    for await (const piece of files.readPieces(`${folder}/long`)) bytes += piece.length;
    same(bytes, LONG.length + 40_000);
    same((await files.readText('/proc/self/status')).includes('VmRSS'), true);
  },

  'a folder is watched, a counter is read anew': async ({ files }, folder) => {
    const counter = files.openCounter(`${folder}/count`);
    same(counter.read(), null);
    const changed = new Promise<void>((resolve) => {
      const cancel = files.watch(folder, () => {
        cancel();
        resolve();
      });
    });
    await files.write(`${folder}/count`, '12\n');
    await changed;
    same(counter.read(), 12);
    await files.write(`${folder}/count`, '345\n');
    same(counter.read(), 345);
    counter.close();
  },

  'timers come in order, never early; what is put off comes before them': async ({
    clock,
    timers,
  }) => {
    const told: string[] = [];
    const startMs = clock.monotonicMs();
    const cancel = timers.after(1, () => told.push('cancelled'));
    timers.soon(() => told.push('soon'));
    await new Promise<void>((resolve) => {
      timers.after(8, () => {
        told.push('early');
        cancel();
      });
      let beats = 0;
      const stop = timers.every(20, () => told.push(`beat ${++beats}`));
      // Set last, so that it is due last however busy the machine is.
      timers.after(50, () => {
        told.push('late');
        stop();
        resolve();
      });
      cancel();
    });
    same(told.slice(0, 3), ['soon', 'early', 'beat 1']);
    same(told.at(-1), 'late');
    same(clock.monotonicMs() - startMs >= 49, true);
  },

  'a thread sleeps parts of a millisecond, and says by how much it was longer': async ({
    clock,
    timers,
  }) => {
    const fromMs = clock.monotonicMs();
    const late = Array.from({ length: 8 }, () => timers.oversleep(0.25));
    const tookMs = clock.monotonicMs() - fromMs;
    same(
      late.filter((ms) => !(ms >= 0)),
      [],
    );
    same(late.reduce((sum, ms) => sum + ms, 8 * 0.25) <= tookMs, true);
  },

  'datagrams go to their peer and come from it, in order, and full buffers hold them up': async ({
    sockets,
  }) => {
    const got: number[] = [];
    const address = '127.0.0.1';
    const [one, other] = [47_311, 47_312];
    let done = (): void => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const sink = await sockets.openUdp({
      local: { address, port: one },
      peer: { address, port: other },
      receiveBufferBytes: 1 << 20,
      onMessage: (datagram, from) => {
        same([from.address, from.port], [address, other]);
        if (got.push(datagram[0]!) === 200) done();
      },
    });
    const source = await sockets.openUdp({
      local: { address, port: other },
      peer: { address, port: one },
      sendBufferBytes: 1,
    });
    same(source.sendBufferBytes() < 10_000, true);
    let taken = 0;
    for (let i = 0; i < 200; i++) {
      const datagram = new Uint8Array(1000).fill(i);
      source.send(datagram, (error) => {
        if (error) throw error;
        taken++;
      });
    }
    same(taken, 0);
    await all;
    same([got.every((value, at) => value === at), taken], [true, 200]);
    const taking = sockets.openUdp({ local: { address, port: one } });
    same(await code(taking), 'EADDRINUSE');
    sink.close();
    source.close();
  },

  'a datagram from anybody is answered where it came from': async ({ sockets }) => {
    const server = await sockets.openUdp({
      local: { address: '::1', port: 47_313 },
      onMessage: (datagram, { address, port }) => server.sendTo(datagram, address, port),
    });
    let hear = (_: string): void => {};
    const answer = new Promise<string>((resolve) => {
      hear = resolve;
    });
    const client = await sockets.openUdp({
      local: { address: '::1', port: 0 },
      peer: { address: '::1', port: 47_313 },
      onMessage: (datagram) => hear(textOf(datagram)),
    });
    client.send(new TextEncoder().encode('ping'));
    same(await answer, 'ping');
    client.close();
    server.close();
  },

  'a socket in the file system is served and left; abstract ones, too': async (
    { sockets, files },
    folder,
  ) => {
    for (const path of [`${folder}/socket`, '\0iotshaper-contract']) {
      const listener = await sockets.listen(path, (connection) => {
        connection.onData((piece) => {
          connection.write(piece);
          connection.write(LONG);
          connection.end();
        });
      });
      same(await code(sockets.listen(path, () => {})), 'EADDRINUSE');
      const client = await sockets.connect(path);
      const whole = wholeOf(client);
      client.write('hello ');
      same((await whole) === `hello ${LONG}`, true);
      same(client.queuedBytes, 0);
      await listener.close();
      same(['ENOENT', 'ECONNREFUSED'].includes(await code(sockets.connect(path))), true);
    }
    same(files.exists(`${folder}/socket`), false);
  },

  'a server that closes ends its connections': async ({ sockets }, folder) => {
    const path = `${folder}/socket`;
    let isServed = (): void => {};
    const served = new Promise<void>((resolve) => {
      isServed = resolve;
    });
    const listener = await sockets.listen(path, () => isServed());
    const client = await sockets.connect(path);
    const whole = wholeOf(client);
    await served;
    await listener.close();
    same(await whole, '');
  },

  'commands are run to their end, and quoted where they fail': async ({ processes }) => {
    const { stdout, stderr } = await processes.run(['sh', '-c', 'cat; echo err >&2'], {
      input: LONG,
    });
    same([stdout === LONG, stderr], [true, 'err\n']);
    const failing = async (argv: string[], timeoutMs = 5000): Promise<unknown[]> => {
      const error = await refusal(processes.run(argv, { timeoutMs }));
      if (!(error instanceof CommandError)) throw error;
      return [error.status, error.stderr.trim()];
    };
    same(await failing(['sh', '-c', 'echo why >&2; exit 4']), [4, 'why']);
    same(await failing(['sleep', '9'], 30), [null, '(ended by SIGKILL)']);
    same(await failing(['iotshaper-no-such']), [null, 'spawn iotshaper-no-such ENOENT']);
    const { stdout: value } = await processes.run(['sh', '-c', 'echo $ONE'], {
      env: { ONE: '1', PATH: '/bin:/usr/bin' },
    });
    same(value, '1\n');
  },

  'a child is spoken with, signalled, and nothing of ours is open to it': async ({
    processes,
    sockets,
  }) => {
    const end = await new Promise<unknown>((resolve) => {
      let said = '';
      const child = processes.spawn(['sh', '-c', 'read a; echo $a; exec sleep 9'], {
        onOutput: (piece) => {
          said += textOf(piece);
          if (said === 'hello\n') child.kill('SIGTERM');
        },
        onExit: (how) => resolve(how),
      });
      same(processes.signal(child.pid!, 0), true);
      child.write('hello\n');
    });
    same(end, { status: null, signal: 'SIGTERM', failure: null });
    const failed = await new Promise<unknown>((resolve) =>
      processes.spawn(['iotshaper-no-such'], { onExit: resolve }),
    );
    same(failed, { status: null, signal: null, failure: 'spawn iotshaper-no-such ENOENT' });
    const own = await sockets.openUdp({ local: { address: '127.0.0.1', port: 0 } });
    const { stdout } = await processes.run(['ls', '-l', '/proc/self/fd']);
    same(/ \d*[3-9]\d* -> socket:/.test(stdout), false);
    own.close();
  },

  'a signal to nobody is told': async ({ processes }) => {
    same(processes.signal(2 ** 22 + 1, 0), false);
    same(processes.signal(processes.pid, 0), true);
  },

  'loopback has its addresses, random bytes differ': async ({ sockets, randomBytes }) => {
    const loopback = sockets.netdevAddresses().find(({ address }) => address === '127.0.0.1');
    const { netdev, length, mac } = loopback!;
    same([netdev, length, mac], ['lo', 8, '00:00:00:00:00:00']);
    const drawn = [randomBytes(16), randomBytes(16)].map((bytes) => bytes.join());
    same(new Set(drawn).size, 2);
    same(randomBytes(4096).length, 4096);
  },
};
