// The stand-in for ubusd answers the recorded clients with the recorded daemon's bytes.

import test from 'ava';
import { decodeAttributes } from '../../src/shell/ubus/attributes.ts';
import { FrameParser, messageType } from '../../src/shell/ubus/frame.ts';
import { Broker } from '../stand-ins/ubusd/broker.ts';
import type { Client } from '../stand-ins/ubusd/model.ts';
import { framesIn, readTranscripts, streamOf, type Transcript } from './transcript.ts';

/** Stayed connected until all others were done. */
const provider = '02-provider-demo.jsonl';

/** One recorded client: plays its part as far as the daemon's answers allow. */
class Replay {
  readonly transcript: Transcript;
  readonly #broker: Broker;
  readonly #parser = new FrameParser();
  readonly #client: Client;
  #next = 0;
  #received = Buffer.alloc(0);

  constructor(transcript: Transcript, broker: Broker) {
    this.transcript = transcript;
    this.#broker = broker;
    this.#client = broker.connect((bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    }, 'root');
  }

  get done(): boolean {
    return this.#next === this.transcript.steps.length;
  }

  /** What came beyond what was recorded. */
  get surplus(): string {
    return this.#received.toString('hex');
  }

  /** Takes the steps that can be taken; throws at the first byte that differs. */
  advance(): boolean {
    const before = this.#next;
    for (let step = this.#step; step; step = this.#step) {
      if (step.from === 'client') {
        for (const frame of this.#parser.push(step.bytes).frames) {
          this.#broker.receive(this.#client, frame);
        }
      } else {
        const size = Math.min(step.bytes.length, this.#received.length);
        const got = this.#received.subarray(0, size).toString('hex');
        const expected = step.bytes.subarray(0, size).toString('hex');
        if (got !== expected) {
          throw new Error(`${this.transcript.name}, step ${this.#next}: ${got}, not ${expected}`);
        }
        if (size < step.bytes.length) break;
        this.#received = this.#received.subarray(size);
      }
      this.#next++;
    }
    if (this.done && this.transcript.name !== provider) this.#broker.disconnect(this.#client);
    return this.#next > before;
  }

  get #step() {
    return this.transcript.steps[this.#next];
  }
}

/** The ids the recorded daemon drew, in the order it drew them. */
function recordedIds(transcripts: Transcript[]) {
  const objects: number[] = [];
  const types: number[] = [];
  const clients = transcripts.map((one) => framesIn(streamOf(one, 'ubusd'))[0]!.peer);
  for (const transcript of transcripts) {
    const adds = framesIn(streamOf(transcript, 'client'))
      .filter(({ type }) => type === messageType.addObject)
      .map(({ seq }) => seq);
    for (const { type, seq, body } of framesIn(streamOf(transcript, 'ubusd'))) {
      if (type !== messageType.data || !adds.includes(seq)) continue;
      const { objectId, objectType } = decodeAttributes(body);
      if (objectId !== undefined) objects.push(objectId);
      if (objectType !== undefined) types.push(objectType);
    }
  }
  return {
    client: () => clients.shift()!,
    object: () => objects.shift()!,
    type: () => types.shift()!,
  };
}

test('all recorded conversations, side by side, byte for byte', (t) => {
  const transcripts = readTranscripts();
  const broker = new Broker(recordedIds(transcripts));
  const replays: Replay[] = [];
  const advanceAll = () => {
    while (replays.map((replay) => !replay.done && replay.advance()).includes(true));
  };
  for (const transcript of transcripts) {
    replays.push(new Replay(transcript, broker));
    advanceAll();
  }
  for (const replay of replays) {
    t.true(replay.done, `${replay.transcript.name} came to its end`);
    t.is(replay.surplus, '', `${replay.transcript.name}: nothing else was sent`);
  }
});
