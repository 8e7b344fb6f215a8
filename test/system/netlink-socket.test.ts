// The socket to the kernel: one that breaks is had again, and one that can't be had is not tried over and over.
import test from 'ava';
import { encodeMessage, NLMSG_DONE } from '../../src/core/netlink/netlink.ts';
import { NetlinkSocket } from '../../src/shell/network/kernel/netlink-socket.ts';
import type { ChildEvents, System } from '../../src/shell/system/system.ts';
import { VirtualTime } from '../stand-ins/fake-system/virtual-time.ts';

function start() {
  const time = new VirtualTime();
  const children: { events: ChildEvents; said: number[]; killed: boolean }[] = [];
  const failures: string[] = [];
  const processes = {
    spawn: (_: readonly string[], events: ChildEvents) => {
      const child = { events, said: [] as number[], killed: false };
      children.push(child);
      return {
        write: (bytes: Uint8Array) => child.said.push(...bytes),
        kill: () => {
          child.killed = true;
        },
      };
    },
  };
  const system = { clock: time.clock, timers: time.timers, processes } as unknown as System;
  const socket = new NetlinkSocket(system, {
    protocol: 0,
    onFailed: (why) => failures.push(why),
  });
  return { time, children, failures, socket };
}

const ask = (sequence: number): Uint8Array => Uint8Array.of(sequence);
const done = (sequence: number): Uint8Array =>
  encodeMessage({ type: NLMSG_DONE, flags: 0, sequence, payload: new Uint8Array(4) });

test('one question after the other, and an answer to each', async (t) => {
  const { children, socket } = start();
  const [first, second] = [socket.dump(ask), socket.dump(ask)];
  await Promise.resolve();
  t.deepEqual(children[0]!.said, [1], 'the kernel has one dump at a time');
  for (const byte of done(1)) children[0]!.events.onOutput!(Uint8Array.of(byte));
  t.is((await first)?.length, 1);
  await Promise.resolve();
  children[0]!.events.onOutput!(done(1));
  children[0]!.events.onOutput!(done(2));
  t.is((await second)?.at(-1)?.sequence, 2);
});

test('one that ends is started again with what is told next; one that ends at once is not', async (t) => {
  const { time, children, failures, socket } = start();
  socket.tell(Uint8Array.of(1));
  const asked = socket.dump(ask);
  await time.advance(1500);
  children[0]!.events.onExit({ status: null, signal: 'SIGKILL', failure: null });
  t.is(await asked, null);
  socket.tell(Uint8Array.of(2));
  t.deepEqual([children.length, failures.length], [2, 0]);
  children[1]!.events.onErrorOutput!(Buffer.from('E unknown device/address "SOCKET-SENDTO"\n'));
  children[1]!.events.onExit({ status: 1, signal: null, failure: null });
  t.deepEqual(failures, ['E unknown device/address "SOCKET-SENDTO"']);
  socket.tell(Uint8Array.of(3));
  t.is(children.length, 2);
  await time.advance(30_000);
  socket.tell(Uint8Array.of(4));
  t.is(children.length, 3);
  children[2]!.events.onExit({ status: 1, signal: null, failure: null });
  socket.open();
  socket.tell(Uint8Array.of(5));
  t.is(children.length, 4, 'whoever opens it wants it now');
});

test('one that does not answer is ended', async (t) => {
  const { time, children, socket } = start();
  const asked = socket.dump(ask);
  await time.advance(2000);
  t.is(await asked, null);
  t.true(children[0]!.killed);
  socket.close();
  socket.tell(Uint8Array.of(1));
  t.is(children.length, 1);
});
