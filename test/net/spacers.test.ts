// Spacers on a real kernel: they take turns with slots, and none leaves the pair.
import test from 'ava';
import { CLOCK_END_NETDEV, CLOCK_NETDEV } from '../../src/core/plan/names.ts';
import { planClock } from '../../src/core/plan/outer-clock.ts';
import {
  clockClasses,
  SLOT_UNITS,
  SPACER_PORT,
  spacedRate,
  spacerAddress,
  spacerBytes,
} from '../../src/core/plan/spacers.ts';
import { classRateWords } from '../../src/core/plan/tc.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';
import { eventually, newNamespace, requireNamespaces } from './support.ts';

const FAR = '203.0.113.10';
const MINOR = 0x10;
const COUNT = 12;

test.serial('slots and spacers leave by turns, and spacers nowhere but to their end', async (t) => {
  if (!requireNamespaces(t)) return;
  const netns = await newNamespace(t, 'iotspace');
  const ip = (...words: string[]) => run(['ip', ...words], { netns });
  // What the kernel sends by itself would be counted as well.
  await run(['sh', '-ec', 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'], { netns });
  for (const [one = '', other = ''] of [
    ['wan', 'provider'],
    [CLOCK_NETDEV, CLOCK_END_NETDEV],
  ]) {
    await ip('link', 'add', one, 'type', 'veth', 'peer', 'name', other);
    for (const netdev of [one, other]) await ip('link', 'set', netdev, 'arp', 'off', 'up');
  }
  await ip('addr', 'add', '203.0.113.2/24', 'dev', 'wan');
  // A slot takes half a second: all stand there before the third has left.
  const shape: Shape = { rateKBps: 1, packetBytes: 512, mode: 'vit', sdPercent: 30 };
  const way = { netdev: 'wan', index: 1, isEthernet: true, address: FAR, port: 1194 };
  const { queue, chains } = planClock({ way, minor: MINOR, shape, standing: COUNT }, 0)!;
  const { whole, slots, spacers } = clockClasses(MINOR);
  const paced = `class change dev ${CLOCK_NETDEV} classid ${whole} htb ${classRateWords(spacedRate(shape, 0))}`;
  await run(['tc', '-batch', '-'], { netns, input: [...queue, paced].join('\n') });
  await run(['nft', '-f', '-'], { netns, input: chains });
  const script = `
    const { createSocket } = require('node:dgram');
    const send = (port, address, bytes) => new Promise((done) => {
      const socket = createSocket('udp4');
      let left = ${COUNT};
      for (let n = 0; n < ${COUNT}; n++) socket.send(Buffer.alloc(bytes), port, address, () => {
        if (--left === 0) socket.close(done);
      });
    });
    send(${SPACER_PORT}, '${spacerAddress(MINOR)}', ${spacerBytes(SLOT_UNITS)})
      .then(() => send(1194, '${FAR}', 540));`;
  await run([process.execPath, '-e', script], { netns });

  const counts = async () => {
    const show = ['tc', '-s', 'class', 'show', 'dev', CLOCK_NETDEV];
    const reader = new TcListingReader();
    for (const line of (await run(show, { netns })).stdout.split('\n')) reader.push(line);
    const { clock, classes } = reader.take();
    const all = [...(clock?.classes ?? []), ...classes];
    const of = (id: string) => all.find((one) => one.id === id)!;
    return { slots: of(slots), spacers: of(spacers) };
  };
  const passed = async (netdev: string, what: string): Promise<number> =>
    Number((await run(['cat', `/sys/class/net/${netdev}/statistics/${what}`], { netns })).stdout);
  const first = await counts();
  t.is(first.slots.packets + first.slots.backlogPackets, COUNT);
  t.is(first.spacers.packets + first.spacers.backlogPackets, COUNT);
  await eventually('several have left', async () => {
    const now = await counts();
    // Spacers came first, and one of them or two went before any slot was there.
    const ahead = now.spacers.packets - now.slots.packets;
    t.true(ahead >= 0 && ahead <= 3, `${now.spacers.packets} and ${now.slots.packets}`);
    return now.slots.packets >= 5;
  });
  const before = await counts();
  const arrived = await passed('provider', 'rx_packets');
  const after = await counts();
  t.true(arrived >= before.slots.packets && arrived <= after.slots.packets, `${arrived}`);
  const bytes = await passed('provider', 'rx_bytes');
  t.is(bytes % (540 + 42), 0, 'nothing of another length has');
  t.true((await passed(CLOCK_END_NETDEV, 'rx_dropped')) >= before.spacers.packets);
});
