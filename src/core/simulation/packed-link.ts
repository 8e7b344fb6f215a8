// This product's shaping in simulated time: its own queues and packer fill the slots.
import { helloEveryMs } from '../control/rhythm.ts';
import { FIRST, FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES, FULLER } from '../framing/frame.ts';
import { Packer } from '../framing/packer.ts';
import { StandingFrames } from '../framing/standing.ts';
import type { Random } from '../random/random.ts';
import { type Clock, SlottedLink, type WireListener } from './link.ts';
import { type BegunPacket, WatchedQueues } from './watched-queues.ts';

/** Frames that stand in the kernel ahead of their slots, as in the daemon. */
const STANDING_FRAMES = 2;

/**
 * Packets that arrive within one turn of the daemon's event loop share a frame. They come through socat one by one: in the
 * lab those 0.1 ms apart mostly did, those 0.2 ms apart mostly not.
 */
const TURN_MS = 0.15;

/**
 * From the netdev devices' packets come by to the queue: socat, the event loop, the turn's end. Measured in the lab on two
 * cores that both ends shared: median 0.5 ms, nine in ten below 1.2. A packet that comes so shortly before a slot misses it.
 */
export const PATH_MS = 0.6;

/** The daemon's largest queue: above what can leave within max_delay at most rates. */
const QUEUE_BYTES = 32 << 20;

const IPV4_HEADER_BYTES = 20;

/** Control packets around what comes that are sent one by one. */
const KEPT_CONTROLS = 1000;

/** What building it costs left out: frames formed at their slots, of all that is there by then. */
export const IDEAL_LINK = { standingFrames: 0, pathMs: 0, turnMs: 0 } as const;

export interface PackedLinkOptions {
  packetBytes: number;
  clock: Clock;
  maxDelayMs: number;
  /** Frames formed ahead of their slots; 0 forms each at its slot. Default {@link STANDING_FRAMES}. */
  standingFrames?: number;
  /** What a packet takes until it stands in its queue. Default {@link PATH_MS}. */
  pathMs?: number;
  /** What a packet waits behind its slot, for those that stand in the clock behind OpenVPN. Default none. */
  behindMs?: number;
  /** How long a turn gathers packets at least. Default {@link TURN_MS}. */
  turnMs?: number;
  /** How long a frame that would not be full waits for more behind another. Default none. */
  companyMs?: number;
  /** Pause between two control packets, each of which takes a slot before frames that come later. Default none. */
  controlEveryMs?: number;
  /** When the first one comes. Default 0. */
  controlFromMs?: number;
  /** Told of every packet delivered. */
  onDelivered?: (device: string, delayMs: number) => void;
  onWire?: WireListener;
}

/** Packets that the daemon takes up together. */
interface Turn {
  beganMs: number;
  packets: { timeMs: number; bytes: number; device: string }[];
}

/** A frame ahead of its slot; null is a control packet, or a frame that a fuller one has overtaken. */
type Standing = StandingFrame | null;

interface StandingFrame {
  padBytes: number;
  /** Packets whose last byte it carries. */
  packets: BegunPacket[];
}

/** Device packets in frames that the product's packer forms just in time. */
export class PackedLink extends SlottedLink {
  readonly #queues: WatchedQueues;
  readonly #packer: Packer;
  readonly #standingFrames: number;
  readonly #standing: Standing[] = [];
  /** Those that leave before all of these. */
  readonly #ahead: StandingFrame[] = [];
  /** As the daemon counts them, by what has left. */
  readonly #inKernel = new StandingFrames();
  readonly #controlEveryMs: number;
  #nextControlMs: number;
  readonly #pathMs: number;
  readonly #behindMs: number;
  readonly #turnMs: number;
  readonly #companyMs: number;
  /** When what waits is formed, whether it fills a frame or not; null where it is not waited with. */
  #companyUntilMs: number | null = null;
  readonly #onDelivered: PackedLinkOptions['onDelivered'];
  #arrived = 0;
  /** Packets on their way to the queue, by turns in order of time. */
  readonly #turns: Turn[] = [];

  constructor({ packetBytes, clock, maxDelayMs, onWire, ...options }: PackedLinkOptions) {
    super(packetBytes, clock, onWire);
    this.#standingFrames = options.standingFrames ?? STANDING_FRAMES;
    this.#pathMs = options.pathMs ?? PATH_MS;
    this.#behindMs = options.behindMs ?? 0;
    this.#turnMs = options.turnMs ?? TURN_MS;
    this.#companyMs = options.companyMs ?? 0;
    this.#onDelivered = options.onDelivered;
    this.#controlEveryMs = options.controlEveryMs ?? Infinity;
    this.#nextControlMs =
      this.#controlEveryMs === Infinity ? Infinity : (options.controlFromMs ?? 0);
    this.#queues = new WatchedQueues({
      maxDelayMs,
      keyCapBytes: QUEUE_BYTES,
      totalCapBytes: 2 * QUEUE_BYTES,
    });
    this.#packer = new Packer({ packetBytes, queues: this.#queues, maxPacketBytes: 65_535 });
  }

  /** Nobody waits behind control packets long before what comes next: a gap of years takes no time. */
  override advance(timeMs: number): void {
    const stretchMs = KEPT_CONTROLS * this.#controlEveryMs;
    while (this.#nextControlMs + stretchMs < timeMs) {
      const beforeMs = this.#nextControlMs;
      super.advance(beforeMs + stretchMs);
      // No slot follows.
      if (this.#nextControlMs === beforeMs) break;
      if (this.#arrived > this.totals.packets + this.#dropped) continue;
      const controls = Math.floor(
        (timeMs - stretchMs - this.#nextControlMs) / this.#controlEveryMs,
      );
      if (controls > 0) this.#nextControlMs += controls * this.#controlEveryMs;
    }
    super.advance(timeMs);
  }

  override arrive(timeMs: number, bytes: number, device: string): void {
    this.#endTurns(timeMs);
    const last = this.#turns.at(-1);
    const packet = { timeMs, bytes, device };
    if (last && timeMs <= last.beganMs + this.#turnMs) last.packets.push(packet);
    else this.#turns.push({ beganMs: timeMs, packets: [packet] });
    this.#arrived++;
    const { totals } = this;
    totals.dropped = this.#dropped;
    const waiting = this.#arrived - totals.packets - totals.dropped;
    totals.queueMaxPackets = Math.max(totals.queueMaxPackets, waiting);
  }

  protected override hasData(timeMs: number): boolean {
    this.#endTurns(timeMs);
    this.#sayControl(timeMs);
    if (this.#standing.length + this.#ahead.length > 0) return true;
    const hasData = this.#packer.hasData(timeMs);
    this.totals.dropped = this.#dropped;
    return hasData;
  }

  protected override send(timeMs: number): void {
    const standing = this.#ahead.shift() ?? this.#standing.shift();
    const { totals } = this;
    this.#inKernel.left(1);
    if (standing === null) {
      totals.coverBytes += this.packetBytes;
      return;
    }
    const frame = standing ?? this.#form(FIRST, timeMs);
    if (!frame) return;
    totals.framingBytes += FRAME_OVERHEAD_BYTES + FRAME_HEADER_BYTES;
    totals.paddingBytes += frame.padBytes;
    for (const { device, arrivalMs, bytes } of frame.packets) {
      totals.packets++;
      totals.realBytes += bytes;
      const delayMs = timeMs + this.#behindMs - arrivalMs;
      totals.latency.add(delayMs);
      this.#onDelivered?.(device, delayMs);
    }
    this.#formAhead(timeMs);
  }

  get #dropped(): number {
    return this.#queues.totals.droppedLate + this.#queues.totals.droppedFull;
  }

  protected override get nextDataMs(): number {
    const first = this.#turns[0];
    return Math.min(first ? this.#endOf(first) : Infinity, this.#nextControlMs);
  }

  protected override isWaiting(timeMs: number): boolean {
    const isStanding = this.#ahead.length > 0 || this.#standing.some((frame) => frame !== null);
    if (this.#turns.length > 0 || isStanding) return true;
    const waits = this.#packer.hasData(timeMs);
    this.totals.dropped = this.#dropped;
    return waits;
  }

  #endOf({ beganMs }: Turn): number {
    return beganMs + Math.max(this.#turnMs, this.#pathMs);
  }

  /** Lets all packets of the turns that end by then into their queues, and forms what frames may stand. */
  #endTurns(timeMs: number): void {
    for (let turn = this.#turns[0]; turn && this.#endOf(turn) <= timeMs; turn = this.#turns[0]) {
      this.#turns.shift();
      this.#endCompany(this.#endOf(turn));
      this.#sayControl(this.#endOf(turn));
      for (const { device, bytes, timeMs: arrivedMs } of turn.packets) {
        this.#queues.enqueue(device, packetOf(bytes), arrivedMs);
      }
      this.#formAhead(this.#endOf(turn));
    }
    this.#endCompany(timeMs);
  }

  /** Forms what has waited for more until then. */
  #endCompany(timeMs: number): void {
    const untilMs = this.#companyUntilMs;
    if (untilMs !== null && untilMs <= timeMs) this.#formAhead(untilMs);
  }

  /** Whether what waits does so for more, behind a frame that stands. */
  #awaitsCompany(next: number, timeMs: number): boolean {
    if (!this.#inKernel.any || !this.#packer.hasData(timeMs) || this.#packer.fills(next))
      return false;
    this.#companyUntilMs ??= timeMs + this.#companyMs;
    return timeMs < this.#companyUntilMs;
  }

  /** Control packets go straight to the kernel: behind the frames that stand there, before those to come. */
  #sayControl(timeMs: number): void {
    for (; this.#nextControlMs <= timeMs; this.#nextControlMs += this.#controlEveryMs) {
      this.#standing.push(null);
    }
  }

  #formAhead(timeMs: number): void {
    for (;;) {
      const next = this.#inKernel.next(this.#packer.roomBytes, this.#companyMs);
      const isFuller = next === FULLER;
      if (!isFuller && this.#inKernel.before >= this.#standingFrames) return;
      if (this.#awaitsCompany(next, timeMs)) return;
      this.#companyUntilMs = null;
      const frame = this.#form(next, timeMs);
      if (!frame) return;
      this.#inKernel.made(next);
      if (isFuller) this.#overtake(frame);
      (next === FIRST ? this.#standing : this.#ahead).push(frame);
    }
  }

  /** What the last frame that stands carries, leaves in a fuller one; by itself it takes a slot that would be cover's. */
  #overtake(fuller: StandingFrame): void {
    const at = this.#standing.findLastIndex((frame) => frame !== null);
    const first = this.#standing[at]!;
    this.#standing[at] = null;
    fuller.padBytes += first.padBytes;
    fuller.packets.unshift(...first.packets);
  }

  #form(edition: number, timeMs: number): StandingFrame | null {
    const { stats } = this.#packer;
    const padBefore = stats.padBytes;
    if (!this.#packer.nextFrame(timeMs, edition)) return null;
    return {
      padBytes: stats.padBytes - padBefore,
      packets: this.#queues.takeEnded(stats.dataBytes),
    };
  }
}

/** When the product's home and endpoint talk to each other at this mean interval, from a random moment on. */
export function drawControl(
  meanSlotMs: number,
  random: Random,
): { controlEveryMs: number; controlFromMs: number } {
  const controlEveryMs = helloEveryMs(meanSlotMs);
  return { controlEveryMs, controlFromMs: random() * controlEveryMs };
}

const packets = new Map<number, Uint8Array>();

/** An IPv4 packet of that length, which the packer checks; shared, as nobody writes to it. */
function packetOf(ipBytes: number): Uint8Array {
  const bytes = Math.max(IPV4_HEADER_BYTES, Math.round(ipBytes));
  let packet = packets.get(bytes);
  if (!packet) {
    packet = new Uint8Array(bytes);
    const checksum = 0xffff - (0x4500 + bytes);
    packet.set([0x45, 0, bytes >>> 8, bytes & 0xff]);
    packet.set([checksum >>> 8, checksum & 0xff], 10);
    packets.set(bytes, packet);
  }
  return packet;
}
