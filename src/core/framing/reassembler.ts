// Cuts device packets out of frames that come in order, and puts split ones together.

import { FRAME_HEADER_BYTES, frameBlockOffset } from './frame.ts';
import { ipLengthFieldBytes, ipTotalBytes, isIpPacket } from './ip-packet.ts';

export interface ReassemblerStats {
  /** Data blocks and BlockOffsets that contradict themselves or each other. */
  damaged: number;
  /** Packets begun whose rest never came. */
  incomplete: number;
  packets: number;
  bytes: number;
}

/**
 * Reads data blocks (RFC 9347 §2.2) of consecutive frames. A split packet is given out only when
 * every frame's BlockOffset named exactly the rest still owed, its IP length field agrees and an
 * IPv4 header's checksum holds. After any contradiction the rest of the frame is left and reading
 * resumes where the next frame's BlockOffset says a new data block begins.
 *
 * Not detected: changed bytes inside a packet's body, or in an IPv6 header but for its length
 * field. The tunnel's authenticated encryption guards those.
 */
export class Reassembler {
  readonly stats: ReassemblerStats = { damaged: 0, incomplete: 0, packets: 0, bytes: 0 };
  readonly #deliver: (packet: Uint8Array) => void;
  readonly #maxPacketBytes: number;
  readonly #partial: Uint8Array;
  #partialBytes = 0;
  /** Where reading ended in the frame read last: at its pad, where it has one. */
  #endByte = 0;

  /** `deliver` is handed a fresh array for each packet, in order. */
  constructor(maxPacketBytes: number, deliver: (packet: Uint8Array) => void) {
    this.#maxPacketBytes = maxPacketBytes;
    this.#partial = new Uint8Array(maxPacketBytes);
    this.#deliver = deliver;
  }

  /** Frames are missing before the next one: what was begun can't be completed. */
  skip(): void {
    if (this.#partialBytes > 0) this.stats.incomplete += 1;
    this.#partialBytes = 0;
  }

  /** Reads the frame that follows the one read before. */
  read(frame: Uint8Array): void {
    const blockOffset = frameBlockOffset(frame);
    if (this.#partialBytes > 0) {
      // RFC 9347 §2.2.3: an all-pad payload may stand between the fragments of a packet.
      if (blockOffset === 0 && frame[FRAME_HEADER_BYTES]! >> 4 === 0) {
        this.#endByte = frame.length;
        return;
      }
      this.#continue(frame, blockOffset);
    }
    this.#readFrom(frame, FRAME_HEADER_BYTES + blockOffset);
  }

  /** Reads what a fuller edition of the frame read last has more than that. */
  readOn(frame: Uint8Array): void {
    this.#readFrom(frame, this.#endByte);
  }

  #readFrom(frame: Uint8Array, fromByte: number): void {
    let at = fromByte;
    while (at < frame.length && frame[at]! >> 4 !== 0) at = this.#readBlock(frame, at);
    this.#endByte = at;
  }

  #continue(frame: Uint8Array, owed: number): void {
    const total = this.#partialBytes + owed;
    const partial = this.#partial;
    const announced = ipTotalBytes(partial, 0, this.#partialBytes);
    const fieldBytes = ipLengthFieldBytes(partial[0]!)!;
    const lengthKnown = this.#partialBytes >= fieldBytes;
    if (total > this.#maxPacketBytes || (lengthKnown && announced !== total)) {
      this.#abandon();
      return;
    }
    const end = Math.min(frame.length, FRAME_HEADER_BYTES + owed);
    partial.set(frame.subarray(FRAME_HEADER_BYTES, end), this.#partialBytes);
    this.#partialBytes += end - FRAME_HEADER_BYTES;
    if (
      !lengthKnown &&
      this.#partialBytes >= fieldBytes &&
      ipTotalBytes(partial, 0, this.#partialBytes) !== total
    ) {
      this.#abandon();
      return;
    }
    if (this.#partialBytes < total) return;
    this.#partialBytes = 0;
    this.#finish(copyOf(partial, 0, total));
  }

  /** Reads the data block at `at`, no pad; returns where the next one begins, past the end for none. */
  #readBlock(frame: Uint8Array, at: number): number {
    const end = frame.length;
    const first = frame[at]!;
    const fieldBytes = ipLengthFieldBytes(first);
    const total = ipTotalBytes(frame, at, end);
    const lengthKnown = fieldBytes !== null && at + fieldBytes <= end;
    if (fieldBytes === null || (lengthKnown && (total === null || total > this.#maxPacketBytes))) {
      this.stats.damaged += 1;
      return end;
    }
    if (total !== null && at + total <= end) {
      return this.#finish(copyOf(frame, at, at + total)) ? at + total : end;
    }
    this.#partial.set(frame.subarray(at, end));
    this.#partialBytes = end - at;
    return end;
  }

  #finish(packet: Uint8Array): boolean {
    if (!isIpPacket(packet)) {
      this.stats.damaged += 1;
      return false;
    }
    this.stats.packets += 1;
    this.stats.bytes += packet.length;
    this.#deliver(packet);
    return true;
  }

  #abandon(): void {
    this.stats.damaged += 1;
    this.#partialBytes = 0;
  }
}

/** A copy even of a Buffer, whose own slice() would be a view. */
function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}
