// The pcapng format: sections of blocks, packets belonging to interfaces (draft-ietf-opsawg-pcapng).
import { CaptureError } from './error.ts';
import { maxPacketBytes, type Parser, viewOf } from './pcap.ts';

/** First four bytes of a pcapng file: the type of its section header block, the same in both byte orders. */
export const pcapngMagic = 0x0a0d0d0a;

const byteOrderMagic = 0x1a2b3c4d;
const interfaceBlock = 1;
const packetBlock = 2;
const simplePacketBlock = 3;
const enhancedPacketBlock = 6;
/** Longest block that is held in memory: a packet with options, or an interface description. */
const maxHeldBytes = 1 << 20;
const skipStepBytes = 1 << 16;

interface CaptureInterface {
  linkType: number;
  snapBytes: number;
  ticksPerS: number;
  offsetS: number;
}

/** Parses what follows the four magic bytes of a pcapng file. */
export function* parsePcapng(name: string): Parser {
  let littleEndian = false;
  let interfaces: CaptureInterface[] = [];
  let index = 0;
  let offset = 0;
  let lastTimeS = 0;
  let typeBytes: Uint8Array = new Uint8Array([0x0a, 0x0d, 0x0d, 0x0a]);
  const fail = (problem: string) => new CaptureError(name, index, offset, problem);

  for (;;) {
    if (typeBytes.length < 4)
      throw fail(`cut off in a block's header: ${typeBytes.length} of 8 bytes`);
    const isSection = viewOf(typeBytes).getUint32(0) === pcapngMagic;
    const headBytes = isSection ? 8 : 4;
    const head = yield headBytes;
    if (head.length < headBytes) {
      throw fail(`cut off in a block's header: ${4 + head.length} of ${4 + headBytes} bytes`);
    }
    if (isSection) {
      // Its byte order is told by a word that follows the length.
      const order = viewOf(head).getUint32(4);
      if (order !== byteOrderMagic && order !== 0x4d3c2b1a) {
        throw fail(`the section header's byte-order mark is ${order.toString(16)}, not 1a2b3c4d`);
      }
      littleEndian = order !== byteOrderMagic;
      interfaces = [];
    }
    const type = viewOf(typeBytes).getUint32(0, littleEndian);
    const blockBytes = viewOf(head).getUint32(0, littleEndian);
    const overhead = isSection ? 16 : 12;
    if (blockBytes < overhead || blockBytes % 4 !== 0) {
      throw fail(
        `block of type ${type} says it is ${blockBytes} bytes long, which no block can be`,
      );
    }
    const bodyBytes = blockBytes - overhead;
    const isPacket = [packetBlock, simplePacketBlock, enhancedPacketBlock].includes(type);
    if (isSection || isPacket || type === interfaceBlock) {
      if (blockBytes > maxHeldBytes) {
        throw fail(
          `block of type ${type} says it is ${blockBytes} bytes long: too long to be true`,
        );
      }
      const body = yield bodyBytes;
      if (body.length < bodyBytes) throw fail(`cut off: ${body.length} of ${bodyBytes} bytes`);
      if (isSection) {
        if (bodyBytes < 12) throw fail(`the section header is only ${blockBytes} bytes long`);
        const major = viewOf(body).getUint16(0, littleEndian);
        if (major !== 1) throw fail(`pcapng version ${major} is unknown, 1 is usual`);
      } else if (type === interfaceBlock) {
        interfaces.push(parseInterface(body, littleEndian, fail));
      } else {
        const packet = parsePacket(type, body, littleEndian, interfaces, lastTimeS, fail);
        lastTimeS = packet.timeS;
        yield { index, ...packet };
      }
    } else {
      for (let left = bodyBytes; left > 0; ) {
        const skipped = yield Math.min(left, skipStepBytes);
        left -= skipped.length;
        if (skipped.length === 0) throw fail(`cut off: ${bodyBytes - left} of ${bodyBytes} bytes`);
      }
    }
    const trailer = yield 4;
    // A packet whose closing length is missing is whole and was handed over; the damage is after it.
    if (isPacket) index++;
    if (trailer.length < 4) throw fail(`cut off in a block's closing length`);
    const closing = viewOf(trailer).getUint32(0, littleEndian);
    if (closing !== blockBytes) {
      throw fail(`block of type ${type} begins with length ${blockBytes} and ends with ${closing}`);
    }
    offset += blockBytes;
    typeBytes = yield 4;
    if (typeBytes.length === 0) return;
  }
}

type Fail = (problem: string) => CaptureError;

function parseInterface(body: Uint8Array, littleEndian: boolean, fail: Fail): CaptureInterface {
  if (body.length < 8) throw fail(`interface description is only ${body.length} bytes long`);
  const view = viewOf(body);
  const result: CaptureInterface = {
    linkType: view.getUint16(0, littleEndian),
    snapBytes: view.getUint32(4, littleEndian) || maxPacketBytes,
    ticksPerS: 1e6,
    offsetS: 0,
  };
  for (let at = 8; at + 4 <= body.length; ) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    at += 4;
    if (code === 0) break;
    if (at + length > body.length) throw fail(`interface option ${code} runs past its block`);
    // if_tsresol: the top bit chooses powers of two over powers of ten.
    if (code === 9 && length === 1) {
      const resolution = body[at]!;
      result.ticksPerS = resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution;
    }
    if (code === 14 && length === 8) result.offsetS = Number(view.getBigInt64(at, littleEndian));
    at += (length + 3) & ~3;
  }
  return result;
}

function parsePacket(
  type: number,
  body: Uint8Array,
  littleEndian: boolean,
  interfaces: CaptureInterface[],
  lastTimeS: number,
  fail: Fail,
) {
  const view = viewOf(body);
  const simple = type === simplePacketBlock;
  const fixedBytes = simple ? 4 : 20;
  if (body.length < fixedBytes)
    throw fail(`its block of ${body.length} bytes is too short for a packet`);
  const id = simple
    ? 0
    : type === enhancedPacketBlock
      ? view.getUint32(0, littleEndian)
      : view.getUint16(0, littleEndian);
  const origin = interfaces[id];
  if (!origin) throw fail(`belongs to interface ${id}, but ${interfaces.length} are described`);
  const original = view.getUint32(simple ? 0 : 16, littleEndian);
  const captured = simple ? Math.min(original, origin.snapBytes) : view.getUint32(12, littleEndian);
  const room = body.length - fixedBytes;
  if (captured > room)
    throw fail(`says ${captured} bytes were captured, its block has room for ${room}`);
  if (captured > original)
    throw fail(`says ${captured} bytes were captured of a packet of ${original}`);
  if (captured > maxPacketBytes) {
    throw fail(`says ${captured} bytes were captured, more than the ${maxPacketBytes} any can be`);
  }
  // A simple packet block carries no time: the one before it is the nearest truth.
  const ticks = simple
    ? 0
    : view.getUint32(4, littleEndian) * 2 ** 32 + view.getUint32(8, littleEndian);
  return {
    timeS: simple ? lastTimeS : origin.offsetS + ticks / origin.ticksPerS,
    linkType: origin.linkType,
    data: body.subarray(fixedBytes, fixedBytes + captured),
    originalBytes: original,
  };
}
