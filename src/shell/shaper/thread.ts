// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { isSame } from '../../core/equality/equality.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { standingBend } from '../../core/pacing/standing.ts';
import { CLOCK_HANDLE } from '../../core/plan/names.ts';
import { minorOfSpacers } from '../../core/plan/spacers.ts';
import type { ListedClass } from '../../core/plan/tc-listing.ts';
import { slotsPerSecond } from '../../core/stream/stream.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, System, ThreadPort } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { type Cover, unsentFault } from './cover.ts';
import { KernelCounter } from './kernel-counter.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';
import {
  closeStream,
  encodeInnerRate,
  encodeOuterStart,
  encodeRates,
  encodeStart,
  hasOuter,
  makeStream,
  paceByRate,
  type RunningStream,
  type StreamOptions,
} from './running-stream.ts';
import { TrafficControl } from './traffic-control.ts';

const REPORT_MS = 1000;
/** A queue that was just made is looked at sooner, and for so many reports oftener: devices wait for what is seen of it. */
const FIRST_REPORT_MS = 100;
const EARLY_REPORT_MS = 500;
const EARLY_REPORTS = 12;
/** How often what stands in the clock behind OpenVPN is looked at. */
const LOOK_MS = 400;
/** Counts of the clock are taken no closer, whoever looked at it. */
const OBSERVE_MS = 350;
/** Ahead of the main thread (-20 is first); no other thread has it. */
export const SHAPING_NICE = -15;

/** Lives from its making until it is told to stop. */
export class ShaperThread {
  readonly #port: ThreadPort;
  readonly #system: System;
  readonly #parts: Omit<StreamOptions, 'onFault'>;
  readonly #serial = new Serial();
  readonly #streams = new Map<number, RunningStream>();
  readonly #control: TrafficControl;
  readonly #count: KernelCounter;
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
    this.#count = new KernelCounter(system);
    const kernel = () => this.#count.read(this.#streams.values());
    this.#parts = { system, random: uniformRandom(system), kernel };
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
    if (fresh) {
      this.#queue++;
      this.#control.open();
      await this.#control.find();
      this.#earlyReports = EARLY_REPORTS;
    }
    for (const [minor, running] of this.#streams) {
      if (!streams.some((stream) => stream.minor === minor)) {
        closeStream(running);
        this.#streams.delete(minor);
        this.#count.end(running.stream.shape);
      }
    }
    for (const stream of streams) {
      const running = this.#streams.get(stream.minor);
      if (!fresh && running && isSame(running.stream, stream)) continue;
      await this.#begin(stream, running ?? null);
    }
    await this.#beginSpaced();
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
    const askedMs = this.#system.clock.monotonicMs();
    for (const { spaced } of this.#streams.values()) spaced?.plan.ask(askedMs);
    const classes = await this.#control.listClock();
    this.#isLooking = false;
    if (!classes || queue !== this.#queue || this.#isStopped) return;
    this.#followSpacers(classes);
    this.#note(classes);
  }

  #followSpacers(classes: readonly ListedClass[]): void {
    const nowMs = this.#system.clock.monotonicMs();
    const remade: RunningStream[] = [];
    for (const listed of classes) {
      const running = this.#streams.get(minorOfSpacers(listed.id) ?? 0);
      if (!running?.spaced) continue;
      const found = running.spaced.follow(listed, nowMs);
      if (found === 'none') paceByRate(running, this.#parts);
      if (found !== 'its own') remade.push(running);
    }
    if (remade.length > 0) void this.#serial.run(() => this.#renewSpaced(remade));
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
      if (running.spaced) this.#control.tell(running.spaced.shorten(this.#control.indexes));
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
    const { minor } = stream;
    const onFault = (fault: Notice): void => this.#say({ kind: 'fault', minor, fault });
    const running = makeStream(stream, old, { ...this.#parts, onFault });
    this.#streams.set(minor, running);
    // Its spacers would stand behind those that are thrown away.
    old?.spaced?.close();
    this.#control.tell(encodeStart(running, this.#control.indexes));
    try {
      await running.cover?.open();
      await running.spaced?.open(this.#system);
    } catch (error) {
      onFault(unsentFault(error as Error));
    }
    old?.cover?.close();
  }

  /** Where the kernel has no spacers any more, or none yet, they are handed over. */
  async #beginSpaced(): Promise<void> {
    const begun = [...this.#streams.values()].filter(({ spaced }) => spaced?.isNew);
    if (begun.length === 0) return;
    await this.#control.settle();
    const nowMs = this.#system.clock.monotonicMs();
    for (const { spaced } of begun) spaced!.plan.begin(nowMs);
    this.#pace();
  }

  /** Has those begin with none again whose classes are others than before, or have been served too long. */
  async #renewSpaced(remade: readonly RunningStream[] = []): Promise<void> {
    for (const running of this.#streams.values()) {
      if (!running.spaced?.isWorn && !remade.includes(running)) continue;
      running.spaced?.pause();
      this.#control.tell(encodeOuterStart(running, this.#control.indexes));
    }
    await this.#beginSpaced();
  }

  #pace(): void {
    this.#cancelPace?.();
    const { clock, timers } = this.#system;
    const nowMs = clock.monotonicMs();
    const changes: Uint8Array[] = [];
    let dueMs = Number.POSITIVE_INFINITY;
    const drawn: Cover[] = [];
    for (const running of this.#streams.values()) {
      const { pacer, cover, spaced } = running;
      if (!pacer) continue;
      const rate = pacer.step(nowMs);
      if (rate !== null) {
        running.rate = rate;
        changes.push(...encodeRates(running, this.#control.indexes));
        if (spaced) changes.push(...spaced.handOver(this.#control.indexes));
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
    void this.#serial.run(() => this.#renewSpaced());
  }

  #stop(): void {
    this.#isStopped = true;
    this.#cancelReports();
    this.#cancelFirst();
    this.#cancelLooks?.();
    this.#cancelPace?.();
    for (const running of this.#streams.values()) closeStream(running);
    this.#streams.clear();
    this.#control.close();
    this.#count.close();
    this.#port.close();
  }
}
