// Reads packets from pcap and pcapng captures as a stream, in memory that does not grow with the file.
import { explainClock, keepClock } from '../../core/capture/clock.ts';
import { CaptureError } from '../../core/capture/error.ts';
import { unreadLink } from '../../core/capture/link-layer.ts';
import type { CapturedPacket } from '../../core/capture/packet.ts';
import { PacketReader } from '../../core/capture/packet-reader.ts';
import type { System } from '../system/system.ts';
import { readPieces } from './pieces.ts';

export { CaptureError } from '../../core/capture/error.ts';
export type { CapturedPacket } from '../../core/capture/packet.ts';

/** How whatever was odd about a file, but did not end reading it, is told; and what is done about its clock. */
export interface CaptureNotes {
  warn: (message: string) => void;
  /** Silences longer than this are cut out; a week where left out. */
  leapS?: number;
  /** Whether what follows a step of the clock is moved to where the clock before was; true where left out. */
  join?: boolean;
}

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
 * Opens a capture file, packed with gzip or not; `-` is the standard input.
 * @param notes where given, packets whose time cannot be true are set aside, and they and those that cannot be read told of
 * @throws CaptureError also where the file cannot be opened
 */
export function openCapture(
  system: Pick<System, 'files'>,
  path: string,
  notes?: CaptureNotes,
): AsyncGenerator<CapturedPacket> {
  const name = path === '-' ? 'standard input' : path;
  const pieces = readPieces(
    system,
    path,
    (problem) => new CaptureError(path, 0, 0, problem, { opened: false }),
  );
  const packets = readPackets(pieces, name);
  return notes ? noted(packets, name, notes) : packets;
}

function noted(
  packets: AsyncIterable<CapturedPacket>,
  name: string,
  { warn, leapS, join }: CaptureNotes,
): AsyncGenerator<CapturedPacket> {
  return keepClock(countUnread(packets, name, warn), {
    tell: (fault) => warn(explainClock(name, fault)),
    hold: (packet) => ({ ...packet, data: packet.data.slice() }),
    ...(leapS === undefined ? {} : { leapS }),
    ...(join === undefined ? {} : { join }),
  });
}

/** Passes all on, and says at the end what could not be read. */
async function* countUnread(
  packets: AsyncIterable<CapturedPacket>,
  name: string,
  warn: (message: string) => void,
): AsyncGenerator<CapturedPacket> {
  const unread = new UnreadCount();
  try {
    for await (const packet of packets) {
      unread.add(packet);
      yield packet;
    }
  } finally {
    unread.tell(name, warn);
  }
}

/** Counts packets of links that cannot be read. */
export class UnreadCount {
  readonly #counts = new Map<string, number>();
  #all = 0;

  add({ data, linkType }: CapturedPacket): void {
    this.#all++;
    const unread = unreadLink(data, linkType);
    if (unread !== null) this.#counts.set(unread, (this.#counts.get(unread) ?? 0) + 1);
  }

  tell(name: string, warn: (message: string) => void): void {
    for (const [what, count] of this.#counts) {
      warn(
        `${name}: ${count} of ${this.#all} packets are of ${what}, which cannot be read, and left out`,
      );
    }
  }
}
