// The service's own questions: when they are asked, what their answers look like, and what missing ones mean.
import test from 'ava';
import {
  encodeConnect,
  encodeEcho,
  encodeNameQuestion,
  type Question,
  readAnswer,
} from '../../src/core/delivery/probe-packets.ts';
import {
  commandToStop,
  hasUdpSocket,
  listUdpPorts,
  parseHolders,
  unitOf,
} from '../../src/core/delivery/udp-sockets.ts';
import { isIpPacket } from '../../src/core/framing/ip-packet.ts';
import {
  findUnanswered,
  hearAnswer,
  isAnswered,
  NO_PROBES,
  type Probes,
  passSecond,
} from '../../src/core/home/delivery/probing.ts';
import type { Shape } from '../../src/core/stream/stream.ts';

const shape: Shape = { mode: 'vit', rateKBps: 40, packetBytes: 512, sdPercent: 30 };
const streams = { upload: shape, download: shape };
const question: Question = {
  ...{ source: '10.214.2.254', destination: '10.214.0.1', id: 0xbeef, port: 40_000 },
};

/** The packet as the far end would answer it. */
function answered(packet: Uint8Array, change: (body: Uint8Array) => void): Uint8Array {
  const back = Uint8Array.from(packet);
  back.set(packet.subarray(12, 16), 16);
  back.set(packet.subarray(16, 20), 12);
  change(back.subarray(20));
  return back;
}

const echoed = answered(encodeEcho(question), (body) => {
  body[0] = 0;
});
const named = (status: number): Uint8Array =>
  answered(encodeNameQuestion(question), (body) => {
    [body[0], body[1], body[2], body[3]] = [body[2]!, body[3]!, body[0]!, body[1]!];
    body[10] = 0x81;
    body[11] = 0x80 | status;
  });

test('what is sent are whole IP packets, and answers are known by number and port', (t) => {
  for (const packet of [
    encodeEcho(question),
    encodeNameQuestion(question),
    encodeConnect('10.214.1.1', '198.41.0.4', 40_000),
  ]) {
    t.true(isIpPacket(packet));
  }
  t.is(readAnswer(echoed, question), 'echo');
  t.is(readAnswer(named(0), question), 'names');
  t.is(readAnswer(named(3), question), 'names');
  t.is(readAnswer(named(5), question), 'names-refused');
  for (const other of [{ id: 1 }, { source: '10.214.2.11' }, { destination: '10.214.0.2' }]) {
    t.is(readAnswer(echoed, { ...question, ...other }), null);
    t.is(readAnswer(named(0), { ...question, ...other }), null);
  }
  t.is(readAnswer(named(0), { ...question, port: 1 }), null);
  t.is(readAnswer(encodeEcho(question), question), null, 'the question itself');
  for (let length = 0; length < echoed.length; length++) {
    t.notThrows(() => readAnswer(echoed.subarray(0, length), question));
  }
});

/** Lets seconds pass, in which each question gets these answers. */
function live(seconds: number, answers: ('echo' | 'names' | 'names-refused')[], from = NO_PROBES) {
  let probes: Probes = from;
  const asked: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const next = passSecond(probes, streams, second * 1000, 0.5);
    probes = next.probes;
    if (!next.ask) continue;
    asked.push(second);
    for (const answer of answers) probes = hearAnswer(probes, answer, second * 1000);
  }
  return { probes, asked };
}

test('while all is answered it asks now and again', (t) => {
  const { probes, asked } = live(100, ['echo', 'names']);
  t.true(asked.length >= 6 && asked.length <= 8, `${asked}`);
  t.true(isAnswered(probes, streams, 100_000));
  t.deepEqual(findUnanswered(probes), []);
});

const missing: [what: string, answers: ('echo' | 'names' | 'names-refused')[], code: string][] = [
  ['nothing is answered', [], 'probe-unanswered'],
  ['names are not', ['echo'], 'names-unanswered'],
  ['names are refused', ['echo', 'names-refused'], 'names-refused'],
];

for (const [what, answers, code] of missing) {
  test(`where ${what}, that is said after three in a row, and unsaid by an answer`, (t) => {
    t.deepEqual(findUnanswered(live(2, answers).probes), []);
    const { probes } = live(40, answers);
    t.is(findUnanswered(probes)[0]?.code, code as never);
    t.false(isAnswered(probes, streams, 40_000));
    const again = live(20, ['echo', 'names'], { ...probes, askedMs: null, dueMs: 0 });
    t.deepEqual(findUnanswered(again.probes), []);
    t.true(isAnswered(again.probes, streams, 20_000));
  });
}

test('a slow stream is asked seldom and waited for', (t) => {
  const slow = { upload: { ...shape, rateKBps: 0.25 }, download: { ...shape, rateKBps: 0.25 } };
  const { probes } = passSecond(NO_PROBES, slow, 0, 0.5);
  t.is(passSecond(probes, slow, 20_000, 0.5).probes.missedEcho, 0);
  t.is(passSecond(probes, slow, 60_000, 0.5).probes.missedEcho, 1);
});

test('whoever has a port is stopped for good, a service by systemd', (t) => {
  const slice = (path: string) => unitOf(`0::${path}\n`);
  t.is(slice('/system.slice/unbound.service'), 'unbound.service');
  t.is(slice('/system.slice/system-openvpn.slice/openvpn@s.service'), 'openvpn@s.service');
  t.is(slice('/system.slice/docker.service'), null);
  t.is(slice('/user.slice/user-0.slice/session-1.scope'), null);
  t.is(unitOf(''), null);
  const one = (pid: number, unit: string | null) => ({ name: 'one', pid, unit });
  const stop = (...programs: ReturnType<typeof one>[]) =>
    commandToStop({ isTaken: true, programs });
  t.is(stop(), null);
  t.is(stop(one(7, null), one(8, null)), 'kill 7 8');
  const both = stop(one(7, 'a.service'), one(8, 'a.service'), one(9, null));
  t.is(both, 'systemctl disable --now a.service; kill 9');
});

test('who has a port is read from what the kernel lists', (t) => {
  const listing = `  sl  local_address rem_address   st tx_queue
  103: 0100D60A:0035 00000000:0000 07 00000000:00000000
  104: 00000000:0044 00000000:0000 07 00000000:00000000
`;
  t.true(hasUdpSocket(listing, '10.214.0.1', 53));
  t.false(hasUdpSocket(listing, '10.214.0.1', 68));
  t.false(hasUdpSocket(listing, '10.214.0.2', 53));
  t.deepEqual(listUdpPorts(listing), [53, 68]);
  const holders = `UNCONN 0      0      127.0.0.53%lo:53       0.0.0.0:*    users:(("systemd-resolve",pid=7,fd=13))
UNCONN 0      0            0.0.0.0:53       0.0.0.0:*    users:(("python3",pid=9,fd=3))
`;
  t.deepEqual(parseHolders(holders, '10.214.0.1'), {
    ...{ isTaken: true, programs: [{ name: 'python3', pid: 9, unit: null }] },
  });
  t.deepEqual(parseHolders(holders.split('\n')[0]!, '10.214.0.1'), {
    isTaken: false,
    programs: [],
  });
});
