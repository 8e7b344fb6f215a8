// The recorded conversations with a real ubusd, as bytes and as messages.

import { readdirSync, readFileSync } from 'node:fs';
import { type Frame, FrameParser } from '../../src/shell/ubus/frame.ts';

const directory = 'test/fixtures/ubus';

export type Side = 'client' | 'ubusd';

export interface Step {
  from: Side;
  bytes: Buffer;
}

export interface Transcript {
  name: string;
  steps: Step[];
}

/** All conversations, in the order they were held. */
export function readTranscripts(): Transcript[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
  return names.sort().map((name) => ({
    name,
    steps: readFileSync(`${directory}/${name}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { from: Side; hex: string })
      .map(({ from, hex }) => ({ from, bytes: Buffer.from(hex, 'hex') })),
  }));
}

/** Everything one side of a conversation sent. */
export function streamOf({ steps }: Transcript, side: Side): Buffer {
  return Buffer.concat(steps.filter(({ from }) => from === side).map(({ bytes }) => bytes));
}

/** The messages in bytes known to be sound. */
export function framesIn(bytes: Buffer): Frame[] {
  const { frames, error } = new FrameParser().push(bytes);
  if (error) throw error;
  return frames;
}
