// Which homes may be sent to: decided by what was read back, and by nothing else. Pure.
import { findQueueFaults, findStreamFaults } from '../home/verification.ts';
import type { Notice } from '../notices/notice.ts';
import { STRAY_CLASS_MINOR } from '../plan/names.ts';
import type { TcListing } from '../plan/tc-listing.ts';
import { isPaced, type Shape } from '../stream/stream.ts';

/** The stream to one home. */
export interface StreamEvidence {
  host: number;
  name: string;
  shape: Shape;
  /** Packets a second that its class has sent; null while they were not counted for long enough. */
  perSecond: number | null;
  /** A new rate is being taken over, from a stream that was in good order. */
  settling: boolean;
}

/** Everything that leave to send to homes rests on. */
export interface EndpointEvidence {
  /** The queue as tc listed it. */
  listing: TcListing;
  /** Minors of the homes' classes that ought to be there. */
  minors: readonly number[];
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
}

/** Judges one second's evidence: what is wrong with the queue stops all homes, what is wrong with a stream its home alone. */
export function judgeEndpoint({ listing, minors, streams }: EndpointEvidence): EndpointVerdict {
  const structure = findQueueFaults({ listing, minors: [STRAY_CLASS_MINOR, ...minors] }, [
    STRAY_CLASS_MINOR,
  ]);
  if (structure.length > 0) return { open: [], faults: structure, rebuild: true, broken: [] };
  const open: number[] = [];
  const broken: number[] = [];
  const faults: Notice[] = [];
  for (const { host, name, shape, perSecond, settling } of streams) {
    const isMeasured = !isPaced(shape) || perSecond !== null;
    const own = !isMeasured && settling ? [] : findStreamFaults(shape, perSecond, name);
    if (own.length === 0) open.push(host);
    // A stream that has only just begun is no fault that anybody has to know of.
    else if (isMeasured) {
      broken.push(host);
      faults.push(...own);
    }
  }
  return { open, faults, rebuild: false, broken };
}
