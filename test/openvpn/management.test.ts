// OpenVPN's management lines: wherever reads end, the same events.
import test from 'ava';
import fc from 'fast-check';
import { parseManagementLine } from '../../src/core/openvpn/management.ts';
import { LineSplitter } from '../../src/core/text/line-splitter.ts';

/** A connection, its loss and its end, in the forms of management-notes.txt (OpenVPN 2.6). */
const stream = [
  '>HOLD:Waiting for hold release:0',
  ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info",
  'SUCCESS: real-time state notification set to ON',
  'SUCCESS: bytecount interval changed',
  'SUCCESS: hold release succeeded',
  '>STATE:1763855512,WAIT,,,,,,',
  '>STATE:1763855513,CONNECTED,SUCCESS,10.213.0.2,198.51.100.9,1194,,',
  '>BYTECOUNT:3411,3590',
  '>STATE:1763855600,RECONNECTING,ping-restart,,,,,',
  '>HOLD:Waiting for hold release:5',
  '>FATAL:Cannot allocate TUN/TAP dev dynamically',
].map((line) => `${line}\r\n`);

const events = [
  { kind: 'hold', pauseMs: 0 },
  {
    kind: 'other',
    text: ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info",
  },
  { kind: 'other', text: 'SUCCESS: real-time state notification set to ON' },
  { kind: 'other', text: 'SUCCESS: bytecount interval changed' },
  { kind: 'other', text: 'SUCCESS: hold release succeeded' },
  {
    kind: 'state',
    name: 'WAIT',
    detail: '',
    localAddress: '',
    remoteAddress: '',
    remotePort: null,
  },
  {
    kind: 'state',
    name: 'CONNECTED',
    detail: 'SUCCESS',
    localAddress: '10.213.0.2',
    remoteAddress: '198.51.100.9',
    remotePort: 1194,
  },
  { kind: 'bytes', inBytes: 3411, outBytes: 3590 },
  {
    kind: 'state',
    name: 'RECONNECTING',
    detail: 'ping-restart',
    localAddress: '',
    remoteAddress: '',
    remotePort: null,
  },
  { kind: 'hold', pauseMs: 5000 },
  { kind: 'fatal', text: 'Cannot allocate TUN/TAP dev dynamically' },
];

function read(pieces: readonly string[]) {
  const splitter = new LineSplitter();
  return pieces.flatMap((piece) => splitter.push(piece)).map(parseManagementLine);
}

test('each line is the event it names', (t) => {
  t.deepEqual(read(stream), events as never);
});

test('a split at any byte makes no difference', (t) => {
  const text = stream.join('');
  for (let at = 0; at <= text.length; at++) {
    t.deepEqual(read([text.slice(0, at), text.slice(at)]), events as never, `split at ${at}`);
  }
  t.deepEqual(read([...text]), events as never);
});

test('nothing makes it throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `>STATE:${text}`),
          fc.string().map((text) => `>BYTECOUNT:${text}`),
          fc.string().map((text) => `>HOLD:${text}`),
        ),
        (line) => typeof parseManagementLine(line).kind === 'string',
      ),
    ),
  );
});
