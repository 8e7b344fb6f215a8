// What devices did, as labels of windows and as onsets: the side of the audit that the provider must not see.

/** A packet of a device as the home sees it, on the same clock as the wire. */
export interface ActivitySample {
  timeS: number;
  bytes?: number;
  /** `up` where the device sent it; leave out where that is not known. */
  direction?: 'up' | 'down';
}

export interface WindowLabels {
  labels: Uint8Array;
  active: number;
  idle: number;
  /** `any`: a device packet fell into the window; `busier`: devices were active for more of it than of most. */
  meaning: 'any' | 'busier';
}

/** Below this many windows of a kind nothing can be said. */
export const FEWEST_WINDOWS = 12;

/**
 * Labels windows active or idle. By whether any device packet fell into them; where hardly a window is idle, by whether
 * devices were active in more tenths of a second of it than in the median window. Bytes are not used: under load it is the
 * wire that clocks them, and a clean stream would seem to depend on them.
 * @param samples in order of time
 */
export function labelWindows(
  samples: readonly ActivitySample[],
  { startS, windowS, windows }: { startS: number; windowS: number; windows: number },
): WindowLabels {
  const tickS = Math.max(0.1, windowS / 60);
  const ticks = new Float64Array(windows);
  let last = -1;
  for (const { timeS } of samples) {
    const window = Math.floor((timeS - startS) / windowS);
    const tick = Math.floor((timeS - startS) / tickS);
    if (window < 0 || window >= windows || tick === last) continue;
    last = tick;
    ticks[window]!++;
  }
  const any = Uint8Array.from(ticks, (count) => (count > 0 ? 1 : 0));
  const idle = windows - countActive(any);
  const enough = Math.max(Math.min(FEWEST_WINDOWS, windows / 2), Math.min(20, 0.2 * windows));
  if (idle >= enough) return describe(any, 'any');
  const sorted = ticks.slice().sort();
  const middle = sorted[Math.floor((windows - 1) / 2)]!;
  return describe(
    Uint8Array.from(ticks, (count) => (count > middle ? 1 : 0)),
    'busier',
  );
}

/**
 * Labels short ticks active from one device packet to the next where those are at most `gapS` apart, for tests on single
 * intervals: a window of a second would mix what happened in it.
 */
export function labelTicks(
  samples: readonly ActivitySample[],
  { startS, windowS, windows }: { startS: number; windowS: number; windows: number },
  gapS = 0.5,
): WindowLabels {
  const labels = new Uint8Array(windows);
  let before = Number.NEGATIVE_INFINITY;
  for (const { timeS } of samples) {
    const fromS = timeS - before <= gapS ? before : timeS;
    const from = Math.max(0, Math.floor((fromS - startS) / windowS));
    const to = Math.min(windows - 1, Math.floor((timeS - startS) / windowS));
    for (let tick = from; tick <= to; tick++) labels[tick] = 1;
    before = timeS;
  }
  return describe(labels, 'any');
}

export interface Onset {
  timeS: number;
  /**
   * Whether the wire of each direction can have set this time: a packet *from* the tunnel reaches its device right after a
   * slot, so its time follows the wire in a clean stream too.
   */
  follows: 'nothing' | 'down' | 'either';
}

/**
 * Moments at which devices began: packets after `quietS` without any, and events given from outside.
 * @param samples in order of time
 */
export function findOnsets(
  samples: readonly ActivitySample[],
  events: readonly number[],
  quietS: number,
): Onset[] {
  const onsets: Onset[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const { timeS, direction } of samples) {
    if (timeS - before >= quietS && Number.isFinite(before)) {
      const follows = direction === 'up' ? 'nothing' : direction === 'down' ? 'down' : 'either';
      onsets.push({ timeS, follows });
    }
    before = timeS;
  }
  for (const timeS of events) onsets.push({ timeS, follows: 'nothing' });
  onsets.sort((a, b) => a.timeS - b.timeS);
  // An event and the packet it caused are one moment; the earlier of the two is nearer to the cause.
  return onsets.filter((onset, i) => i === 0 || onset.timeS - onsets[i - 1]!.timeS >= quietS / 2);
}

function countActive(labels: Uint8Array): number {
  let sum = 0;
  for (const label of labels) sum += label;
  return sum;
}

function describe(labels: Uint8Array, meaning: WindowLabels['meaning']): WindowLabels {
  const active = countActive(labels);
  return { labels, active, idle: labels.length - active, meaning };
}
