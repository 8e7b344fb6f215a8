// The device's side of the service tests: one action a run, its finding as JSON on standard output.
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { encodeQuestion } from '../../../src/research/lab/traffic/dns.ts';

const [action = '', own = '', peer = '', extra = ''] = process.argv.slice(2);

const actions: Record<string, () => Promise<unknown>> = {
  upload,
  download,
  echo,
  chatter,
  name,
  names,
  probe,
  flow,
};

async function upload(): Promise<unknown> {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 13) % 241));
  const answer = await exchange(9000, bytes);
  return { sent: createHash('sha256').update(bytes).digest('hex'), got: answer.toString() };
}

/** 100 kB, or 200 kB where `extra` says so: whether they came as they were sent, and how many. */
async function download(): Promise<unknown> {
  const isLarge = extra === '200000';
  const length = isLarge ? 200_000 : 100_000;
  const expected = Buffer.from(Array.from({ length }, (_, index) => (index * 7) % 251));
  const got = await exchange(isLarge ? 9002 : 9001, null);
  return { intact: got.equals(expected), ...(isLarge ? { bytes: got.length } : {}) };
}

/** Sends bursts of UDP datagrams of `extra` = `BYTES,COUNT,ROUNDS` and repeats those whose echo does not come back whole. */
async function echo(): Promise<unknown> {
  const [bytes = 1472, count = 20, rounds = 12] = extra.split(',').map(Number);
  const socket = createSocket(peer.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>((resolve) => socket.bind(0, own, resolve));
  const missing = new Set(Array.from({ length: count }, (_, index) => index));
  const damaged: number[] = [];
  let sent = 0;
  socket.on('message', (message) => {
    const index = message.readUInt32BE(0);
    if (datagram(index, bytes).equals(message)) missing.delete(index);
    else damaged.push(index);
  });
  for (let round = 0; round < rounds && missing.size > 0; round++) {
    for (const index of missing) {
      socket.send(datagram(index, bytes), 7, peer);
      sent++;
    }
    await settled(() => missing.size === 0, 2500);
  }
  socket.close();
  return { missing: missing.size, damaged: damaged.length, sent };
}

/** Whether TCP port 53 and port 22 of the peer take a connection within three seconds. */
async function probe(): Promise<unknown> {
  const opens = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: peer, localAddress: own, timeout: 3000 });
      socket.on('connect', () => resolve(true));
      socket.on('timeout', () => resolve(false));
      socket.on('error', () => resolve(false));
    });
  return { dns: await opens(53), ssh: await opens(22) };
}

/** Small datagrams without end, every 20 ms. */
async function chatter(): Promise<unknown> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, own, resolve));
  socket.on('error', () => {});
  setInterval(() => socket.send(Buffer.alloc(100), 7, peer, () => {}), 20);
  return new Promise(() => {});
}

/** What the peer answers who is asked for a name once a second, in hexadecimal; '' where it says nothing for long. */
async function name(): Promise<unknown> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, own, resolve));
  let answer = '';
  socket.on('message', (message) => {
    answer = message.toString('hex');
  });
  const question = encodeQuestion({ id: 7, name: extra, type: 'A' });
  for (let round = 0; round < 20 && answer === ''; round++) {
    socket.send(question, 53, peer);
    await settled(() => answer !== '', 1000);
  }
  return { answer };
}

/** Questions for a name of the Internet without end, five a second. */
async function names(): Promise<unknown> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, own, resolve));
  socket.on('error', () => {});
  const question = encodeQuestion({ id: 1, name: 'cloud.example', type: 'A' });
  setInterval(() => socket.send(question, 53, peer, () => {}), 200);
  return new Promise(() => {});
}

/**
 * Two flows that go on without end, a line for each event: `udp` for an answer to a datagram from one and the same socket,
 * `connected` and `reset` of a TCP connection that says something five times a second and is opened again when it breaks.
 */
async function flow(): Promise<unknown> {
  const tell = (event: string): void => void process.stdout.write(`${event}\n`);
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, own, resolve));
  udp.on('error', () => {});
  udp.on('message', () => tell('udp'));
  setInterval(() => udp.send(Buffer.alloc(60), 7, peer, () => {}), 200);
  const open = (): void => {
    const socket = connect({ port: 9000, host: peer, localAddress: own });
    const speak = setInterval(() => socket.write('still here'), 200);
    socket.on('connect', () => tell('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      tell(error.code === 'ECONNRESET' ? 'reset' : 'error'),
    );
    socket.on('close', () => {
      clearInterval(speak);
      setTimeout(open, 200);
    });
  };
  open();
  return new Promise(() => {});
}

function datagram(index: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes, index % 256);
  buffer.writeUInt32BE(index, 0);
  return buffer;
}

function settled(done: () => boolean, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const finish = (): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve();
    };
    timers.push(
      setInterval(() => done() && finish(), 20),
      setTimeout(finish, limitMs),
    );
  });
}

function exchange(port: number, bytes: Buffer | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect({ port, host: peer, localAddress: own });
    socket.on('connect', () => bytes && socket.end(bytes));
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('end', () => resolve(Buffer.concat(pieces)));
  });
}

const result = await actions[action]!().catch((error: NodeJS.ErrnoException) => ({
  error: error.code ?? error.message,
}));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
