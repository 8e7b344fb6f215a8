// Listings recorded from the real tc, read in any pieces.
import { readFileSync } from 'node:fs';
import test from 'ava';
import type { TcListing } from '../../src/core/plan/tc-listing.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

const endpoint = readFileSync('test/fixtures/tc/endpoint.txt', 'utf8');

const listed: TcListing = {
  classes: [
    { id: '1:fe', leaf: '10fe:', packets: 3, bytes: 1536, backlogPackets: 0 },
    { id: '1:fffe', leaf: null, packets: 0, bytes: 0, backlogPackets: 0 },
    { id: '1:2', leaf: '1002:', packets: 20, bytes: 10_240, backlogPackets: 3 },
  ],
  qdiscs: [
    { kind: 'htb', handle: '1:', parent: 'root' },
    { kind: 'pfifo_fast', handle: '1002:', parent: '1:2' },
    { kind: 'pfifo_fast', handle: '10fe:', parent: '1:fe' },
  ],
};

test('classes, counts, backlogs and qdiscs', (t) => {
  const counts: [string, number][] = [];
  const reader = new TcListingReader((id, packets) => counts.push([id, packets]));
  for (const line of endpoint.split('\n')) reader.push(line);
  t.deepEqual(reader.take(), listed);
  // A qdisc's count is not a class's.
  t.deepEqual(counts, [
    ['1:fe', 3],
    ['1:fffe', 0],
    ['1:2', 20],
  ]);
});

test('what was taken is not listed again', (t) => {
  const reader = new TcListingReader();
  const lines = endpoint.split('\n');
  for (const line of lines) reader.push(line);
  reader.take();
  t.deepEqual(reader.take(), { classes: [], qdiscs: [] });
  for (const line of lines) reader.push(line);
  t.deepEqual(reader.take(), listed);
});

test('other lines are passed over', (t) => {
  const reader = new TcListingReader();
  for (const line of [
    'Cannot find device "iotvpn0"',
    ' Sent 5 bytes 5 pkt',
    '',
    'class hfsc 1:1 root',
  ]) {
    reader.push(line);
  }
  reader.push('qdisc noqueue 0: root refcnt 2');
  reader.push('qdisc fq_codel 8001: dev iotvpn0 root refcnt 2 limit 10240p');
  t.deepEqual(reader.take(), {
    classes: [],
    qdiscs: [{ kind: 'fq_codel', handle: '8001:', parent: 'root' }],
    clock: {
      classes: [],
      qdiscs: [{ kind: 'noqueue', handle: '0:', parent: 'root' }],
    },
  });
});

test('what belongs to the clock behind OpenVPN is listed apart', (t) => {
  const counts: [string, number, number][] = [];
  const reader = new TcListingReader((...count) => counts.push(count));
  const text = ['clock', 'home'].map((name) =>
    readFileSync(`test/fixtures/tc/${name}.txt`, 'utf8'),
  );
  for (const line of text.join('').split('\n')) reader.push(line);
  const { classes, qdiscs, clock } = reader.take();
  t.deepEqual(
    classes.map(({ id }) => id),
    ['1:10'],
  );
  t.deepEqual(
    qdiscs.map(({ handle }) => handle),
    ['1:', '1010:'],
  );
  t.deepEqual(clock, {
    classes: [
      { id: '2:1010', leaf: null, packets: 624, bytes: 312_879, backlogPackets: 0 },
      { id: '2:10', leaf: '2010:', packets: 312, bytes: 312, backlogPackets: 1 },
      { id: '2:2010', leaf: '3010:', packets: 312, bytes: 312_567, backlogPackets: 75 },
    ],
    qdiscs: [
      { kind: 'htb', handle: '2:', parent: 'root' },
      { kind: 'pfifo', handle: '2010:', parent: '2:10' },
      { kind: 'pfifo', handle: '3010:', parent: '2:2010' },
    ],
  });
  t.deepEqual(counts, [
    ['2:1010', 624, 0],
    ['2:10', 312, 1],
    ['2:2010', 312, 75],
    ['1:10', 30, 0],
  ]);
});
