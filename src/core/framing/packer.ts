// Forms frames just in time from what waits in the device queues.

import {
  EDITION_AT,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  FULLER,
  frameBytes,
  SOLE,
  writeFrameHeader,
} from './frame.ts';
import { isIpPacket } from './ip-packet.ts';
import type { DeviceQueues } from './queues.ts';

export interface PackerOptions {
  /** Bytes of every IP packet on the tunnel netdev. */
  packetBytes: number;
  queues: DeviceQueues;
  /** 0…2^32-1. The live tunnel draws it at random, so that a restart is seen as one; default 0. */
  firstSequence?: number;
  /** Largest device packet carried, as the far end's unpacker accepts it; default 1500. */
  maxPacketBytes?: number;
}

export interface PackerStats {
  frames: number;
  /** Device packets begun. */
  packets: number;
  dataBytes: number;
  padBytes: number;
  /** Dequeued, but not one whole IP packet of at most maxPacketBytes: dropped. */
  malformed: number;
}

/** Packs device packets into frames of one size (RFC 9347 §2.2, with fragmentation). */
export class Packer {
  readonly stats: PackerStats = { frames: 0, packets: 0, dataBytes: 0, padBytes: 0, malformed: 0 };
  readonly #queues: DeviceQueues;
  readonly #maxPacketBytes: number;
  #frameBytes: number;
  #sequence: number;
  /** The packet being split; its tail is owed to the far end, so max_delay no longer touches it. */
  #packet: Uint8Array | null = null;
  #packedBytes = 0;
  /** The frame formed last, and where its data end. */
  #last: Uint8Array = new Uint8Array(0);
  #lastEnd = 0;

  /** @throws RangeError when `packetBytes` leaves no room for data. */
  constructor({ packetBytes, queues, firstSequence = 0, maxPacketBytes = 1500 }: PackerOptions) {
    this.#queues = queues;
    this.#maxPacketBytes = maxPacketBytes;
    this.#sequence = firstSequence >>> 0;
    this.#frameBytes = frameBytesWithRoom(packetBytes);
  }

  /** Size of the frames from the next one on; a split packet continues in them. The last one has no room any more. */
  setPacketBytes(packetBytes: number): void {
    this.#frameBytes = frameBytesWithRoom(packetBytes);
    this.#lastEnd = this.#last.length;
  }

  /** Whether a device packet, or the tail of one, waits for a frame. */
  hasData(nowMs: number): boolean {
    return this.#packet !== null || this.#queues.hasPackets(nowMs);
  }

  /** What the frame formed last has room for, in bytes; none where it is a fuller edition itself. */
  get roomBytes(): number {
    return this.#last.length - this.#lastEnd;
  }

  /** Whether what waits fills such an edition to its end. */
  fills(edition: number): boolean {
    const owed = this.#packet ? this.#packet.length - this.#packedBytes : 0;
    const room = edition === FULLER ? this.roomBytes : this.#frameBytes - FRAME_HEADER_BYTES;
    return owed + this.#queues.totals.depthBytes >= room;
  }

  /**
   * The next frame, full or padded to its end, or a fuller edition of the one formed last, to overtake it; null when no device data waits,
   * or that one has no room.
   */
  nextFrame(nowMs: number, edition = SOLE): Uint8Array | null {
    if (edition === FULLER) return this.#fullerFrame(nowMs);
    const blockOffset = this.#packet ? this.#packet.length - this.#packedBytes : 0;
    this.#packet ??= this.#takePacket(nowMs);
    if (!this.#packet) return null;
    const frame = new Uint8Array(this.#frameBytes);
    writeFrameHeader(frame, this.#sequence, edition, blockOffset);
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.stats.frames += 1;
    this.stats.padBytes += frame.length - FRAME_HEADER_BYTES;
    this.#fill(frame, FRAME_HEADER_BYTES, nowMs);
    return frame;
  }

  #fullerFrame(nowMs: number): Uint8Array | null {
    if (this.roomBytes === 0) return null;
    this.#packet ??= this.#takePacket(nowMs);
    if (!this.#packet) return null;
    const frame = Uint8Array.from(this.#last);
    frame[EDITION_AT] = FULLER;
    this.#fill(frame, this.#lastEnd, nowMs);
    this.#lastEnd = frame.length;
    return frame;
  }

  /** Packs what waits from there on. */
  #fill(frame: Uint8Array, fromByte: number, nowMs: number): void {
    let at = fromByte;
    while (this.#packet) {
      const room = frame.length - at;
      const owed = this.#packet.length - this.#packedBytes;
      if (owed > room) {
        frame.set(this.#packet.subarray(this.#packedBytes, this.#packedBytes + room), at);
        this.#packedBytes += room;
        at += room;
        break;
      }
      frame.set(this.#packedBytes ? this.#packet.subarray(this.#packedBytes) : this.#packet, at);
      at += owed;
      this.#packedBytes = 0;
      // With the frame full the next packet stays in its queue, where a sparser device may pass it.
      this.#packet = at < frame.length ? this.#takePacket(nowMs) : null;
    }
    this.stats.dataBytes += at - fromByte;
    this.stats.padBytes -= at - fromByte;
    this.#last = frame;
    this.#lastEnd = at;
  }

  #takePacket(nowMs: number): Uint8Array | null {
    for (;;) {
      const taken = this.#queues.dequeue(nowMs);
      if (!taken) return null;
      // A packet whose length field lies would derail the far end for the packets behind it.
      if (taken.packet.length <= this.#maxPacketBytes && isIpPacket(taken.packet)) {
        this.stats.packets += 1;
        return taken.packet;
      }
      this.stats.malformed += 1;
    }
  }
}

function frameBytesWithRoom(packetBytes: number): number {
  const bytes = frameBytes(packetBytes);
  if (!Number.isInteger(bytes) || bytes <= FRAME_HEADER_BYTES) {
    const least = FRAME_OVERHEAD_BYTES + FRAME_HEADER_BYTES + 1;
    throw new RangeError(`packetBytes: must be a whole number from ${least}, got ${packetBytes}`);
  }
  return bytes;
}
