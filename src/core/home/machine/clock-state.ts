// What a home's machine knows of the clock behind OpenVPN. Values only.
import type { Notice } from '../../notices/notice.ts';
import type { ClockedWay } from '../../plan/outer-clock.ts';
import { SlotMeter } from '../slot-meter.ts';

export interface ClockState {
  /** Way that the clock stands on; null for no such clock. */
  clock: ClockedWay | null;
  /** The same of one that is being made. */
  madeClock: ClockedWay | null;
  /** The last try to make it failed. */
  clockFailed: boolean;
  /** Why there can be none on a way, and until when that is not tried again. */
  clockTrouble: { way: ClockedWay; why: Notice; untilMs: number } | null;
  /** What left by it. */
  clocked: SlotMeter;
}

export const NO_CLOCK: ClockState = {
  clock: null,
  madeClock: null,
  clockFailed: false,
  clockTrouble: null,
  clocked: SlotMeter.EMPTY,
};
