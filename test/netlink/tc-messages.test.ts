// Changes of a class as bytes: all of one length, and harmless where they come in pieces.
import test from 'ava';
import fc from 'fast-check';
import { readMessages } from '../../src/core/netlink/netlink.ts';
import {
  CHANGE_BYTES,
  encodeClassAnew,
  encodeClassChange,
  encodeFifoLimit,
  handleNumber,
  RTM,
} from '../../src/core/netlink/tc-messages.ts';
import { spacerRate } from '../../src/core/plan/spacers.ts';
import { drawnRate } from '../../src/core/plan/tc.ts';

const KERNELS_OWN = 16;
const ASKS = 1;

/** Messages by which the kernel does anything, read as it reads a datagram (net/netlink/af_netlink.c, netlink_rcv_skb). */
function doneBy(datagram: Uint8Array): { type: number; payload: Uint8Array }[] {
  const done = [];
  for (let rest = datagram; rest.length >= 16; ) {
    const view = new DataView(rest.buffer, rest.byteOffset);
    const length = view.getUint32(0, true);
    if (length < 16 || length > rest.length) break;
    const type = view.getUint16(4, true);
    if (type >= KERNELS_OWN && (view.getUint16(6, true) & ASKS) !== 0) {
      done.push({ type, payload: rest.subarray(16, length) });
    }
    rest = rest.subarray((length + 3) & ~3);
  }
  return done;
}

const placeOf = (minor: number) => ({ index: 7, parent: '1:', id: `1:${minor.toString(16)}` });

const changes = fc.record({
  minor: fc.integer({ min: 1, max: 0xffff }),
  rateKBps: fc.double({ min: 0.25, max: 10_000, noNaN: true }),
  packetBytes: fc.integer({ min: 256, max: 1400 }),
  share: fc.double({ min: 0.1, max: 10, noNaN: true }),
});

test('every change is as long, and one request', (t) => {
  fc.assert(
    fc.property(changes, ({ minor, rateKBps, packetBytes, share }) => {
      const shape = { rateKBps, packetBytes, mode: 'vit', sdPercent: 30 } as const;
      const bytesPerSecond = Math.max(1, Math.round(rateKBps * 1000 * share));
      const bytes = encodeClassChange(placeOf(minor), drawnRate(bytesPerSecond, shape));
      t.is(bytes.length, CHANGE_BYTES);
      t.is(readMessages(bytes).rest.length, 0);
      t.is(doneBy(bytes).length, 1);
    }),
  );
  const limit = encodeFifoLimit({ index: 7, parent: '2:10', handle: '2010:', limit: 38 });
  t.deepEqual([limit.length, doneBy(limit).length], [CHANGE_BYTES, 1]);
});

test('cut where a socket’s buffer may cut them, what follows asks for nothing', (t) => {
  fc.assert(
    fc.property(fc.array(changes, { minLength: 1, maxLength: 20 }), (list) => {
      const stream = list.map(({ minor, rateKBps, packetBytes, share }) => {
        const shape = { rateKBps, packetBytes, mode: 'vit', sdPercent: 30 } as const;
        const bytesPerSecond = Math.max(1, Math.round(rateKBps * 1000 * share));
        return encodeClassChange(placeOf(minor), drawnRate(bytesPerSecond, shape));
      });
      const whole = Buffer.concat(stream);
      t.deepEqual(doneBy(whole.subarray(CHANGE_BYTES / 2)), []);
      t.is(doneBy(whole.subarray(0, whole.length - CHANGE_BYTES / 2)).length, list.length - 1);
    }),
  );
});

test('a class made anew is taken away, made and given its queue, each as long as a change', (t) => {
  const shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
  const place = { index: 7, parent: '2:1010', id: '2:2010' };
  const messages = encodeClassAnew(place, spacerRate(shape), { handle: '3010:', limit: 173 });
  t.deepEqual(
    messages.map((bytes) => [bytes.length, doneBy(bytes)[0]!.type]),
    [RTM.deleteClass, RTM.newClass, RTM.newQdisc].map((type) => [CHANGE_BYTES, type]),
  );
  const handles = messages.map((bytes) => {
    const { payload } = doneBy(bytes)[0]!;
    const view = new DataView(payload.buffer, payload.byteOffset);
    return [view.getUint32(8, true), view.getUint32(12, true)];
  });
  t.deepEqual(handles, [
    [0x22010, 0x21010],
    [0x22010, 0x21010],
    [0x30100000, 0x22010],
  ]);
});

test('handles are read as tc writes them', (t) => {
  t.deepEqual(
    ['1:', '1:10', '2010:', 'ffff:fffe'].map((id) => handleNumber(id)),
    [0x10000, 0x10010, 0x20100000, 0xfffffffe],
  );
});
