// What the kernel is asked of nf_tables, and what it answered: recorded from Linux 6.18, nft 1.0.6.
import test from 'ava';
import {
  type NetlinkMessage,
  NLMSG_DONE,
  NLMSG_ERROR,
  readError,
  readMessages,
} from '../../src/core/netlink/netlink.ts';
import {
  askElements,
  askGeneration,
  readCounters,
  readElements,
  readGeneration,
  renewElements,
} from '../../src/core/netlink/nft-messages.ts';
import { bytesOf, netlinkSamples } from './recorded.ts';

const read = (hex: string): NetlinkMessage[] => readMessages(bytesOf(hex)).messages;

test('the generation of all rules', (t) => {
  t.is(readGeneration(read(netlinkSamples.generation)), 8);
  t.is(readGeneration(read(netlinkSamples.counters)), null);
});

test('packets by counter', (t) => {
  const messages = read(netlinkSamples.counters);
  t.deepEqual(
    [...readCounters(messages)],
    [
      ['cover_in', 5],
      ['astray', 0],
    ],
  );
  t.is(messages.at(-1)?.type, NLMSG_DONE);
  t.is(readError(messages.at(-1)!.payload), 0);
});

test('elements of sets, as nft would list them, and what they count', (t) => {
  const counted = readElements(read(netlinkSamples.cover_in), 'ipv4_addr');
  t.deepEqual(
    counted.toSorted((a, b) => a.packets - b.packets),
    [
      { value: '10.213.0.2', packets: 0, bytes: 0 },
      { value: '10.213.0.3', packets: 7, bytes: 8 },
    ],
  );
  const values = (hex: string, type: 'ether_addr' | 'inet_service' | 'ipv6_addr') =>
    readElements(read(hex), type).map(({ value }) => value);
  t.deepEqual(values(netlinkSamples.resolvers, 'ether_addr'), ['aa:bb:cc:dd:ee:01']);
  t.deepEqual(values(netlinkSamples.redirected, 'inet_service'), ['443']);
  t.deepEqual(values(netlinkSamples.senders6, 'ipv6_addr'), ['fd00::9']);
});

test('a set that is not there is refused', (t) => {
  const [answer] = read(netlinkSamples.none);
  t.is(answer?.type, NLMSG_ERROR);
  t.is(readError(answer!.payload), -2);
  t.deepEqual(readElements(read(netlinkSamples.none), 'ipv4_addr'), []);
});

test('what lets elements go on is one transaction, of which the last part is acknowledged', (t) => {
  const { messages, rest } = readMessages(
    renewElements(7, 'iotshaper', 'alive', ['ip', 'ip6'], 3000),
  );
  t.is(rest.length, 0);
  t.deepEqual(
    messages.map(({ type, flags, sequence }) => [type, flags, sequence]),
    [
      [16, 1, 0],
      [0xa0c, 0x401, 7],
      [0xa0e, 1, 7],
      [0xa0c, 0x405, 7],
      [17, 1, 0],
    ],
  );
  t.is(readError(read(netlinkSamples.renewed)[0]!.payload), 0);
  t.deepEqual(
    read(netlinkSamples.renewedNone).map(({ payload }) => readError(payload)),
    [-2, -2, -2],
  );
});

test('what is asked has the bytes that the kernel takes', (t) => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  t.is(hex(askGeneration(1)), '14000000100a0100010000000000000001000000');
  t.is(
    hex(askElements(3, 'iotshaper', 'cover_in')),
    '340000000d0a010303000000000000000100000' +
      '00e000100696f747368617065720000000d000200636f7665725f696e00000000',
  );
});

test('an answer is read wherever it is cut', (t) => {
  const whole = bytesOf(netlinkSamples.counters);
  for (let cut = 0; cut <= whole.length; cut++) {
    const first = readMessages(whole.subarray(0, cut));
    const later = readMessages(Buffer.concat([first.rest, whole.subarray(cut)]));
    t.is(first.messages.length + later.messages.length, 3, `${cut}`);
    t.is(later.rest.length, 0);
  }
});

test('a length that no message has is refused', (t) => {
  t.throws(() => readMessages(new Uint8Array(16)), { instanceOf: RangeError });
});
