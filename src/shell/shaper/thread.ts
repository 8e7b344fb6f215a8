// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { isSame } from '../../core/equality/equality.ts';
import { notice } from '../../core/notices/notice.ts';
import { DepartureMeter } from '../../core/pacing/departure-meter.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { classBytesPerSecond, renderClassChange } from '../../core/plan/tc.ts';
import { TcListingReader } from '../../core/plan/tc-listing.ts';
import { isPaced, slotsPerSecond } from '../../core/stream/stream.ts';
import { openNetdevCounter } from '../network/netdev.ts';
import { lineReader } from '../system/lines.ts';
import { Serial } from '../system/serial.ts';
import type { Cancel, Child, Counter, System, ThreadPort } from '../system/system.ts';
import { uniformRandom } from '../system/uniform-random.ts';
import { Cover, unsentFault } from './cover.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';

const REPORT_MS = 1000;
/** From the end of one tc to the next. */
const TC_PAUSE_MS = 100;
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
  readonly #listing = new TcListingReader((id, packets) => {
    const running = this.#streams.get(Number.parseInt(id.split(':')[1]!, 16));
    running?.pacer?.observe(packets, this.#system.clock.monotonicMs());
  });
  readonly #departed: Counter;
  readonly #departures = new DepartureMeter();
  #crowded = { is: false, atMs: Number.NEGATIVE_INFINITY };
  #tc: Child | null = null;
  #cancelTc: Cancel | null = null;
  #cancelPace: Cancel | null = null;
  /** When tc was last asked to list the queue; null where it was not. */
  #askedMs: number | null = null;
  readonly #cancelReports: Cancel;

  constructor(port: ThreadPort, system: System) {
    this.#port = port;
    this.#system = system;
    this.#random = uniformRandom(system);
    this.#departed = openNetdevCounter(system, TUNNEL_NETDEV, 'tx_packets');
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
          isCrowded: () => this.#isCrowded(),
          onFault: (fault) => this.#say({ kind: 'fault', minor, fault }),
        })
      : null;
    this.#streams.set(minor, { stream, pacer, cover });
    if (!paced) {
      this.#writeTc(renderClassChange(minor, classBytesPerSecond(shape), shape.packetBytes));
    }
    try {
      await cover?.open();
    } catch (error) {
      this.#say({ kind: 'fault', minor, fault: unsentFault(error as Error) });
    }
    old?.cover?.close();
  }

  /** Counted for all streams at once, and no more than once a millisecond. */
  #isCrowded(): boolean {
    const nowMs = this.#system.clock.monotonicMs();
    if (nowMs - this.#crowded.atMs < 1) return this.#crowded.is;
    const shapes = [...this.#streams.values()].map(({ stream }) => stream.shape);
    const perSecond = shapes.reduce((sum, shape) => sum + slotsPerSecond(shape), 0);
    const is = this.#departures.isCrowded(this.#departed.read(), perSecond, nowMs);
    this.#crowded = { is, atMs: nowMs };
    return is;
  }

  #restartTc(): void {
    this.#cancelTc?.();
    this.#cancelTc = null;
    // tc remembers a netdev's index by its name; one made again needs a new tc.
    this.#tc?.endInput();
    const child = this.#system.processes.spawn(['tc', '-s', '-force', '-batch', '-'], {
      onOutput: lineReader((line) => {
        if (this.#tc === child) this.#listing.push(line);
      }),
      onExit: ({ failure }) => {
        if (this.#tc === child) this.#awaitTc();
        if (failure === null) return;
        const fault = notice('command-failed', { command: 'tc', error: failure });
        this.#say({ kind: 'fault', minor: 0, fault });
      },
    });
    this.#listing.take();
    this.#askedMs = null;
    this.#tc = child;
  }

  /** One that has ended leaves the rate as it was last drawn: the next one comes soon. */
  #awaitTc(): void {
    this.#tc = null;
    this.#cancelTc = this.#system.timers.after(TC_PAUSE_MS, () => this.#restartTc());
  }

  #writeTc(line: string): void {
    this.#tc?.write(line);
  }

  #pace(): void {
    this.#cancelPace?.();
    const { clock, timers } = this.#system;
    const nowMs = clock.monotonicMs();
    let text = '';
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [minor, { pacer, stream }] of this.#streams) {
      if (!pacer) continue;
      const bytesPerSecond = pacer.step(nowMs);
      if (bytesPerSecond !== null) {
        text += renderClassChange(minor, bytesPerSecond, stream.shape.packetBytes);
      }
      dueMs = Math.min(dueMs, pacer.dueMs);
    }
    if (text !== '') this.#writeTc(text);
    if (dueMs < Number.POSITIVE_INFINITY) {
      const waitMs = Math.max(0, dueMs - clock.monotonicMs());
      this.#cancelPace = timers.after(waitMs, () => this.#pace());
    }
  }

  #report(): void {
    const nowMs = this.#system.clock.monotonicMs();
    const listed = this.#listing.take();
    const listing = this.#askedMs === null ? null : listed;
    this.#say({ kind: 'report', listing, takenMs: this.#askedMs ?? nowMs });
    this.#askedMs = this.#streams.size === 0 ? null : nowMs;
    if (this.#askedMs === null) return;
    this.#writeTc(`class show dev ${TUNNEL_NETDEV}\nqdisc show dev ${TUNNEL_NETDEV}\n`);
    // Constant intervals are only touched when the last count asked for it.
    this.#pace();
  }

  #stop(): void {
    this.#cancelReports();
    this.#cancelPace?.();
    for (const { cover } of this.#streams.values()) cover?.close();
    this.#streams.clear();
    this.#cancelTc?.();
    const tc = this.#tc;
    this.#tc = null;
    tc?.endInput();
    this.#departed.close();
    this.#port.close();
  }
}
