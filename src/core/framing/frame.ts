// The frame on the wire: sequence number, AGGFRAG header, data blocks.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------------------------------------------------------------------+
//   |                     Sequence number, big-endian                   |
//   +----------------+----------------+---------------------------------+
//   |  Sub-type (0)  |    Edition     |           BlockOffset           |
//   +----------------+----------------+---------------------------------+
//   |  DataBlocks: IPv4/IPv6 packets back to back, then pad (nibble 0)  |
//
// The last two rows are RFC 9347 §6.1.1 (non-congestion-control format). ESP would carry the
// sequence number for it; here the datagram does. The RFC's reserved byte says which edition of a
// frame this is: one that leaves room may be overtaken in the kernel by a fuller one of its number.

/** IPv4 (20) and UDP (8) headers around each frame on the tunnel netdev. */
export const FRAME_OVERHEAD_BYTES = 28;

/** Sequence number and AGGFRAG header. */
export const FRAME_HEADER_BYTES = 8;

/** RFC 9347 §6.1: sub-type of payloads without congestion control. */
const SUB_TYPE_BASIC = 0;

/** Where the edition stands, in bytes. */
export const EDITION_AT = 5;
/** Editions: the only one of its number, from a sender that reads no others. */
export const SOLE = 0;
/** The first one; it leaves in the order of numbers. */
export const FIRST = 1;
/** A fuller one, which overtakes first ones in the sender's kernel; so does one that comes so many numbers later, by so much more. */
export const FULLER = 2;

/** Length in bytes of the UDP payload that makes an IP packet of `packetBytes`. */
export function frameBytes(packetBytes: number): number {
  return packetBytes - FRAME_OVERHEAD_BYTES;
}

/**
 * Writes the 8 header bytes.
 * @param sequence 0…2^32-1
 * @param blockOffset bytes of data blocks, from the first one in this frame on, that belong to the
 *   packet begun in an earlier frame. It is the whole rest of that packet: it points past this
 *   frame when the rest ends in a later one (RFC 9347 §6.1.1).
 */
export function writeFrameHeader(
  frame: Uint8Array,
  sequence: number,
  edition: number,
  blockOffset: number,
): void {
  frame[0] = sequence >>> 24;
  frame[1] = sequence >>> 16;
  frame[2] = sequence >>> 8;
  frame[3] = sequence;
  frame[4] = SUB_TYPE_BASIC;
  frame[EDITION_AT] = edition;
  frame[6] = blockOffset >>> 8;
  frame[7] = blockOffset;
}

/**
 * Whether the datagram can be a frame: long enough for one byte of data blocks, and of a known
 * sub-type.
 */
export function isFrame(datagram: Uint8Array): boolean {
  return datagram.length > FRAME_HEADER_BYTES && datagram[4] === SUB_TYPE_BASIC;
}

/** Sequence number, 0…2^32-1, of a frame that {@link isFrame} accepted. */
export function frameSequence(frame: Uint8Array): number {
  return ((frame[0]! << 24) | (frame[1]! << 16) | (frame[2]! << 8) | frame[3]!) >>> 0;
}

/** BlockOffset in bytes of a frame that {@link isFrame} accepted. */
export function frameBlockOffset(frame: Uint8Array): number {
  return (frame[6]! << 8) | frame[7]!;
}

/** Edition of a frame that {@link isFrame} accepted. */
export function frameEdition(frame: Uint8Array): number {
  return frame[EDITION_AT]!;
}
