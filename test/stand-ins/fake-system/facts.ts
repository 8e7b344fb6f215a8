// What holds on the stand-in machine at an instant, and for how long it has not: read from the models, not from the service.
import {
  CLOCK_NETDEV,
  COVER_PORT,
  MARK_TUNNEL,
  TABLE,
  TUNNEL_NETDEV,
} from '../../../src/core/plan/names.ts';
import { clockOf } from './egress-hook.ts';
import type { FakeMachine } from './machine.ts';
import type { NetdevQueue, QueueClass } from './netdev-queue.ts';

/** Everything that a home's leave to send rests on. */
export interface Facts {
  /** The netdevs of all devices are there. */
  networkPresent: boolean;
  /** OpenVPN is connected, its netdev is there, and packets pass. */
  tunnelUp: boolean;
  /** The queue stands as the program made it. */
  queueIntact: boolean;
  /** What OpenVPN sends passes the clock behind it. */
  clockIntact: boolean;
  /** The table stands as the program loaded it. */
  rulesIntact: boolean;
  /** Devices' marked packets are routed to the packer. */
  routesIntact: boolean;
  /** Cover stands in the queue, so that no slot is missed. */
  coverRunning: boolean;
  /** It knows the home by the control key in force, and says so. */
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
    clockIntact: !isPassing || isClocked(machine),
    rulesIntact: table !== undefined && !table.isTampered,
    routesIntact: way?.type === 'unicast' && way.dev === innerNetdev,
    coverRunning: [...udp.sockets].some(
      ({ peer, standing }) => peer?.port === COVER_PORT && standing > 0,
    ),
    endpointAnswers: far.answers && far.hears && isPassing,
    downloadRunning: far.streams && far.shape !== null && isPassing,
  };
}

/** Where the kernel has what it takes. */
function isClocked({ ip, tc, nft, world }: FakeMachine): boolean {
  if (ip.missingKinds.has('veth') || !nft.hasNetdevTables) return true;
  const way = ip.lookUp({ destination: world.remote })?.dev ?? '';
  const clock = ip.netdevs.get(CLOCK_NETDEV);
  const queue = tc.queueOf(CLOCK_NETDEV);
  const isLed = clockOf(nft, way, world.remote) === CLOCK_NETDEV;
  return clock?.isUp === true && isLed && queue !== null && isIntact(queue);
}

function isIntact({ isHtb, isTampered, classes }: NetdevQueue): boolean {
  const all = [...classes.values()];
  const isParent = (one: QueueClass): boolean => all.some(({ parent }) => parent === one);
  const isServed = (one: QueueClass): boolean => one.leaf !== null || isParent(one);
  return isHtb && !isTampered && all.length > 0 && all.every(isServed);
}

/** Follows the facts from instant to instant. */
export class FactLog {
  readonly #machine: FakeMachine;
  readonly #brokenSinceMs = new Map<FactName, number>();
  #exposedSinceMs: number | null = null;
  #maySendSinceMs: number | null = null;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
    machine.time.watchers.push(() => this.#look());
    this.#look();
  }

  /** Since when a fact has not held, in ms; 0 while it holds. */
  brokenForMs(name: FactName): number {
    return this.#since(this.#brokenSinceMs.get(name));
  }

  /** Facts that do not hold, each with its time in ms. */
  broken(): [FactName, number][] {
    return [...this.#brokenSinceMs].map(([name, sinceMs]) => [name, this.#since(sinceMs)]);
  }

  /** Since when devices' packets have gone out past the tunnel, in ms; 0 while they do not. */
  get exposedForMs(): number {
    return this.#since(this.#exposedSinceMs);
  }

  /** Since when devices have been allowed to send, in ms; 0 while they are not. */
  get maySendForMs(): number {
    return this.#since(this.#maySendSinceMs);
  }

  /** At least something, so that what began at this instant is told from what is not. */
  #since(sinceMs: number | null | undefined): number {
    return sinceMs == null ? 0 : Math.max(1, this.#machine.time.nowMs - sinceMs);
  }

  #look(): void {
    const machine = this.#machine;
    const { nowMs } = machine.time;
    for (const [name, holds] of Object.entries(readFacts(machine)) as [FactName, boolean][]) {
      if (holds) this.#brokenSinceMs.delete(name);
      else if (!this.#brokenSinceMs.has(name)) this.#brokenSinceMs.set(name, nowMs);
    }
    this.#exposedSinceMs = machine.exposed() ? (this.#exposedSinceMs ?? nowMs) : null;
    this.#maySendSinceMs = machine.devicesMaySend() ? (this.#maySendSinceMs ?? nowMs) : null;
  }
}
