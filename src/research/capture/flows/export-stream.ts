// Exports that lie one behind the other in a file: IPFIX files (RFC 5655), and datagrams that somebody wrote down as they came.
import { CaptureError } from '../../../core/capture/error.ts';
import type { PieceReader } from '../piece-reader.ts';
import { type ExportDecoder, messageLength } from './export-decoder.ts';
import type { FlowRecord } from './flow-record.ts';

/** No datagram is longer. */
const LONGEST = 65_535;

/** @throws CaptureError where what follows is no message, behind the records of those before */
export async function* readExports(
  reader: PieceReader,
  name: string,
  decoder: ExportDecoder,
): AsyncGenerator<FlowRecord> {
  let offset = 0;
  for (let index = 0; ; index++) {
    const ahead = await reader.peek(2 * LONGEST);
    if (ahead.length === 0) return;
    const length = messageLength(ahead, 0, ahead.length < 2 * LONGEST);
    const fail = (problem: string) => new CaptureError(name, index, offset, problem);
    if (length <= 0) throw fail('is no message of NetFlow or IPFIX');
    if (length > ahead.length) throw fail(`cut off: ${ahead.length} of ${length} bytes`);
    yield* decoder.decode(await reader.take(length));
    offset += length;
  }
}
