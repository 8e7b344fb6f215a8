// Every recorded conversation is read, written back byte for byte, and read however it is split.

import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import { decodeAttributes, encodeAttributes } from '../../src/shell/ubus/attributes.ts';
import { decodeBlobmsg, encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import { encodeFrame, type Frame, FrameParser, messageType } from '../../src/shell/ubus/frame.ts';
import { decodeSignature } from '../../src/shell/ubus/object.ts';
import { fromBlobmsg } from '../../src/shell/ubus/values.ts';
import { framesIn, readTranscripts, streamOf, type Transcript } from './transcript.ts';

const transcripts = readTranscripts();
const sides = ['client', 'ubusd'] as const;

/** Decodes a message to its last field, and encodes it anew from what was decoded. */
function reencode(frame: Frame): Buffer {
  const attributes = decodeAttributes(frame.body);
  for (const name of ['data', 'signature'] as const) {
    const nested = attributes[name];
    if (nested) attributes[name] = encodeBlobmsg(decodeBlobmsg(nested));
  }
  return encodeFrame({ ...frame, body: encodeAttributes(attributes) });
}

test('thirteen conversations are there', (t) => {
  t.is(transcripts.length, 13);
  t.is(transcripts.flatMap((one) => framesIn(streamOf(one, 'ubusd'))).length, 59);
  t.is(transcripts.flatMap((one) => framesIn(streamOf(one, 'client'))).length, 32);
});

const roundTrip = test.macro({
  title: (_, transcript: Transcript) => `${transcript.name}: decoded and encoded again`,
  exec(t, transcript: Transcript) {
    for (const side of sides) {
      const stream = streamOf(transcript, side);
      const again = framesIn(stream).map(reencode);
      t.is(Buffer.concat(again).toString('hex'), stream.toString('hex'));
    }
  },
});

const splits = test.macro({
  title: (_, transcript: Transcript) => `${transcript.name}: split at every byte, and into bytes`,
  exec(t, transcript: Transcript) {
    for (const side of sides) {
      const stream = streamOf(transcript, side);
      const whole = framesIn(stream);
      for (let at = 0; at <= stream.length; at++) {
        const parser = new FrameParser();
        const first = parser.push(stream.subarray(0, at));
        const second = parser.push(stream.subarray(at));
        if (first.error || second.error) t.fail(`split at ${at}`);
        t.true(isDeepStrictEqual([...first.frames, ...second.frames], whole), `split at ${at}`);
      }
      const parser = new FrameParser();
      t.deepEqual(
        [...stream].flatMap((byte) => parser.push(Uint8Array.of(byte)).frames),
        whole,
      );
    }
  },
});

for (const transcript of transcripts) {
  test(roundTrip, transcript);
  test(splits, transcript);
}

/** The message of a type in a conversation, its attributes read. */
function find(name: string, side: 'client' | 'ubusd', type: number, nth = 0) {
  const transcript = transcripts.find((one) => one.name.startsWith(name))!;
  const frame = framesIn(streamOf(transcript, side)).filter((one) => one.type === type)[nth]!;
  return decodeAttributes(frame.body);
}

test('every type of value arrives as the value it is', (t) => {
  const reply = find('05', 'ubusd', messageType.data, 1);
  t.deepEqual(fromBlobmsg(decodeBlobmsg(reply.data!)), {
    i: 42,
    neg: -7,
    big: 5_000_000_000,
    d: 0.25,
    t: true,
    f: false,
    s: 'grüß "x"\n',
    a: [1, 'two', [3]],
    o: { k: { n: 1 } },
    e: '',
    ea: [],
    eo: {},
  });
});

test('a signature names methods, arguments and types', (t) => {
  const found = find('03', 'ubusd', messageType.data);
  t.is(found.objectPath, 'demo');
  t.deepEqual(decodeSignature(found.signature!), {
    echo: {
      text: 'string',
      count: 'int32',
      flag: 'int8',
      big: 'double',
      list: 'array',
      table: 'table',
    },
    types: {},
    fail: {},
    later: {},
  });
});

test('a notification names its subscribers', (t) => {
  const answers = framesIn(streamOf(transcripts[1]!, 'ubusd'))
    .filter(({ type }) => type === messageType.status)
    .map(({ body }) => decodeAttributes(body));
  t.deepEqual(
    answers.map(({ subscribers }) => subscribers).filter((ids) => ids !== undefined),
    [[0x89c8dbd4]],
  );
});
