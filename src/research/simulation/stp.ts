// Stochastic traffic padding, simulated for comparison only: it has been shown to leak.
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import type { Random } from '../../core/random/random.ts';
import type { Link, LinkTotals, SlotClock, WireListener } from '../../core/simulation/link.ts';
import { PaddedLink } from './padded-link.ts';

export interface StpOptions {
  /** Length T of a padded period. */
  periodMs: number;
  /** Probability q that a period without activity is padded all the same. */
  coverProbability: number;
  /** More device bytes than this within a second are taken for activity of the user. */
  activityBytes: number;
  random: Random;
}

/**
 * When both directions are padded: T from any activity on, and with probability q in each period of
 * length T, from a random moment of it on; else packets leave as they come. A period is prolonged
 * while packets still wait. After Apthorpe, Huang, Reisman, Narayanan, Feamster: "Keeping the Smart
 * Home Private with Smart(er) IoT Traffic Shaping", PoPETs 2019, with activity read off the traffic
 * itself. Engelberg and Wool (2022) tell real activity from such cover, so no live mode does this.
 */
export class StpController {
  readonly #options: StpOptions;
  readonly #links: StpLink[] = [];
  #paddedUntilMs: number | null = null;
  #period = 0;
  #nextCoverMs = 0;
  #second = -1;
  #secondBytes = 0;

  constructor(options: StpOptions) {
    this.#options = options;
    this.#drawCover();
  }

  get padding(): boolean {
    return this.#paddedUntilMs !== null;
  }

  add(link: StpLink): void {
    this.#links.push(link);
  }

  /** Lets time pass for both directions. */
  advance(timeMs: number): void {
    for (;;) {
      const until = this.#paddedUntilMs;
      if (Math.min(until ?? Infinity, this.#nextCoverMs) > timeMs) break;
      if (until === null || this.#nextCoverMs < until) {
        this.#pad(this.#nextCoverMs);
        this.#drawCover();
      } else {
        for (const link of this.#links) link.padded.advance(until);
        const waiting = this.#links.some((link) => link.padded.waiting > 0);
        this.#paddedUntilMs = waiting ? until + this.#options.periodMs : null;
      }
    }
    if (this.padding) for (const link of this.#links) link.padded.advance(timeMs);
  }

  /** Looks at a device packet that arrived, in either direction. */
  note(timeMs: number, bytes: number): void {
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondBytes = 0;
    }
    this.#secondBytes += bytes;
    if (this.#secondBytes > this.#options.activityBytes) this.#pad(timeMs);
  }

  #pad(fromMs: number): void {
    if (this.#paddedUntilMs === null) for (const link of this.#links) link.clock.nextMs = fromMs;
    this.#paddedUntilMs = Math.max(this.#paddedUntilMs ?? 0, fromMs + this.#options.periodMs);
  }

  /** Finds the next period padded by chance, and the moment within it. */
  #drawCover(): void {
    const { periodMs, coverProbability, random } = this.#options;
    if (coverProbability <= 0) {
      this.#nextCoverMs = Infinity;
      return;
    }
    while (random() >= coverProbability) this.#period++;
    this.#nextCoverMs = (this.#period++ + random()) * periodMs;
  }
}

export interface StpLinkOptions {
  controller: StpController;
  packetBytes: number;
  clock: SlotClock;
  queuePackets: number;
  onWire?: WireListener;
}

/** One direction of {@link StpController}. */
export class StpLink implements Link {
  readonly padded: PaddedLink;
  readonly clock: SlotClock;
  readonly totals: LinkTotals;
  readonly #controller: StpController;
  readonly #onWire: WireListener | undefined;

  constructor({ controller, packetBytes, clock, queuePackets, onWire }: StpLinkOptions) {
    this.padded = new PaddedLink({
      packetBytes,
      clock,
      queuePackets,
      maxDelayMs: Infinity,
      onWire,
    });
    this.clock = clock;
    this.totals = this.padded.totals;
    this.#controller = controller;
    this.#onWire = onWire;
    controller.add(this);
  }

  advance(timeMs: number): void {
    this.#controller.advance(timeMs);
  }

  arrive(timeMs: number, bytes: number): void {
    this.#controller.note(timeMs, bytes);
    if (this.#controller.padding) {
      this.padded.arrive(timeMs, bytes);
      return;
    }
    const { totals } = this;
    totals.packets++;
    totals.wirePackets++;
    totals.realBytes += bytes;
    totals.tunnelBytes += TUNNEL_OVERHEAD_BYTES;
    totals.latency.add(0);
    this.#onWire?.(timeMs, bytes + TUNNEL_OVERHEAD_BYTES);
  }

  finish(timeMs: number): void {
    this.#controller.advance(timeMs);
    if (this.padded.waiting > 0) this.padded.finish(timeMs);
  }
}
