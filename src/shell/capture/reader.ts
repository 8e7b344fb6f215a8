// Reads packets from pcap and pcapng captures as a stream, in memory that does not grow with the file.
import { createReadStream } from 'node:fs';
import { ByteQueue } from '../../core/capture/byte-queue.ts';
import { CaptureError, readFault } from '../../core/capture/error.ts';
import type { CapturedPacket } from '../../core/capture/packet.ts';
import { type Parser, parsePcap, pcapFormat } from '../../core/capture/pcap.ts';
import { parsePcapng, pcapngMagic } from '../../core/capture/pcapng.ts';

export { CaptureError } from '../../core/capture/error.ts';
export type { CapturedPacket } from '../../core/capture/packet.ts';

const nothing = new Uint8Array(0);

/**
 * Reads a capture, pcap or pcapng by its first bytes.
 * @param source the file's bytes, cut anywhere
 * @param name what errors call the file
 * @throws CaptureError naming packet and byte offset, after every packet before it has been yielded
 */
export async function* readPackets(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<CapturedPacket> {
  const chunks = source[Symbol.asyncIterator]();
  const queue = new ByteQueue();
  const parser = parseCapture(name);
  let ended = false;
  try {
    let step = parser.next(nothing);
    while (!step.done) {
      const wanted = step.value;
      if (typeof wanted !== 'number') {
        yield wanted;
        step = parser.next(nothing);
        continue;
      }
      while (queue.length < wanted && !ended) {
        const chunk = await chunks.next();
        if (chunk.done) ended = true;
        else queue.push(chunk.value);
      }
      step = parser.next(queue.take(wanted));
    }
  } finally {
    if (!ended) await chunks.return?.();
  }
}

/**
 * Opens a capture file; `-` is the standard input.
 * @throws CaptureError also where the file cannot be opened
 */
export async function* openCapture(path: string): AsyncGenerator<CapturedPacket> {
  yield* readPackets(fileChunks(path), path === '-' ? 'standard input' : path);
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw new CaptureError(path, 0, 0, `cannot be read: ${readFault(error)}`, { opened: false });
  }
}

function* parseCapture(name: string): Parser {
  const magic = yield 4;
  if (magic.length === 0) throw new CaptureError(name, 0, 0, 'the file is empty');
  if (magic.length < 4) {
    throw new CaptureError(name, 0, 0, `cut off: only ${magic.length} bytes, no capture header`);
  }
  const value = new DataView(magic.buffer, magic.byteOffset, 4).getUint32(0);
  const format = pcapFormat(value);
  if (format) yield* parsePcap(name, format);
  else if (value === pcapngMagic) yield* parsePcapng(name);
  else if (value >>> 16 === 0x1f8b) {
    throw new CaptureError(name, 0, 0, 'is compressed with gzip: unpack it first (gunzip)');
  } else {
    const hex = value.toString(16).padStart(8, '0');
    throw new CaptureError(name, 0, 0, `is neither pcap nor pcapng (it begins with ${hex})`);
  }
}
