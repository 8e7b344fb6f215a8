// Packets whose time cannot be true are set aside, and a clock that was set in the middle of a capture is followed.

/** What was odd about a capture's clock. */
export type ClockFault =
  /** So many packets on their own, days from all others. */
  | { kind: 'outliers'; packets: number; timeS: number }
  /** All that follows goes on from another time. */
  | { kind: 'step'; fromS: number; toS: number; joined: boolean };

export interface ClockOptions<T> {
  tell: (fault: ClockFault) => void;
  /** A longer silence is none, but another clock. */
  leapS?: number;
  /** Moves what follows a step to where the clock before it was; else only packets on their own are set aside. */
  join?: boolean;
  /** Copies what a packet only borrows, for it is held for a while. */
  hold?: (packet: T) => T;
}

/** So many packets in a row that agree are a clock. */
const AGREEING = 16;
const WEEK_S = 7 * 86_400;

interface Group<T> {
  packets: T[];
  lastS: number;
}

/**
 * Passes packets on whose times make sense together. The first times of which enough agree are the clock; a packet more than
 * `leapS` off it is held: one of few is set aside, enough of them in a row are the clock set anew. With `join`, they go
 * on a second after what was before, so that a leap of decades is no silence to live through.
 */
export async function* keepClock<T extends { timeS: number }>(
  packets: AsyncIterable<T>,
  { tell, leapS = WEEK_S, join = true, hold = (packet) => packet }: ClockOptions<T>,
): AsyncGenerator<T> {
  let groups: Group<T>[] = [];
  let lastS = Number.NaN;
  let shiftS = 0;
  let failure: { error: unknown } | null = null;
  const setAside = (aside: readonly Group<T>[]) => {
    for (const { packets: few } of aside) {
      tell({ kind: 'outliers', packets: few.length, timeS: few[0]!.timeS });
    }
  };
  const moved = (packet: T) =>
    shiftS === 0 ? packet : { ...packet, timeS: packet.timeS + shiftS };
  for await (const step of settled(packets)) {
    if ('error' in step) {
      failure = step;
      break;
    }
    const { packet } = step;
    const { timeS } = packet;
    if (Math.abs(timeS - lastS) <= leapS) {
      lastS = timeS;
      if (groups.length) {
        setAside(groups);
        groups = [];
      }
      yield moved(packet);
      continue;
    }
    let group = groups.find((one) => Math.abs(timeS - one.lastS) <= leapS);
    if (!group) {
      group = { packets: [], lastS: timeS };
      groups.push(group);
    }
    group.packets.push(hold(packet));
    group.lastS = timeS;
    if (group.packets.length < AGREEING) continue;
    setAside(groups.filter((one) => one !== group));
    groups = [];
    const firstS = group.packets[0]!.timeS;
    if (!Number.isNaN(lastS)) {
      tell({ kind: 'step', fromS: lastS, toS: firstS, joined: join });
      if (join) shiftS = lastS + shiftS + 1 - firstS;
    }
    lastS = timeS;
    for (const one of group.packets) yield moved(one);
  }
  if (Number.isNaN(lastS) && groups.length) {
    const most = groups.reduce((a, b) => (b.packets.length > a.packets.length ? b : a));
    setAside(groups.filter((one) => one !== most));
    yield* most.packets;
  } else setAside(groups);
  if (failure) throw failure.error;
}

/** What a source yields, and what ends it: what is held has to be handed over before an error is. */
async function* settled<T>(
  packets: AsyncIterable<T>,
): AsyncGenerator<{ packet: T } | { error: unknown }> {
  try {
    for await (const packet of packets) yield { packet };
  } catch (error) {
    yield { error };
  }
}

/** A fault in words; `name` is the capture's. */
export function explainClock(name: string, fault: ClockFault): string {
  if (fault.kind === 'outliers') {
    const { packets, timeS } = fault;
    const which = packets === 1 ? 'one packet is' : `${packets} packets are`;
    return `${name}: ${which} dated ${dateOf(timeS)}, far from all others, and left out`;
  }
  const { fromS, toS, joined } = fault;
  const then = joined ? '; what follows is taken to go on at once' : '';
  return `${name}: its clock leaps from ${dateOf(fromS)} to ${dateOf(toS)}${then}`;
}

function dateOf(timeS: number): string {
  const date = new Date(timeS * 1000);
  return Number.isNaN(date.getTime())
    ? `second ${timeS}`
    : date.toISOString().slice(0, 16).replace('T', ' ');
}
