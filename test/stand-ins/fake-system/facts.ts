// What holds on the stand-in machine at an instant, and for how long it has not: read from the models, not from the service.
import { COVER_PORT, MARK_TUNNEL, TABLE, TUNNEL_NETDEV } from '../../../src/core/plan/names.ts';
import type { FakeMachine } from './machine.ts';
import type { NetdevQueue } from './netdev-queue.ts';

/** Everything that a home's leave to send rests on. */
export interface Facts {
  /** The netdevs of all devices are there. */
  networkPresent: boolean;
  /** OpenVPN is connected, its netdev is there, and packets pass. */
  tunnelUp: boolean;
  /** The queue stands as the program made it. */
  queueIntact: boolean;
  /** The table stands as the program loaded it. */
  rulesIntact: boolean;
  /** Devices' marked packets are routed to the packer. */
  routesIntact: boolean;
  /** Cover stands in the queue, so that no slot is missed. */
  coverRunning: boolean;
  endpointAnswers: boolean;
  downloadRunning: boolean;
}

export type FactName = keyof Facts;

const SOMEWHERE = '192.0.2.80';

export function readFacts(machine: FakeMachine): Facts {
  const { ip, nft, tc, udp, far, devices, innerNetdev, isPassing } = machine;
  const queue = tc.queueOf(TUNNEL_NETDEV);
  const table = nft.tables.get(`inet ${TABLE}`);
  const iif = devices[0]?.netdev ?? '';
  const way = ip.lookUp({ destination: SOMEWHERE, iif, mark: MARK_TUNNEL });
  queue?.settle();
  return {
    networkPresent: devices.every(({ netdev }) => ip.netdevs.has(netdev)),
    tunnelUp: isPassing,
    queueIntact: queue !== null && isIntact(queue),
    rulesIntact: table !== undefined && !table.isTampered,
    routesIntact: way?.type === 'unicast' && way.dev === innerNetdev,
    coverRunning: [...udp.sockets].some(
      ({ peer, standing }) => peer?.port === COVER_PORT && standing > 0,
    ),
    endpointAnswers: far.answers && isPassing,
    downloadRunning: far.streams && far.shape !== null && isPassing,
  };
}

function isIntact({ isHtb, isTampered, classes }: NetdevQueue): boolean {
  const all = [...classes.values()];
  return isHtb && !isTampered && all.length > 0 && all.every(({ leaf }) => leaf !== null);
}

/** Follows the facts from instant to instant. */
export class FactLog {
  readonly #machine: FakeMachine;
  readonly #brokenSinceMs = new Map<FactName | 'exposed', number>();

  constructor(machine: FakeMachine) {
    this.#machine = machine;
    machine.time.watchers.push(() => this.#look());
    this.#look();
  }

  /** Since when a fact has not held, in ms; 0 while it holds. */
  brokenForMs(name: FactName): number {
    return this.#sinceMs(name);
  }

  /** Since when devices' packets have gone out past the tunnel, in ms; 0 while they do not. */
  get exposedForMs(): number {
    return this.#sinceMs('exposed');
  }

  /** Facts that do not hold, each with its time in ms. */
  broken(): [FactName, number][] {
    return [...this.#brokenSinceMs.keys()].flatMap((name) =>
      name === 'exposed' ? [] : [[name, this.#sinceMs(name)]],
    );
  }

  #sinceMs(name: FactName | 'exposed'): number {
    const sinceMs = this.#brokenSinceMs.get(name);
    // At least something, so that what broke at this instant is told from what holds.
    return sinceMs === undefined ? 0 : Math.max(1, this.#machine.time.nowMs - sinceMs);
  }

  #look(): void {
    for (const [name, holds] of Object.entries(readFacts(this.#machine)) as [FactName, boolean][]) {
      this.#note(name, holds);
    }
    this.#note('exposed', !this.#machine.exposed());
  }

  #note(name: FactName | 'exposed', holds: boolean): void {
    if (holds) this.#brokenSinceMs.delete(name);
    else if (!this.#brokenSinceMs.has(name)) {
      this.#brokenSinceMs.set(name, this.#machine.time.nowMs);
    }
  }
}
