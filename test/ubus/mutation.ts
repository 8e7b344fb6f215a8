// Inputs no daemon would send, made from those one did: for the suite and the million of the bench.

import { decodeAttributes } from '../../src/shell/ubus/attributes.ts';
import { CodecError } from '../../src/shell/ubus/blob.ts';
import { decodeBlobmsg, encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import { FrameParser } from '../../src/shell/ubus/frame.ts';
import { fromBlobmsg, toBlobmsg } from '../../src/shell/ubus/values.ts';
import { readTranscripts } from './transcript.ts';

const samples = readTranscripts().flatMap(({ steps }) => steps.map(({ bytes }) => bytes));

/** The same bytes for the same seed: noise for one in eight, else recorded bytes, damaged. */
export function generateInput(seed: number): Buffer {
  const random = xorshift(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  if (below(8) === 0) return Buffer.from(Array.from({ length: below(256) }, () => below(256)));
  let bytes = Buffer.from(samples[below(samples.length)]!);
  for (let count = below(6); count > 0 && bytes.length > 0; count--) {
    const at = below(bytes.length);
    switch (below(6)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at]! ^= 1 << below(8);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(8))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))]);
        break;
      case 5:
        bytes = Buffer.concat([bytes, samples[below(samples.length)]!]);
        break;
    }
  }
  return bytes;
}

/**
 * Puts bytes through all of the codec, as a stream and each part by itself; what is sound is
 * encoded again and must then read the same.
 *
 * @throws whatever is not a CodecError: the fault that was looked for
 */
export function exerciseCodec(bytes: Buffer): 'sound' | 'refused' {
  const { frames, error } = new FrameParser().push(bytes);
  let refused = error !== null;
  for (const body of [bytes, ...frames.map((frame) => frame.body)]) {
    refused =
      !isSound(() => {
        const attributes = decodeAttributes(body);
        for (const nested of [attributes.data, attributes.signature]) {
          if (nested) checkFields(nested);
        }
      }) || refused;
  }
  for (const at of [0, 4, 12, 20]) isSound(() => checkFields(bytes.subarray(at)));
  return refused && frames.length === 0 ? 'refused' : 'sound';
}

function checkFields(bytes: Buffer): void {
  const fields = decodeBlobmsg(bytes);
  const again = encodeBlobmsg(fields);
  if (!encodeBlobmsg(decodeBlobmsg(again)).equals(again)) throw new Error('not the same again');
  encodeBlobmsg(toBlobmsg(fromBlobmsg(fields)));
}

function isSound(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

/** Marsaglia's xorshift32: fast, and the same on every machine. */
function xorshift(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
