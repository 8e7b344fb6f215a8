// What a home's machine tells a person. Values only.
import type { Notice } from '../../notices/notice.ts';
import type { State } from '../api.ts';

/** What a person is told. */
export interface Told {
  state: State;
  reason: Notice;
  /** Sentences behind it. */
  remarks: readonly Notice[];
  /** What stands in the way; null for nothing. */
  fault: Notice | null;
  /** While shaping: why devices get nothing, though nothing shows; null where they do. */
  trouble: Notice | null;
  sinceS: number;
}
