// Files of the real machine: secrets are their owner's alone and whole; counters follow a netdev that comes and goes.
import { createSocket } from 'node:dgram';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openNetdevCounter } from '../../src/shell/network/netdev.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

test('a secret is written, written over, and over what was open to all', async (t) => {
  const { files } = nodeSystem;
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-secret-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'key');
  writeFileSync(path, 'old', { mode: 0o644 });
  writeFileSync(join(folder, 'key.new'), 'another');
  writeFileSync(join(folder, '.key.new'), 'left by a power cut', { mode: 0o644 });
  await files.replace(path, 'new');
  t.is(readFileSync(path, 'utf8'), 'new');
  t.is(statSync(path).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(folder).sort(), ['key', 'key.new']);
  t.is(readFileSync(join(folder, 'key.new'), 'utf8'), 'another');
  // No umask takes any of it away.
  await files.replace(path, 'for all', 0o666);
  t.is(statSync(path).mode & 0o777, 0o666);
  await t.throwsAsync(files.replace(join(folder, 'none', 'key'), 'x'), { code: 'ENOENT' });
});

test('a netdev’s packets are counted, one that is not there is null', async (t) => {
  const counter = openNetdevCounter(nodeSystem, 'lo', 'rx_packets');
  t.teardown(() => counter.close());
  const before = counter.read()!;
  t.true(Number.isInteger(before));
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const heard = new Promise<void>((resolve) => socket.once('message', () => resolve()));
  socket.send('x', socket.address().port, '127.0.0.1');
  await heard;
  socket.close();
  t.true(counter.read()! > before);
  counter.close();
  t.true(counter.read()! > before);
  const none = openNetdevCounter(nodeSystem, 'nosuchnetdev0', 'tx_packets');
  t.is(none.read(), null);
  t.is(none.read(), null);
});
