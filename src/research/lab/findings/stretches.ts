// Runs in which devices are idle and active by turns: the windows of their stretches, and the intervals of each two of them.
import type { WindowLabels } from '../../../core/analysis/audit-activity.ts';
import { kolmogorovSmirnov } from '../../../core/analysis/statistics/kolmogorov-smirnov.ts';
import type { Turns } from '../traffic/turns.ts';
import type { WirePacket } from './observation.ts';

/** Windows that begin in an active stretch are active, whatever the wire let through in them. */
export function labelByTurns(
  { stretchS, active }: Turns,
  { windowS, windows }: { windowS: number; windows: number },
): WindowLabels {
  const labels = Uint8Array.from({ length: windows }, (_, window) =>
    // A window's beginning is a product that may lie an ulp below the stretch's.
    active[Math.floor((window * windowS) / stretchS + 1e-9)] ? 1 : 0,
  );
  const count = labels.reduce((sum, label) => sum + label, 0);
  return { labels, active: count, idle: windows - count, meaning: 'any' };
}

/** How many pairs of stretches, an idle and an active one, a KS test tells apart. */
export interface ComparedStretches {
  pairs: number;
  toldApart: number;
  significance: number;
}

const significance = 0.05;

/** Compares the intervals of either stretch of each two, of which one is idle. */
export function compareStretches(
  packets: readonly WirePacket[],
  startS: number,
  seconds: number,
  alternateS: number,
): ComparedStretches {
  const stretches: number[][] = Array.from({ length: Math.ceil(seconds / alternateS) }, () => []);
  for (let index = 1; index < packets.length; index++) {
    const { timeS } = packets[index]!;
    stretches[Math.floor((timeS - startS) / alternateS)]?.push(timeS - packets[index - 1]!.timeS);
  }
  let pairs = 0;
  let toldApart = 0;
  for (let first = 0; first + 1 < stretches.length; first += 2) {
    const [one, other] = [stretches[first]!, stretches[first + 1]!];
    if (one.length === 0 || other.length === 0) continue;
    pairs++;
    if (kolmogorovSmirnov(one, other).pValue < significance) toldApart++;
  }
  return { pairs, toldApart, significance };
}
