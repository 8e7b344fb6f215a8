// What an endpoint's machine knows of the clock behind OpenVPN, and of where homes are. Values only.
import type { Notice } from '../../notices/notice.ts';
import type { HomePlace, HomesClock, HomesWay } from '../../plan/homes-clock.ts';
import type { WayOut } from '../../plan/outer-clock.ts';

/** Where a home is, and by which netdev it is reached; null while that is not known. */
export interface PlacedHome extends HomePlace {
  way: WayOut | null;
}

export interface EndpointClockState {
  /** As OpenVPN said last. */
  homePlaces: readonly PlacedHome[];
  /** The clock as it was made; null for none, undefined while it is not known what another run has left. */
  clock: HomesClock | null | undefined;
  /** The same of one that is being made or changed. */
  madeClock: HomesClock | null;
  /** Whether that is made from nothing; if not, homes whose classes there come or go. */
  clockIsRemade: boolean;
  clockChanges: readonly number[];
  /** Homes whose classes there are to be made again. */
  clockBroken: readonly number[];
  /** Whether its chains are to be loaded again. */
  chainsLost: boolean;
  /** Why there can be none on a way, and until when that is not tried again. */
  clockTrouble: { way: HomesWay; why: Notice; untilMs: number } | null;
}

export const UNKNOWN_CLOCK: EndpointClockState = {
  homePlaces: [],
  clock: undefined,
  madeClock: null,
  clockIsRemade: false,
  clockChanges: [],
  clockBroken: [],
  chainsLost: false,
  clockTrouble: null,
};
