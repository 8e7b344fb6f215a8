// A capture's packets, some at a time: a promise for each of a million takes longer than reading them.
import { ClockKeeper, explainClock } from '../../core/capture/clock.ts';
import { PacketReader } from '../../core/capture/packet-reader.ts';
import { type CapturedPacket, type CaptureNotes, UnreadCount } from '../../shell/capture/reader.ts';

/** @throws CaptureError behind the packets before it */
export async function* readBatches(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<CapturedPacket[]> {
  const reader = new PacketReader(name);
  for await (const piece of pieces) {
    // Parts of a Buffer take several times as long to make.
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    yield* gather(reader.push(bytes));
  }
  yield* gather(reader.end());
}

/** So many at once cost no promise to speak of, and are gone again before memory for what lasts is asked for. */
const MOST = 32;

function* gather(packets: Iterable<CapturedPacket>): Generator<CapturedPacket[]> {
  let batch: CapturedPacket[] = [];
  try {
    for (const packet of packets) {
      batch.push(packet);
      if (batch.length < MOST) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    if (batch.length > 0) yield batch;
    throw error;
  }
  if (batch.length > 0) yield batch;
}

/** Sets packets aside whose time cannot be true, and tells of them and of those that cannot be read. */
export async function* noteBatches(
  batches: AsyncIterable<readonly CapturedPacket[]>,
  name: string,
  { warn, ...options }: CaptureNotes,
): AsyncGenerator<CapturedPacket[]> {
  let ready: CapturedPacket[] = [];
  const unread = new UnreadCount();
  const keeper = new ClockKeeper<CapturedPacket>(
    {
      tell: (fault) => warn(explainClock(name, fault)),
      hold: (packet) => ({ ...packet, data: packet.data.slice() }),
      ...options,
    },
    (packet) => ready.push(packet),
  );
  let failure: { error: unknown } | null = null;
  try {
    for await (const batch of batches) {
      for (const packet of batch) {
        unread.add(packet);
        keeper.push(packet);
      }
      yield ready;
      ready = [];
    }
  } catch (error) {
    failure = { error };
  } finally {
    unread.tell(name, warn);
  }
  keeper.end();
  yield ready;
  if (failure) throw failure.error;
}
