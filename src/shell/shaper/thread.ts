// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { isSame } from '../../core/equality/equality.ts';
import { modes } from '../../core/pacing/modes.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { classBytesPerSecond, renderClassChange } from '../../core/plan/tc.ts';
import { TcListingReader } from '../../core/plan/tc-listing.ts';
import { isPaced, slotsPerSecond } from '../../core/stream/stream.ts';
import { netdevExists, openNetdevCounter } from '../network/netdev.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, Counter, System, ThreadPort } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { Cover, unsentFault } from './cover.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';
import { TcBatch } from './tc-batch.ts';

const REPORT_MS = 1000;
/** Ahead of the main thread (-20 is first). */
const NICE = -15;

interface RunningStream {
  stream: ShapedStream;
  pacer: RatePacer | null;
  cover: Cover | null;
}

/** Lives from its making until it is told to stop. */
export class ShaperThread {
  readonly #port: ThreadPort;
  readonly #system: System;
  readonly #random: () => number;
  readonly #serial = new Serial();
  readonly #streams = new Map<number, RunningStream>();
  /** When tc last listed a count. */
  #heardMs = Number.NEGATIVE_INFINITY;
  readonly #listing = new TcListingReader((id, packets) => {
    this.#heardMs = this.#system.clock.monotonicMs();
    const running = this.#streams.get(Number.parseInt(id.split(':')[1]!, 16));
    running?.pacer?.observe(packets, this.#heardMs);
  });
  readonly #tc: TcBatch;
  /** What has left the tunnel's netdev, as the kernel counts it. */
  readonly #sentBytes: Counter;
  #cancelPace: Cancel | null = null;
  /** When tc was last asked to list the queue; null where it was not. */
  #askedMs: number | null = null;
  readonly #cancelReports: Cancel;

  constructor(port: ThreadPort, system: System) {
    this.#port = port;
    this.#system = system;
    this.#random = uniformRandom(system);
    this.#sentBytes = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_bytes');
    this.#tc = new TcBatch({
      system,
      onLine: (line) => this.#listing.push(line),
      onLost: () => {
        this.#listing.take();
        this.#askedMs = null;
      },
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
    if (fresh) this.#restartTc();
    for (const [minor, running] of this.#streams) {
      if (!streams.some((stream) => stream.minor === minor)) {
        running.cover?.close();
        this.#streams.delete(minor);
      }
    }
    for (const stream of streams) {
      const running = this.#streams.get(stream.minor);
      if (!fresh && running && isSame(running.stream, stream)) continue;
      await this.#begin(stream, running ?? null);
    }
    this.#pace();
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
          kernel: () => ({ sentBytes: this.#sentBytes.read(), bytesPerS: this.#bytesPerS() }),
          onFault: (fault) => this.#say({ kind: 'fault', minor, fault }),
        })
      : null;
    this.#streams.set(minor, { stream, pacer, cover });
    if (!paced) {
      this.#tc.write(renderClassChange(minor, classBytesPerSecond(shape), shape));
    }
    try {
      await cover?.open();
    } catch (error) {
      this.#say({ kind: 'fault', minor, fault: unsentFault(error as Error) });
    }
    old?.cover?.close();
  }

  /** What all streams together are let send. */
  #bytesPerS(): number {
    const shapes = [...this.#streams.values()].map(({ stream }) => stream.shape);
    return shapes.reduce((sum, shape) => sum + classBytesPerSecond(shape), 0);
  }

  #restartTc(): void {
    this.#tc.restart();
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
    for (const [minor, { pacer, cover, stream }] of this.#streams) {
      if (!pacer) continue;
      const bytesPerSecond = pacer.step(nowMs);
      if (bytesPerSecond !== null) {
        text += renderClassChange(minor, bytesPerSecond, stream.shape);
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
    this.#tc.write(`class show dev ${TUNNEL_NETDEV}\nqdisc show dev ${TUNNEL_NETDEV}\n`);
    // Constant intervals are only touched when the last count asked for it.
    this.#pace();
  }

  /** Whether tc is still to answer in full: what it has listed so far says nothing of what there is. */
  #isAnswering(): boolean {
    if (this.#listing.hasRoot || !this.#tc.isRunning) return false;
    return netdevExists(this.#system, TUNNEL_NETDEV);
  }

  #stop(): void {
    this.#cancelReports();
    this.#cancelPace?.();
    for (const { cover } of this.#streams.values()) cover?.close();
    this.#streams.clear();
    this.#tc.stop();
    this.#sentBytes.close();
    this.#port.close();
  }
}
