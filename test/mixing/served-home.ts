// A home's plan lived through the product's own queues and slots, seen from the Internet's side of the endpoint.
import type { Sample } from '../../src/core/capture/trace.ts';
import { companyMs } from '../../src/core/framing/company.ts';
import { IntervalSchedule } from '../../src/core/pacing/schedule.ts';
import { usualDelayMs } from '../../src/core/plan/outer-clock.ts';
import { drawIndex, type Random, seededRandom } from '../../src/core/random/random.ts';
import { SlotClock } from '../../src/core/simulation/link.ts';
import { drawControl, PackedLink } from '../../src/core/simulation/packed-link.ts';
import { slotMs } from '../../src/core/stream/stream.ts';
import type { Exchange } from '../../src/research/lab/emulators/plan.ts';
import { answerMessage } from '../../src/research/lab/traffic/message.ts';
import {
  ROUND_TRIP_S,
  SEGMENT_BYTES,
  TCP_HEADERS_BYTES,
  UDP_HEADERS_BYTES,
} from '../../src/research/lab/traffic/plan-trace.ts';
import type { Variant } from '../../src/research/simulation/variants.ts';
import { Agenda } from './agenda.ts';
import type { Connection, ServedHome } from './far-side.ts';

export interface ServedHomeOptions {
  seed: number;
  durationS: number;
  /** A packed one; both directions have its figures. */
  variant: Variant;
  /** How long a datagram of the tunnel takes through the endpoint, ms: decrypted, unpacked, forwarded. */
  endpointMs: (random: Random) => number;
}

/** Ports that Linux lets programs send from where they ask for none. */
export const EPHEMERAL_PORTS = { first: 32_768, count: 28_232 } as const;

/** A packet on its way. */
interface Moving {
  bytes: number;
  connection: Connection;
  /** What comes of it where it arrives: at the server, or at the device. */
  arrived: (timeMs: number) => void;
}

/**
 * Lives a plan: each packet up waits for its slot at home, and passes the endpoint; its answer comes a round trip later, is seen there
 * at once, waits for a slot at the endpoint, and is acknowledged from the home. Connections are taken to stand; names, to be
 * known. What the way between home and endpoint takes is left out: it moves all of a home's packets alike.
 * @param exchanges in order of time
 */
export function liveHome(exchanges: readonly Exchange[], options: ServedHomeOptions): ServedHome {
  return new Life(options).live(exchanges);
}

class Life {
  readonly #home: ServedHome = { far: [], tunnelS: [], activity: [], dropped: 0 };
  readonly #agenda = new Agenda();
  readonly #connections = new Map<string, Connection>();
  readonly #options: ServedHomeOptions;
  readonly #ports: Random;
  readonly #up: Way;
  readonly #down: Way;

  constructor(options: ServedHomeOptions) {
    const { seed, variant, endpointMs } = options;
    this.#options = options;
    this.#ports = seededRandom(seed, 3);
    const endpoint = seededRandom(seed, 4);
    // A frame's packets leave together: one draw for all that one slot brought.
    let passed = { slotMs: -1, ms: 0 };
    const throughEndpoint = (atMs: number) => {
      if (atMs !== passed.slotMs) {
        const ms = Math.max(passed.ms, atMs + endpointMs(endpoint)); // nothing overtakes
        passed = { slotMs: atMs, ms };
      }
      return passed.ms;
    };
    this.#up = new Way(variant, variant.uploadKBps, seededRandom(seed, 1), {
      left: (atMs) => this.#home.tunnelS.push(atMs / 1000),
      delivered: (packet, atMs) => {
        const farMs = throughEndpoint(atMs);
        this.#see(packet, farMs, 'up');
        packet.arrived(farMs);
      },
    });
    this.#down = new Way(variant, variant.downloadKBps, seededRandom(seed, 2), {
      delivered: (packet, atMs) => {
        this.#note(packet, atMs, 'down');
        packet.arrived(atMs);
      },
    });
  }

  live(exchanges: readonly Exchange[]): ServedHome {
    const endMs = this.#options.durationS * 1000;
    for (const exchange of exchanges)
      this.#agenda.add(exchange.atS * 1000, (timeMs) => this.#begin(exchange, timeMs));
    for (;;) {
      const slotMs = Math.min(this.#up.nextMs, this.#down.nextMs);
      const nextMs = Math.min(slotMs, this.#agenda.nextMs);
      if (nextMs >= endMs) break;
      // A slot may bring about what comes before the next.
      if (this.#up.nextMs <= nextMs) this.#up.advance(nextMs);
      if (this.#down.nextMs <= nextMs) this.#down.advance(nextMs);
      if (this.#agenda.nextMs <= nextMs) this.#agenda.doNext();
    }
    const byTime = (a: Sample, b: Sample) => a.timeS - b.timeS;
    this.#home.far.sort(byTime);
    this.#home.activity.sort(byTime);
    this.#home.dropped = this.#up.dropped + this.#down.dropped;
    return this.#home;
  }

  #begin({ protocol, name, port, device, upBytes, downBytes }: Exchange, timeMs: number): void {
    const connection = this.#connection(protocol, `${name}:${port}`, device);
    const message = { id: 1, part: 0, totalBytes: upBytes, replyBytes: downBytes };
    const answers = answerMessage(message, protocol).map(({ totalBytes }) => totalBytes);
    const answer = (farMs: number) => {
      for (const bytes of answers) this.#answer(connection, bytes, farMs);
    };
    if (protocol === 'udp') {
      this.#sendUp(timeMs, connection, upBytes + UDP_HEADERS_BYTES, answer);
      return;
    }
    const sizes = segmentsOf(upBytes);
    sizes.forEach((bytes, k) => {
      const isLast = k === sizes.length - 1;
      const isAnswered = isLast && downBytes > 0;
      this.#sendUp(timeMs, connection, bytes, (farMs) => {
        if (isAnswered) answer(farMs);
        else if (isAcknowledged(k, isLast))
          this.#later(farMs, (atMs) => this.#sendDown(atMs, connection, TCP_HEADERS_BYTES));
      });
    });
  }

  /** What a server says, a round trip after it was asked. */
  #answer(connection: Connection, bytes: number, farMs: number): void {
    this.#later(farMs, (atMs) => {
      if (connection.protocol === 'udp') {
        this.#sendDown(atMs, connection, bytes + UDP_HEADERS_BYTES);
        return;
      }
      const sizes = segmentsOf(bytes);
      sizes.forEach((own, k) => {
        this.#sendDown(atMs, connection, own, (homeMs) => {
          if (isAcknowledged(k, k === sizes.length - 1))
            this.#agenda.add(homeMs, (ackMs) => this.#sendUp(ackMs, connection, TCP_HEADERS_BYTES));
        });
      });
    });
  }

  #later(farMs: number, act: (timeMs: number) => void): void {
    this.#agenda.add(farMs + ROUND_TRIP_S * 1000, act);
  }

  #sendUp(
    timeMs: number,
    connection: Connection,
    bytes: number,
    arrived: Moving['arrived'] = () => {},
  ): void {
    const packet = { bytes, connection, arrived };
    this.#note(packet, timeMs, 'up');
    this.#up.take(timeMs, packet);
  }

  #sendDown(
    timeMs: number,
    connection: Connection,
    bytes: number,
    arrived: Moving['arrived'] = () => {},
  ): void {
    const packet = { bytes, connection, arrived };
    this.#see(packet, timeMs, 'down');
    this.#down.take(timeMs, packet);
  }

  #see({ bytes, connection }: Moving, timeMs: number, direction: Sample['direction']): void {
    this.#home.far.push({ timeS: timeMs / 1000, bytes, direction, connection });
  }

  #note({ bytes, connection }: Moving, timeMs: number, direction: Sample['direction']): void {
    const { device } = connection;
    this.#home.activity.push({ timeS: timeMs / 1000, bytes, direction, device });
  }

  /** One for each server over TCP, as the emulated devices keep them; one socket for all datagrams of a device. */
  #connection(protocol: Exchange['protocol'], server: string, device: string): Connection {
    const key = `${device} ${protocol} ${server}`;
    let connection = this.#connections.get(key);
    if (!connection) {
      const socket =
        protocol === 'udp' &&
        [...this.#connections.values()].find(
          (one) => one.device === device && one.protocol === 'udp',
        );
      const port = socket
        ? socket.port
        : EPHEMERAL_PORTS.first + drawIndex(this.#ports, EPHEMERAL_PORTS.count);
      connection = { protocol, server, port, device };
      this.#connections.set(key, connection);
    }
    return connection;
  }
}

interface WayListener {
  /** A packet of the tunnel left, whatever it carries. */
  left?: (atMs: number) => void;
  delivered: (packet: Moving, atMs: number) => void;
}

/** One direction: the product's link, which tells delays and devices, and whose packets those are. */
class Way {
  readonly #link: PackedLink;
  readonly #clock: SlotClock;
  readonly #behindMs: number;
  /** Queues are first in, first out for each device. */
  readonly #waiting = new Map<string, { timeMs: number; packet: Moving }[]>();

  constructor(variant: Variant, rateKBps: number, random: Random, listener: WayListener) {
    const { mode, sdPercent, packetBytes, maxDelayMs } = variant;
    const meanMs = slotMs(rateKBps, packetBytes);
    this.#clock = new SlotClock(new IntervalSchedule({ mode, meanMs, sdPercent, random }), random);
    this.#behindMs = usualDelayMs({ rateKBps, packetBytes });
    this.#link = new PackedLink({
      packetBytes,
      clock: this.#clock,
      maxDelayMs,
      behindMs: this.#behindMs,
      companyMs: companyMs(meanMs),
      ...drawControl(meanMs, random),
      onWire: (timeMs) => listener.left?.(timeMs + this.#behindMs),
      onDelivered: (device, delayMs) => {
        const atMs = this.#clock.nextMs + this.#behindMs;
        const packet = this.#find(device, atMs - delayMs);
        if (packet) listener.delivered(packet, atMs);
      },
    });
  }

  get nextMs(): number {
    return this.#clock.nextMs;
  }

  get dropped(): number {
    return this.#link.totals.dropped;
  }

  advance(timeMs: number): void {
    this.#link.advance(timeMs);
  }

  take(timeMs: number, packet: Moving): void {
    const { device } = packet.connection;
    const waiting = this.#waiting.get(device) ?? [];
    this.#waiting.set(device, waiting);
    waiting.push({ timeMs, packet });
    this.#link.arrive(timeMs, packet.bytes, device);
  }

  /** The first that came at that moment; those before it were given up. */
  #find(device: string, timeMs: number): Moving | undefined {
    const waiting = this.#waiting.get(device) ?? [];
    const ROUNDING_MS = 1e-6;
    while (waiting.length > 0 && waiting[0]!.timeMs < timeMs - ROUNDING_MS) waiting.shift();
    return waiting.shift()?.packet;
  }
}

/** IP packets of a message over TCP. */
function segmentsOf(bytes: number): number[] {
  const sizes: number[] = [];
  for (let left = bytes; left > 0; left -= SEGMENT_BYTES)
    sizes.push(Math.min(left, SEGMENT_BYTES) + TCP_HEADERS_BYTES);
  return sizes;
}

/** Each second segment is, and the last. */
function isAcknowledged(index: number, isLast: boolean): boolean {
  return isLast || index % 2 === 1;
}
