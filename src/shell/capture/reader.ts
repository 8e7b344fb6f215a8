// Reads packets from pcap and pcapng captures as a stream, in memory that does not grow with the file.
import { CaptureError } from '../../core/capture/error.ts';
import type { CapturedPacket } from '../../core/capture/packet.ts';
import { PacketReader } from '../../core/capture/packet-reader.ts';
import type { System } from '../system/system.ts';
import { readPieces } from './pieces.ts';

export { CaptureError } from '../../core/capture/error.ts';
export type { CapturedPacket } from '../../core/capture/packet.ts';

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
  const reader = new PacketReader(name);
  for await (const piece of source) yield* reader.push(piece);
  yield* reader.end();
}

/**
 * Opens a capture file; `-` is the standard input.
 * @throws CaptureError also where the file cannot be opened
 */
export function openCapture(
  system: Pick<System, 'files'>,
  path: string,
): AsyncGenerator<CapturedPacket> {
  const pieces = readPieces(
    system,
    path,
    (problem) => new CaptureError(path, 0, 0, problem, { opened: false }),
  );
  return readPackets(pieces, path === '-' ? 'standard input' : path);
}
