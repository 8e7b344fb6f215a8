// Which homes may be sent to: decided by what was read back, and by nothing else. Pure.
import {
  findClockClassFaults,
  findQueueFaults,
  findStreamFaults,
  isStalled,
} from '../home/verification.ts';
import type { Notice } from '../notices/notice.ts';
import { CLOCK_HANDLE, STRAY_CLASS_MINOR } from '../plan/names.ts';
import { clockClasses } from '../plan/spacers.ts';
import type { TcListing } from '../plan/tc-listing.ts';
import { isPaced, type Shape } from '../stream/stream.ts';
import { notice } from './notice.ts';

/** The stream to one home. */
export interface StreamEvidence {
  host: number;
  name: string;
  shape: Shape;
  /** Packets a second that its class has sent; null while they were not counted for long enough. */
  perSecond: number | null;
  /** The same of what has left by its class in the clock behind OpenVPN; null too where it has none there. */
  clockedPerSecond: number | null;
  /** Seconds in a row in which that was too little: where a home is, is known a second late. */
  clockDoubts: number;
  /** A new rate is being taken over, from a stream that was in good order. */
  settling: boolean;
}

/** Everything that leave to send to homes rests on. */
export interface EndpointEvidence {
  /** The queue as tc listed it. */
  listing: TcListing;
  /** Minors of the homes' classes that ought to be there. */
  minors: readonly number[];
  /** The same in the clock behind OpenVPN; null where there is no such clock. */
  clock: readonly number[] | null;
  streams: readonly StreamEvidence[];
}

/** What follows from the evidence. */
export interface EndpointVerdict {
  /** Homes that may be sent to. */
  open: readonly number[];
  faults: readonly Notice[];
  /** The queue is not as it was made: make all of it again. */
  rebuild: boolean;
  /** Homes whose streams are not as they were made, among others that are: make these again, and no other. */
  broken: readonly number[];
  /** The clock behind OpenVPN is not as it was made: make all of it again. */
  clockGone: boolean;
  /** Homes whose classes there are not as they were made, among others that are. */
  clockBroken: readonly number[];
  /** Homes of whose streams too little leaves by it. */
  clockDoubted: readonly number[];
}

/** So many seconds of doubt are none: a home that has moved is followed meanwhile. */
const DOUBTS_BEFORE_SHUT = 1;

const CLOCK_STANDS = { clockGone: false, clockBroken: [], clockDoubted: [] } as const;

/** Homes whose classes are missing in the clock behind OpenVPN; null where all of it is another one. */
function findBrokenClocks({ clock }: TcListing, minors: readonly number[]): number[] | null {
  const ids = [STRAY_CLASS_MINOR, ...minors].flatMap((minor) => Object.values(clockClasses(minor)));
  const root = clock?.qdiscs.find(({ parent }) => parent === 'root');
  const isWhole =
    root?.kind === 'htb' &&
    root.handle === CLOCK_HANDLE &&
    findClockClassFaults(clock!, STRAY_CLASS_MINOR).length === 0 &&
    clock!.classes.every(({ id }) => ids.includes(id));
  if (!isWhole) return null;
  return minors.filter((minor) => findClockClassFaults(clock!, minor).length > 0);
}

function isDoubtful({ shape, clockedPerSecond }: StreamEvidence): boolean {
  return clockedPerSecond !== null && isStalled(shape, clockedPerSecond);
}

/** Judges one second's evidence: what is wrong with the queue stops all homes, what is wrong with a stream its home alone. */
export function judgeEndpoint(evidence: EndpointEvidence): EndpointVerdict {
  const { listing, minors, clock, streams } = evidence;
  const structure = findQueueFaults({ listing, minors: [STRAY_CLASS_MINOR, ...minors] }, [
    STRAY_CLASS_MINOR,
  ]);
  const none = { open: [], rebuild: false, broken: [], ...CLOCK_STANDS };
  if (structure.length > 0) return { ...none, faults: structure, rebuild: true };
  const clockBroken = clock === null ? [] : findBrokenClocks(listing, clock);
  if (clockBroken === null)
    return { ...none, faults: [notice('outer-clock-gone')], clockGone: true };
  const clockDoubted: number[] = [];
  const open: number[] = [];
  const broken: number[] = [];
  const faults: Notice[] = [];
  for (const stream of streams) {
    const { host, name, shape, perSecond, settling } = stream;
    const isMeasured = !isPaced(shape) || perSecond !== null;
    const own = !isMeasured && settling ? [] : findStreamFaults(shape, perSecond, name);
    const isDoubted = own.length === 0 && isDoubtful(stream);
    if (isDoubted) clockDoubted.push(host);
    if (clockBroken.includes(host) || (isDoubted && stream.clockDoubts >= DOUBTS_BEFORE_SHUT))
      faults.push(notice('home-clock-stalls', { name }));
    else if (own.length === 0) open.push(host);
    // A stream that has only just begun is no fault that anybody has to know of.
    else if (isMeasured) {
      broken.push(host);
      faults.push(...own);
    }
  }
  return { ...CLOCK_STANDS, open, faults, rebuild: false, broken, clockBroken, clockDoubted };
}
