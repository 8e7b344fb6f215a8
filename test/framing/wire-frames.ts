// Frames as they are on the wire, written out by hand after RFC 9347 §6.1.1.

/** A 28-byte IPv4 packet, 192.168.1.50 to 93.184.216.34. */
export const plugPacket = '4500001c000040004011431cc0a801325db8d8220102030405060708';

/** A 56-byte IPv6 packet, fd00::a to 2001:db8::1. */
export const echoPacket =
  '6000000000101140fd00000000000000000000000000000a20010db8000000000000000000000001' +
  'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf';

/** A 40-byte IPv4 packet, 192.168.1.51 to 10.9.8.7. */
export const cameraPacket =
  '4500002800004000401166dac0a801330a090807c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3';

export interface WireCase {
  title: string;
  packetBytes: number;
  firstSequence: number;
  packets: string[];
  /** Header and data blocks, a space between for the reader. */
  frames: string[];
}

export const wireCases: WireCase[] = [
  {
    title: 'one packet and pad',
    packetBytes: 68,
    firstSequence: 1,
    packets: [plugPacket],
    frames: [`0000000100000000 ${plugPacket}00000000`],
  },
  {
    title: 'three packets over four frames: a frame of only middle, a number that wraps',
    packetBytes: 68,
    firstSequence: 0xffffffff,
    packets: [plugPacket, echoPacket, cameraPacket],
    frames: [
      `ffffffff00000000 ${plugPacket}60000000`,
      '0000000000000034 00101140fd00000000000000000000000000000a20010db80000000000000000',
      '0000000100000014 00000001a0a1a2a3a4a5a6a7a8a9aaabacadaeaf4500002800004000401166da',
      '000000020000001c c0a801330a090807c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d300000000',
    ],
  },
  {
    title: 'a packet begun before its length field fits',
    packetBytes: 67,
    firstSequence: 7,
    packets: [plugPacket, cameraPacket],
    frames: [
      `0000000700000000 ${plugPacket}450000`,
      '0000000800000025 2800004000401166dac0a801330a090807c0c1c2c3c4c5c6c7c8c9cacbcccd',
      '0000000900000006 cecfd0d1d2d300000000000000000000000000000000000000000000000000',
    ],
  },
  {
    title: 'a rest that ends with its frame, so that BlockOffset is all of it',
    packetBytes: 56,
    firstSequence: 0,
    packets: [cameraPacket, plugPacket],
    frames: [
      '0000000000000000 4500002800004000401166dac0a801330a090807',
      '0000000100000014 c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3',
      '0000000200000000 4500001c000040004011431cc0a801325db8d822',
      '0000000300000008 0102030405060708000000000000000000000000',
    ],
  },
];

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}
