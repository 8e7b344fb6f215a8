// What the main thread and the shaping thread say to each other.
import type { Notice } from '../../core/notices/notice.ts';
import type { TcListing } from '../../core/plan/tc-listing.ts';
import type { Shape } from '../../core/stream/stream.ts';

/** Marks a thread as the shaping one among others of the one bundle. */
export const SHAPER_ROLE = 'iotshaper-shaper';

/** One stream to pace and cover. */
export interface ShapedStream {
  /** Minor number of its class. */
  minor: number;
  shape: Shape;
  local: string;
  peer: string;
  /** Slots that ought to stand in the clock behind OpenVPN; 0 where there is no such clock. */
  standing: number;
}

export type ToShaper =
  | {
      kind: 'streams';
      /** Told back once they stand. */
      id: number;
      streams: ShapedStream[];
      /** The netdev or its queue was made again: everything known of it is void. */
      fresh: boolean;
    }
  | { kind: 'stop' };

/** Once a second, oftener while a queue is new. */
export interface ShaperReport {
  kind: 'report';
  /** What was listed last; null where nothing was since the queue was made. */
  listing: TcListing | null;
  /** When that was asked; with no listing, when this was said. */
  takenMs: number;
  /** When the last of what it listed was read: the counts are of between the two. */
  heardMs: number;
}

export type FromShaper =
  | ShaperReport
  | { kind: 'applied'; id: number }
  | { kind: 'fault'; minor: number; fault: Notice };
