// The paper's shaping: one packet or fragment a slot, padded to one size.
import { type SlotClock, SlottedLink, type WireListener } from '../../core/simulation/link.ts';

const IPV4_HEADER_BYTES = 20;

/**
 * Slots an IP packet takes: one where it fits, else one for each IPv4 fragment, whose payload is a
 * multiple of 8 bytes (RFC 791).
 */
export function fragmentCount(ipBytes: number, packetBytes: number): number {
  if (ipBytes <= packetBytes) return 1;
  const payloadBytes = Math.floor((packetBytes - IPV4_HEADER_BYTES) / 8) * 8;
  return Math.ceil((ipBytes - IPV4_HEADER_BYTES) / payloadBytes);
}

export interface PaddedLinkOptions {
  packetBytes: number;
  clock: SlotClock;
  /** Packets that waited longer before their first slot are dropped. */
  maxDelayMs: number;
  /** Packets that may wait; more are dropped on arrival. */
  queuePackets: number;
  onWire?: WireListener;
}

/** First in, first out over all devices; a packet is delivered when its last fragment leaves. */
export class PaddedLink extends SlottedLink {
  readonly #fifo = new PacketFifo();
  readonly #maxDelayMs: number;
  readonly #queuePackets: number;
  /** Fragments of the packet in front that have left. */
  #sentFragments = 0;

  constructor({ packetBytes, clock, maxDelayMs, queuePackets, onWire }: PaddedLinkOptions) {
    super(packetBytes, clock, onWire);
    this.#maxDelayMs = maxDelayMs;
    this.#queuePackets = queuePackets;
  }

  /** Packets that wait, one partly sent included. */
  get waiting(): number {
    return this.#fifo.length;
  }

  override arrive(timeMs: number, bytes: number): void {
    if (this.#fifo.length >= this.#queuePackets) {
      this.totals.dropped++;
      return;
    }
    this.#fifo.push(timeMs, bytes);
    this.totals.queueMaxPackets = Math.max(this.totals.queueMaxPackets, this.#fifo.length);
  }

  protected override hasData(timeMs: number): boolean {
    while (
      this.#fifo.length > 0 &&
      this.#sentFragments === 0 &&
      timeMs - this.#fifo.arrivalMs > this.#maxDelayMs
    ) {
      this.#fifo.shift();
      this.totals.dropped++;
    }
    return this.#fifo.length > 0;
  }

  protected override send(timeMs: number): void {
    const { bytes, arrivalMs } = this.#fifo;
    const fragments = fragmentCount(bytes, this.packetBytes);
    if (++this.#sentFragments < fragments) return;
    const { totals } = this;
    const framingBytes = (fragments - 1) * IPV4_HEADER_BYTES;
    totals.packets++;
    totals.realBytes += bytes;
    totals.framingBytes += framingBytes;
    totals.paddingBytes += fragments * this.packetBytes - bytes - framingBytes;
    totals.latency.add(timeMs - arrivalMs);
    this.#sentFragments = 0;
    this.#fifo.shift();
  }
}

/** Arrival times and sizes in a ring that grows; 16 bytes a packet. */
class PacketFifo {
  #arrivals = new Float64Array(1024);
  #sizes = new Float64Array(1024);
  #head = 0;
  length = 0;

  /** Of the packet in front. */
  get arrivalMs(): number {
    return this.#arrivals[this.#head]!;
  }

  /** Of the packet in front. */
  get bytes(): number {
    return this.#sizes[this.#head]!;
  }

  push(arrivalMs: number, bytes: number): void {
    if (this.length === this.#arrivals.length) this.#grow();
    const tail = (this.#head + this.length++) & (this.#arrivals.length - 1);
    this.#arrivals[tail] = arrivalMs;
    this.#sizes[tail] = bytes;
  }

  shift(): void {
    this.#head = (this.#head + 1) & (this.#arrivals.length - 1);
    this.length--;
  }

  #grow(): void {
    this.#arrivals = doubled(this.#arrivals, this.#head);
    this.#sizes = doubled(this.#sizes, this.#head);
    this.#head = 0;
  }
}

/** The ring's content in order, in twice the space. */
function doubled(ring: Float64Array<ArrayBuffer>, head: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(ring.length * 2);
  larger.set(ring.subarray(head));
  larger.set(ring.subarray(0, head), ring.length - head);
  return larger;
}
