// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { isSame } from '../../core/equality/equality.ts';
import { modes } from '../../core/pacing/modes.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { standingBend } from '../../core/pacing/standing.ts';
import { CLOCK_HANDLE, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { classBytesPerSecond } from '../../core/plan/tc.ts';
import type { ListedClass } from '../../core/plan/tc-listing.ts';
import { isPaced, type Shape, slotsPerSecond } from '../../core/stream/stream.ts';
import { openNetdevCounter } from '../network/netdev.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, Counter, System, ThreadPort } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { Cover, type KernelCount, unsentFault } from './cover.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';
import {
  encodeInnerRate,
  encodeLimit,
  encodeRates,
  hasOuter,
  type RunningStream,
} from './running-stream.ts';
import { TrafficControl } from './traffic-control.ts';

const REPORT_MS = 1000;
/** A queue that was just made is looked at sooner, and for so many reports oftener: devices wait for what is seen of it. */
const FIRST_REPORT_MS = 100;
const EARLY_REPORT_MS = 500;
const EARLY_REPORTS = 12;
/** How often what stands in the clock behind OpenVPN is looked at. */
const LOOK_MS = 200;
/** Counts of the clock are taken no closer, whoever looked at it. */
const OBSERVE_MS = 900;
/** All cover that asks within so long is told the same of what leaves: what that costs does not grow with homes. */
const COUNTED_MS = 1;
/** Longer than what an ended stream left behind takes, and how much of its rate that is at most. */
const ENDED_MS = 4000;
const ENDED_SHARE = 2;
/** Ahead of the main thread (-20 is first); no other thread has it. */
export const SHAPING_NICE = -15;

/** Lives from its making until it is told to stop. */
export class ShaperThread {
  readonly #port: ThreadPort;
  readonly #system: System;
  readonly #random: () => number;
  readonly #serial = new Serial();
  readonly #streams = new Map<number, RunningStream>();
  /** Streams whose cover stands in classes of theirs that stay. */
  #ended: { shape: Shape; untilMs: number }[] = [];
  readonly #control: TrafficControl;
  /** What has left the tunnel's netdev, as the kernel counts it. */
  readonly #sentBytes: Counter;
  #counted: KernelCount = { atMs: -COUNTED_MS, sentBytes: null, bytesPerS: 0 };
  #cancelPace: Cancel | null = null;
  /** Goes up with every queue that is made: what was asked of the one before is not told. */
  #queue = 0;
  /** Whether the queue is being listed, or the clock. */
  #isListing = false;
  #isLooking = false;
  #isStopped = false;
  #earlyReports = 0;
  #cancelReports: Cancel = () => {};
  #cancelFirst: Cancel = () => {};
  #cancelLooks: Cancel | null = null;

  constructor(port: ThreadPort, system: System) {
    this.#port = port;
    this.#system = system;
    this.#random = uniformRandom(system);
    this.#sentBytes = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_bytes');
    this.#control = new TrafficControl(system, (fault) =>
      this.#say({ kind: 'fault', minor: 0, fault }),
    );
    system.processes.raisePriority(SHAPING_NICE);
    port.onMessage((message) => this.#receive(message as ToShaper));
    this.#reportEvery(REPORT_MS);
  }

  #receive(message: ToShaper): void {
    if (message.kind === 'stop') {
      // After what is being made, which would outlive it.
      void this.#serial.run(async () => this.#stop());
      return;
    }
    void this.#serial
      .run(() => this.#apply(message.streams, message.fresh))
      .finally(() => this.#say({ kind: 'applied', id: message.id }));
  }

  #say(message: FromShaper): void {
    this.#port.post(message);
  }

  async #apply(streams: readonly ShapedStream[], fresh: boolean): Promise<void> {
    const nowMs = this.#system.clock.monotonicMs();
    if (fresh) {
      this.#queue++;
      this.#control.open();
      await this.#control.find();
      this.#earlyReports = EARLY_REPORTS;
    }
    for (const [minor, running] of this.#streams) {
      if (!streams.some((stream) => stream.minor === minor)) {
        running.cover?.close();
        this.#streams.delete(minor);
        this.#ended.push({ shape: running.stream.shape, untilMs: nowMs + ENDED_MS });
      }
    }
    for (const stream of streams) {
      const running = this.#streams.get(stream.minor);
      if (!fresh && running && isSame(running.stream, stream)) continue;
      await this.#begin(stream, running ?? null);
    }
    this.#followClock();
    this.#pace();
    if (!fresh) return;
    this.#cancelFirst();
    this.#cancelFirst = this.#system.timers.after(FIRST_REPORT_MS, () => void this.#report());
    this.#reportEvery(EARLY_REPORT_MS);
  }

  #reportEvery(periodMs: number): void {
    this.#cancelReports();
    this.#cancelReports = this.#system.timers.every(periodMs, () => void this.#report());
  }

  get #hasClock(): boolean {
    return [...this.#streams.values()].some(({ stream }) => hasOuter(stream));
  }

  /** Looks at the clock as long as there is one. */
  #followClock(): void {
    if (this.#hasClock) {
      this.#cancelLooks ??= this.#system.timers.every(LOOK_MS, () => void this.#look());
      return;
    }
    this.#cancelLooks?.();
    this.#cancelLooks = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const queue = this.#queue;
    const classes = await this.#control.listClock();
    this.#isLooking = false;
    if (classes && queue === this.#queue && !this.#isStopped) this.#note(classes);
  }

  /** Counts of classes: the average is held where slots leave for the wire, which is at the last clock there is. */
  #note(classes: readonly ListedClass[]): void {
    const nowMs = this.#system.clock.monotonicMs();
    for (const { id, packets, backlogPackets } of classes) {
      const [, minor = ''] = id.split(':');
      const running = this.#streams.get(Number.parseInt(minor, 16));
      if (!running?.pacer) continue;
      const isOuter = id.startsWith(CLOCK_HANDLE);
      if (hasOuter(running.stream) !== isOuter) continue;
      if (isOuter) this.#bend(running, backlogPackets);
      if (isOuter && nowMs - running.observedMs < OBSERVE_MS) continue;
      running.observedMs = nowMs;
      running.pacer.observe(packets, nowMs);
    }
  }

  #bend(running: RunningStream, standing: number): void {
    const { shape, standing: meant } = running.stream;
    const bend = standingBend(standing, meant, slotsPerSecond(shape));
    if (bend === running.bend) return;
    running.bend = bend;
    // Others are drawn anew in a moment.
    if (running.pacer?.dueMs === Number.POSITIVE_INFINITY) {
      this.#control.tell(encodeInnerRate(running, this.#control.indexes));
    }
  }

  /** New cover stands ready before the old is taken away. */
  async #begin(stream: ShapedStream, old: RunningStream | null): Promise<void> {
    const { minor, shape, local, peer } = stream;
    const paced = isPaced(shape);
    const nowMs = this.#system.clock.monotonicMs();
    const pacer = paced ? new RatePacer(shape, this.#random, nowMs) : null;
    const cover = paced
      ? new Cover({
          system: this.#system,
          local,
          peer,
          packetBytes: shape.packetBytes,
          packetsPerS: slotsPerSecond(shape),
          hasBeats: modes[shape.mode].varies,
          kernel: () => this.#count(),
          onFault: (fault) => this.#say({ kind: 'fault', minor, fault }),
        })
      : null;
    const bend = (hasOuter(stream) && old?.bend) || 0;
    const rate = classBytesPerSecond(shape);
    const observedMs = Number.NEGATIVE_INFINITY;
    const running = { stream, pacer, cover, rate, bend, observedMs };
    this.#streams.set(minor, running);
    const { indexes } = this.#control;
    // Whatever the class was made with: until the first draw cover leaves at this.
    const first = encodeInnerRate({ ...running, bend: 0 }, indexes);
    this.#control.tell([...encodeLimit(stream, indexes), ...first]);
    try {
      await cover?.open();
    } catch (error) {
      this.#say({ kind: 'fault', minor, fault: unsentFault(error as Error) });
    }
    old?.cover?.close();
  }

  /** What has left, and what all streams together are let send; of those that ended what stands there leaves yet, at the rate drawn last. */
  #count(): KernelCount {
    const atMs = this.#system.clock.monotonicMs();
    if (atMs - this.#counted.atMs < COUNTED_MS) return this.#counted;
    this.#ended = this.#ended.filter(({ untilMs }) => atMs < untilMs);
    let bytesPerS = 0;
    for (const { stream } of this.#streams.values()) bytesPerS += classBytesPerSecond(stream.shape);
    for (const { shape } of this.#ended) bytesPerS += ENDED_SHARE * classBytesPerSecond(shape);
    this.#counted = { atMs, sentBytes: this.#sentBytes.read(), bytesPerS };
    return this.#counted;
  }

  #pace(): void {
    this.#cancelPace?.();
    const { clock, timers } = this.#system;
    const nowMs = clock.monotonicMs();
    const changes: Uint8Array[] = [];
    let dueMs = Number.POSITIVE_INFINITY;
    const drawn: Cover[] = [];
    for (const running of this.#streams.values()) {
      const { pacer, cover } = running;
      if (!pacer) continue;
      const rate = pacer.step(nowMs);
      if (rate !== null) {
        running.rate = rate;
        changes.push(...encodeRates(running, this.#control.indexes));
        if (cover) drawn.push(cover);
      }
      dueMs = Math.min(dueMs, pacer.dueMs);
    }
    this.#control.tell(changes);
    if (dueMs < Number.POSITIVE_INFINITY) {
      // Timers fire at whole milliseconds of this clock: a part of one would wake this thread for nothing, before it is due.
      const waitMs = Math.max(0, Math.ceil(dueMs) - Math.floor(clock.monotonicMs()));
      this.#cancelPace = timers.after(waitMs, () => this.#pace());
    }
    // What is awake anyway hands over what has left.
    for (const cover of drawn) cover.beat();
  }

  async #report(): Promise<void> {
    const takenMs = this.#system.clock.monotonicMs();
    if (this.#earlyReports > 0) {
      if (--this.#earlyReports === 0) this.#reportEvery(REPORT_MS);
      // What is not answered yet is not nothing.
      if (this.#isListing) return;
    }
    const nothing = { kind: 'report', listing: null, takenMs, heardMs: takenMs } as const;
    if (this.#streams.size === 0 || this.#isListing) {
      this.#say(nothing);
      return;
    }
    this.#isListing = true;
    const queue = this.#queue;
    const listing = await this.#control.list(this.#hasClock);
    this.#isListing = false;
    if (this.#isStopped) return;
    if (!listing || queue !== this.#queue) {
      this.#say(nothing);
      return;
    }
    const heardMs = this.#system.clock.monotonicMs();
    this.#say({ kind: 'report', listing, takenMs, heardMs });
    this.#note([...(listing.clock?.classes ?? []), ...listing.classes]);
    // Constant intervals are only touched when the last count asked for it.
    this.#pace();
  }

  #stop(): void {
    this.#isStopped = true;
    this.#cancelReports();
    this.#cancelFirst();
    this.#cancelLooks?.();
    this.#cancelPace?.();
    for (const { cover } of this.#streams.values()) cover?.close();
    this.#streams.clear();
    this.#control.close();
    this.#sentBytes.close();
    this.#port.close();
  }
}
