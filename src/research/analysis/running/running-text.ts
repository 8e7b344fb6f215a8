// What an audit without end has to say, whenever it is looked at.
import type { RunningState } from './running-audit.ts';

export interface RunningWords {
  error: number;
  /** Processor time spent on it, seconds. */
  cpuS: number;
}

/** One sentence and the figures behind it. */
export function renderRunning(state: RunningState, { error, cpuS }: RunningWords): string {
  const { hours, moments, eValue, foundAtHours, foundBy, shift } = state;
  const after = `after ${hoursText(hours)}`;
  const figures = `${moments} moments of activity, evidence ${evidenceText(eValue)} of ${(1 / error).toFixed(0)}, ${cpuS.toFixed(1)} s of processor time`;
  if (foundAtHours !== null) {
    return `LEAK: found after ${hoursText(foundAtHours)}, by the ${foundBy}; a stream that depends on nothing gets so far once in ${(1 / error).toFixed(0)}, however long it is watched (${figures})`;
  }
  if (shift === null)
    return `no leak found so far, ${after}: too little was seen yet to say which would have been (${figures})`;
  const wouldHaveMs = Math.abs(shift.estimateMs) + shift.withinMs;
  return `no leak found so far, ${after}; slots that leave ${delayText(wouldHaveMs)} sooner or later on average where they carry devices' packets would have been found (${figures})`;
}

function hoursText(hours: number): string {
  return hours < 1 ? `${Math.round(60 * hours)} min` : `${hours.toFixed(1)} h`;
}

function delayText(ms: number): string {
  return ms < 0.1 ? `${(1000 * ms).toFixed(1)} µs` : `${ms.toFixed(2)} ms`;
}

function evidenceText(eValue: number): string {
  return eValue > 1e6 ? 'over a million' : eValue.toFixed(eValue < 10 ? 2 : 0);
}
