// Counters of a real netdev.
import { createSocket } from 'node:dgram';
import test from 'ava';
import { NetdevCounter } from '../../src/shell/tunnel/counters.ts';

test('a netdev’s packets are counted, one that is not there is null', async (t) => {
  const counter = new NetdevCounter('lo', 'rx_packets');
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
  const none = new NetdevCounter('nosuchnetdev0', 'tx_packets');
  t.is(none.read(), null);
  t.is(none.read(), null);
});
