// Bytes through all of the ubus codec, and what was really said on a bus, from which bytes that nobody would send are made.

import { decodeAttributes } from '../../src/shell/ubus/attributes.ts';
import { CodecError } from '../../src/shell/ubus/blob.ts';
import { decodeBlobmsg, encodeBlobmsg } from '../../src/shell/ubus/blobmsg.ts';
import { FrameParser } from '../../src/shell/ubus/frame.ts';
import { fromBlobmsg, toBlobmsg } from '../../src/shell/ubus/values.ts';
import { readTranscripts } from './transcript.ts';

/** What a daemon and its clients said, message by message. */
export const ubusSamples = readTranscripts().flatMap(({ steps }) =>
  steps.map(({ bytes }) => bytes),
);

/**
 * Puts bytes through all of the codec, as a stream and each part by itself; what is sound is
 * encoded again and must then read the same.
 *
 * @throws whatever is not a CodecError: the fault that was looked for
 */
export function exerciseCodec(bytes: Buffer): 'taken' | 'refused' {
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
  return refused && frames.length === 0 ? 'refused' : 'taken';
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
