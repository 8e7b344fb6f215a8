// Packets of a capture that comes in pieces: pcap or pcapng, by its first bytes.
import { ByteQueue } from './byte-queue.ts';
import { CaptureError } from './error.ts';
import { FLOWS_REFUSED } from './flows-refused.ts';
import type { CapturedPacket } from './packet.ts';
import { type Parser, parsePcap, pcapFormat } from './pcap.ts';
import { parsePcapng, pcapngMagic } from './pcapng.ts';

const nothing = new Uint8Array(0);
/** `#sep`, with which Zeek's logs begin, and `{"ts`, with which they do as JSON. */
const ZEEK_BEGINS = [0x23736570, 0x7b227473];

/** Reads one capture, cut anywhere, in memory that does not grow with it. */
export class PacketReader {
  readonly #queue = new ByteQueue();
  readonly #parser: Parser;
  #step: IteratorResult<number | CapturedPacket, void>;

  /** @param name what errors call the capture */
  constructor(name: string) {
    this.#parser = parseCapture(name);
    this.#step = this.#parser.next(nothing);
  }

  /** The packets completed by this piece. @throws CaptureError naming packet and byte offset, behind the packets before it */
  push(piece: Uint8Array): Generator<CapturedPacket> {
    this.#queue.push(piece);
    return this.#read(false);
  }

  /** Nothing more comes. @throws CaptureError where a packet is cut off */
  end(): Generator<CapturedPacket> {
    return this.#read(true);
  }

  *#read(isEnd: boolean): Generator<CapturedPacket> {
    while (!this.#step.done) {
      const wanted = this.#step.value;
      if (typeof wanted !== 'number') {
        yield wanted;
        this.#step = this.#parser.next(nothing);
      } else if (this.#queue.length < wanted && !isEnd) return;
      else this.#step = this.#parser.next(this.#queue.take(wanted));
    }
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
  } else if (holdsFlows(value)) {
    throw new CaptureError(name, 0, 0, FLOWS_REFUSED);
  } else {
    const hex = value.toString(16).padStart(8, '0');
    throw new CaptureError(name, 0, 0, `is neither pcap nor pcapng (it begins with ${hex})`);
  }
}

/** Whether a file that begins so is one of nfcapd's, NetFlow's messages (versions 5 and 9, and 10, which is IPFIX) or a log of Zeek. */
function holdsFlows(value: number): boolean {
  const half = value >>> 16;
  return half === 0x0ca5 || half === 5 || half === 9 || half === 10 || ZEEK_BEGINS.includes(value);
}
