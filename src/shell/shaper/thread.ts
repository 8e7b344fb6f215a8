// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { isSame } from '../../core/equality/equality.ts';
import { modes } from '../../core/pacing/modes.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { standingBend } from '../../core/pacing/standing.ts';
import { CLOCK_HANDLE, CLOCK_NETDEV, TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { renderClockLimit } from '../../core/plan/outer-clock.ts';
import { classBytesPerSecond, renderClassChange } from '../../core/plan/tc.ts';
import { TcListingReader } from '../../core/plan/tc-listing.ts';
import { isPaced, type Shape, slotsPerSecond } from '../../core/stream/stream.ts';
import { netdevExists, openNetdevCounter } from '../network/netdev.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, Counter, System, ThreadPort } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { Cover, type KernelCount, unsentFault } from './cover.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';
import { bent, hasOuter, type RunningStream, renderRates } from './running-stream.ts';
import { TcBatch } from './tc-batch.ts';

const REPORT_MS = 1000;
/** How often what stands in the clock behind OpenVPN is looked at. */
const LOOK_MS = 200;
/** Counts of the clock are taken no closer, whoever looked at it. */
const OBSERVE_MS = 900;
/** All cover that asks within so long is told the same of what leaves: what that costs does not grow with homes. */
const COUNTED_MS = 1;
/**
 * Commands that one tc is given: iproute2 6.1 keeps 4 KB for each change of a class, so it grows by 8 MB; by 32 where several homes
 * share it, since to start another takes this thread milliseconds, which the draws of all wait for.
 */
const COMMANDS_EACH = 2000;
const COMMANDS_SHARED = 8000;
/** Longer than what an ended stream left behind takes, and how much of its rate that is at most. */
const ENDED_MS = 4000;
const ENDED_SHARE = 2;
/** Ahead of the main thread (-20 is first). */
const NICE = -15;

/** Lives from its making until it is told to stop. */
export class ShaperThread {
  readonly #port: ThreadPort;
  readonly #system: System;
  readonly #random: () => number;
  readonly #serial = new Serial();
  readonly #streams = new Map<number, RunningStream>();
  /** Streams whose cover stands in classes of theirs that stay. */
  #ended: { shape: Shape; untilMs: number }[] = [];
  /** When tc last listed a count. */
  #heardMs = Number.NEGATIVE_INFINITY;
  readonly #listing = new TcListingReader((...counts) => this.#note(...counts));
  readonly #tc: TcBatch;
  /** What has left the tunnel's netdev, as the kernel counts it. */
  readonly #sentBytes: Counter;
  #counted: KernelCount = { atMs: -COUNTED_MS, sentBytes: null, bytesPerS: 0 };
  #cancelPace: Cancel | null = null;
  /** When tc was last asked to list the queue; null where it was not. */
  #askedMs: number | null = null;
  readonly #cancelReports: Cancel;
  #cancelLooks: Cancel | null = null;

  constructor(port: ThreadPort, system: System) {
    this.#port = port;
    this.#system = system;
    this.#random = uniformRandom(system);
    this.#sentBytes = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_bytes');
    this.#tc = new TcBatch({
      system,
      commandsEach: () => (this.#streams.size > 1 ? COMMANDS_SHARED : COMMANDS_EACH),
      onLine: (line) => this.#listing.push(line),
      onLost: () => this.#forgetListing(),
      onFault: (fault) => this.#say({ kind: 'fault', minor: 0, fault }),
    });
    system.processes.raisePriority(NICE);
    port.onMessage((message) => this.#receive(message as ToShaper));
    this.#cancelReports = system.timers.every(REPORT_MS, () => this.#report());
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
      this.#tc.restart();
      this.#forgetListing();
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
  }

  /** Netdevs whose queues are looked at: the clock's first, as its reader takes it. */
  get #queues(): string[] {
    return this.#hasClock ? [CLOCK_NETDEV, TUNNEL_NETDEV] : [TUNNEL_NETDEV];
  }

  get #hasClock(): boolean {
    return [...this.#streams.values()].some(({ stream }) => hasOuter(stream));
  }

  /** Looks at the clock as long as there is one. */
  #followClock(): void {
    if (this.#hasClock) {
      const look = (): void => this.#tc.write(`class show dev ${CLOCK_NETDEV}\n`);
      this.#cancelLooks ??= this.#system.timers.every(LOOK_MS, look);
      return;
    }
    this.#cancelLooks?.();
    this.#cancelLooks = null;
  }

  /** Counts of a class: the average is held where slots leave for the wire, which is at the last clock there is. */
  #note(id: string, packets: number, standing: number): void {
    const nowMs = this.#system.clock.monotonicMs();
    this.#heardMs = nowMs;
    const [, minor = ''] = id.split(':');
    const running = this.#streams.get(Number.parseInt(minor, 16));
    if (!running?.pacer) return;
    const isOuter = id.startsWith(CLOCK_HANDLE);
    if (hasOuter(running.stream) !== isOuter) return;
    if (isOuter) this.#bend(running, standing);
    if (isOuter && nowMs - running.observedMs < OBSERVE_MS) return;
    running.observedMs = nowMs;
    running.pacer.observe(packets, nowMs);
  }

  #bend(running: RunningStream, standing: number): void {
    const { minor, shape, standing: meant } = running.stream;
    const bend = standingBend(standing, meant, slotsPerSecond(shape));
    if (bend === running.bend) return;
    running.bend = bend;
    // Others are drawn anew in a moment.
    if (running.pacer?.dueMs === Number.POSITIVE_INFINITY) {
      this.#tc.write(renderClassChange(minor, bent(running), shape));
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
    this.#streams.set(minor, { stream, pacer, cover, rate, bend, observedMs });
    if (hasOuter(stream)) this.#tc.write(renderClockLimit(minor, stream.standing, shape));
    // Whatever the class was made with: until the first draw cover leaves at this.
    this.#tc.write(renderClassChange(minor, rate, shape));
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

  #forgetListing(): void {
    this.#listing.take();
    this.#askedMs = null;
  }

  #pace(): void {
    this.#cancelPace?.();
    const { clock, timers } = this.#system;
    const nowMs = clock.monotonicMs();
    let text = '';
    let dueMs = Number.POSITIVE_INFINITY;
    const drawn: Cover[] = [];
    for (const running of this.#streams.values()) {
      const { pacer, cover } = running;
      if (!pacer) continue;
      const rate = pacer.step(nowMs);
      if (rate !== null) {
        running.rate = rate;
        text += renderRates(running);
        if (cover) drawn.push(cover);
      }
      dueMs = Math.min(dueMs, pacer.dueMs);
    }
    if (text !== '') this.#tc.write(text);
    if (dueMs < Number.POSITIVE_INFINITY) {
      // Timers fire at whole milliseconds of this clock: a part of one would wake this thread for nothing, before it is due.
      const waitMs = Math.max(0, Math.ceil(dueMs) - Math.floor(clock.monotonicMs()));
      this.#cancelPace = timers.after(waitMs, () => this.#pace());
    }
    // What is awake anyway hands over what has left.
    for (const cover of drawn) cover.beat();
  }

  #report(): void {
    const nowMs = this.#system.clock.monotonicMs();
    const askedMs = this.#askedMs;
    const isOpen = askedMs !== null && this.#isAnswering();
    const listing = askedMs === null || isOpen ? null : this.#listing.take();
    const takenMs = askedMs ?? nowMs;
    this.#say({ kind: 'report', listing, takenMs, heardMs: Math.max(takenMs, this.#heardMs) });
    if (isOpen) return;
    this.#askedMs = this.#streams.size === 0 ? null : nowMs;
    if (this.#askedMs === null) return;
    this.#tc.write(this.#questions());
    // Constant intervals are only touched when the last count asked for it.
    this.#pace();
  }

  /** What tc is asked once a second. */
  #questions(): string {
    const lines = this.#queues.flatMap((name) => [
      `class show dev ${name}`,
      `qdisc show dev ${name}`,
    ]);
    return `${lines.join('\n')}\n`;
  }

  /** Whether tc is still to answer in full: what it has listed so far says nothing of what there is. */
  #isAnswering(): boolean {
    if (!this.#tc.isRunning) return false;
    const standing = this.#queues.filter((name) => netdevExists(this.#system, name));
    return this.#listing.roots < standing.length;
  }

  #stop(): void {
    this.#cancelReports();
    this.#cancelLooks?.();
    this.#cancelPace?.();
    for (const { cover } of this.#streams.values()) cover?.close();
    this.#streams.clear();
    this.#tc.stop();
    this.#sentBytes.close();
    this.#port.close();
  }
}
