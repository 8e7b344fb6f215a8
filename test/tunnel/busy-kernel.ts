// A link's frames on a busy machine: bands in strict priority, slots at random, and before a reader that pauses a ring whose
// departures are counted when they are read.
import { FULLER, frameEdition } from '../../src/core/framing/frame.ts';
import { drawIndex, type Random } from '../../src/core/random/random.ts';
import type { Shape } from '../../src/core/stream/stream.ts';
import type { Cancel, System, UdpSocket } from '../../src/shell/system/system.ts';
import { type Departures, FrameLink } from '../../src/shell/tunnel/frame-link.ts';
import { buildIpv4 } from '../framing/ip-packets.ts';

/** Time that passes from one thing that happens to the next. */
class Happenings {
  nowMs = 1000;
  #due: { atMs: number; happen: () => void }[] = [];

  at(atMs: number, happen: () => void): Cancel {
    const one = { atMs, happen };
    const behind = this.#due.findIndex((other) => other.atMs > atMs);
    if (behind < 0) this.#due.push(one);
    else this.#due.splice(behind, 0, one);
    return () => {
      const place = this.#due.indexOf(one);
      if (place >= 0) this.#due.splice(place, 1);
    };
  }

  after(ms: number, happen: () => void): Cancel {
    return this.at(this.nowMs + ms, happen);
  }

  /** Until that time, or until nothing is due. */
  pass(untilMs: number): void {
    for (let next = this.#due[0]; next && next.atMs <= untilMs; next = this.#due[0]) {
      this.#due.shift();
      this.nowMs = next.atMs;
      next.happen();
    }
  }
}

/** What stands in a band: a frame, or null for a control packet. */
type Standing = Uint8Array | null;

export interface KernelOptions {
  shape: Shape;
  random: Random;
  /** Frames of one socket that the kernel takes. */
  bufferFrames: number;
  /** Whether departures are told. */
  isCounted: boolean;
  /** The band of a frame, 0 or 1. */
  bandOf: (frame: Uint8Array) => 0 | 1;
  /** Called with what was read before the far end has it: whether it comes there. */
  comes?: (frame: Uint8Array) => boolean;
}

const RING_PACKETS = 40;
const MOST_PAUSE_MS = 400;

export function goesAhead(frame: Uint8Array): 0 | 1 {
  return frameEdition(frame) >= FULLER ? 0 : 1;
}

const numberOf = (frame: Uint8Array) => Buffer.from(frame).readUInt32BE(0);

/** One direction of a link, and a far end that has spoken once. */
export class BusyKernel {
  readonly link: FrameLink;
  readonly far: FrameLink;
  /** What the far end has of each device, in order. */
  readonly received = new Map<string, number[]>();
  /** Most bytes of packets that the far end handed over at once. */
  mostAtOnceBytes = 0;
  #atOnceBytes = 0;
  /** Fuller editions that were sent, first ones that had left before them, and frames that another one overtook for which there is none. */
  readonly seen = { fuller: 0, tooLate: 0, overtaken: 0 };
  readonly time = new Happenings();
  readonly #options: KernelOptions;
  readonly #bands: [Standing[], Standing[]] = [[], []];
  readonly #waiting: { frame: Uint8Array; done?: (error: null) => void }[] = [];
  #isBlocked = false;
  readonly #ring: (Standing | 'cover')[] = [];
  #readsNextMs = 0;
  #pauseUntilMs = 0;
  #departures = 0;
  #deliver: (frame: Uint8Array) => void = () => {};
  readonly #left = new Set<number>();

  private constructor(options: KernelOptions) {
    this.#options = options;
    const departures = (): Departures => (options.isCounted ? this.#departures : 'shared');
    const shared = { shape: options.shape, maxDelayMs: 600_000 };
    const ends = { local: '10.213.0.2', peer: '10.213.0.1' };
    this.far = new FrameLink({
      ...shared,
      ...{ local: ends.peer, peer: ends.local, departures: () => 'shared' },
      system: this.#system((frame) => this.#answer(frame), true),
      onPacket: (packet) => this.#note(packet),
    });
    this.link = new FrameLink({
      ...{ ...shared, ...ends, departures },
      system: this.#system((frame, done) => this.#send(frame, done), false),
      onPacket: () => {},
    });
  }

  static async start(options: KernelOptions): Promise<BusyKernel> {
    const kernel = new BusyKernel(options);
    for (const link of [kernel.far, kernel.link]) {
      await link.start();
      link.setOpen(true);
    }
    kernel.far.enqueue('far', packetOf(0, 0, 20));
    kernel.time.pass(kernel.time.nowMs + 10);
    kernel.#slotLater();
    kernel.#pauseLater();
    kernel.#controlLater();
    return kernel;
  }

  /** A packet of a device, at its place in that device's order. */
  send(device: number, place: number, bytes: number): void {
    this.link.enqueue(`${device}`, packetOf(device, place, bytes));
  }

  #answer: (frame: Uint8Array) => void = () => {};

  #system(send: (frame: Uint8Array, done?: (error: null) => void) => void, isFar: boolean): System {
    const { time } = this;
    const { random } = this.#options;
    const socket = { send, close: () => {} } as unknown as UdpSocket;
    return {
      clock: { monotonicMs: () => time.nowMs, unixMs: () => time.nowMs },
      timers: {
        // Late by what a busy machine makes it.
        after: (ms: number, work: () => void) => time.after(Math.max(1, ms) + 2 * random(), work),
        soon: (work: () => void) => void time.after(0, work),
      },
      sockets: {
        openUdp: ({ onMessage }: { onMessage: (frame: Uint8Array) => void }) => {
          if (isFar) this.#deliver = onMessage;
          else this.#answer = onMessage;
          return Promise.resolve(socket);
        },
      },
      randomBytes: (count: number) => Uint8Array.from({ length: count }, () => 256 * random()),
    } as unknown as System;
  }

  #note(packet: Uint8Array): void {
    const bytes = Buffer.from(packet);
    this.#atOnceBytes += bytes.length;
    const device = `${bytes.readUInt32BE(20)}`;
    const places = this.received.get(device) ?? [];
    places.push(bytes.readUInt32BE(24));
    this.received.set(device, places);
  }

  #send(frame: Uint8Array, done?: (error: null) => void): void {
    this.#waiting.push({ frame: Uint8Array.from(frame), ...(done && { done }) });
    this.#take();
  }

  /** Once its buffer was full, a socket can be written to again when half of it is free. */
  #take(): void {
    const { bufferFrames } = this.#options;
    const standing = this.#bands.flat().filter((one) => one !== null).length;
    if (this.#isBlocked && standing > bufferFrames / 2) return;
    for (let room = bufferFrames - standing; this.#waiting.length > 0 && room > 0; room--) {
      const { frame, done } = this.#waiting.shift()!;
      this.#bands[this.#options.bandOf(frame)].push(frame);
      if (done) this.time.after(0, () => done(null));
    }
    this.#isBlocked = this.#waiting.length > 0;
  }

  get #slotMs(): number {
    return this.#options.shape.packetBytes / this.#options.shape.rateKBps;
  }

  #slotLater(): void {
    this.time.after(this.#slotMs * (0.25 + 1.5 * this.#options.random()), () => {
      const [ahead, behind] = this.#bands;
      const isAhead = ahead.length > 0;
      const leaves = isAhead ? ahead.shift()! : behind.length > 0 ? behind.shift()! : 'cover';
      if (leaves instanceof Uint8Array) this.#observe(leaves, isAhead);
      this.#ring.push(leaves);
      // OpenVPN never pauses for longer than the ring is for.
      if (this.#ring.length === RING_PACKETS) this.#pauseUntilMs = this.time.nowMs;
      if (this.#ring.length === RING_PACKETS) this.#readAll();
      this.#readOne();
      this.#take();
      this.#slotLater();
    });
  }

  #observe(frame: Uint8Array, isAhead: boolean): void {
    const number = numberOf(frame);
    if (isAhead) {
      const behind = this.#bands[1].filter((one) => one !== null && numberOf(one) < number);
      const fuller = behind.filter((one) => !this.#left.has(numberOf(one!)));
      this.seen.overtaken += fuller.length;
      if (this.#left.has(number)) this.seen.tooLate++;
    }
    if (isAhead && this.#bands[1].some((one) => one && numberOf(one) === number))
      this.seen.fuller++;
    this.#left.add(number);
  }

  /** At a pace of its own after a pause. */
  #readOne(): void {
    const { nowMs } = this.time;
    if (this.#ring.length === 0 || this.#readsNextMs > nowMs) return;
    const atMs = Math.max(nowMs, this.#pauseUntilMs) + this.#paceMs;
    this.#readsNextMs = atMs;
    this.time.at(atMs, () => {
      if (this.#ring.length > 0) this.#read();
      this.#readsNextMs = 0;
      this.#readOne();
    });
  }

  #paceMs = 0.05;

  #readAll(): void {
    while (this.#ring.length > 1) this.#read();
  }

  #read(): void {
    const packet = this.#ring.shift()!;
    this.#departures++;
    if (!(packet instanceof Uint8Array)) return;
    this.#atOnceBytes = 0;
    if (this.#options.comes?.(packet) ?? true) this.#deliver(packet);
    this.mostAtOnceBytes = Math.max(this.mostAtOnceBytes, this.#atOnceBytes);
  }

  #pauseLater(): void {
    const { random } = this.#options;
    this.time.after(3000 * random() ** 2, () => {
      this.#pauseUntilMs = this.time.nowMs + MOST_PAUSE_MS * random();
      this.#paceMs = [0.02, 0.25 * this.#slotMs, 0.8 * this.#slotMs][drawIndex(random, 3)]!;
      this.#pauseLater();
    });
  }

  #controlLater(): void {
    this.time.after(2000 * this.#options.random(), () => {
      this.#bands[1].push(null);
      this.#controlLater();
    });
  }
}

function packetOf(device: number, place: number, bytes: number): Uint8Array {
  const payload = Buffer.alloc(Math.max(8, bytes - 20), place);
  payload.writeUInt32BE(device, 0);
  payload.writeUInt32BE(place, 4);
  return buildIpv4([10, 0, 0, 1], [192, 0, 2, 1], payload);
}
