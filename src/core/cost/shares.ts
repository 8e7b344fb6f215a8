// How much of a week each of a configuration's rates is in force.
import { activeRate, nextRateChange } from '../config/schedule.ts';
import type { Config, Day } from '../config/types.ts';
import type { RateShare } from './cost.ts';

const days: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const dayMinutes = 24 * 60;
const weekMinutes = 7 * dayMinutes;

/** Shares of the week under a schedule; the rest of it is at the configured rate. */
export function scheduleShares(config: Config): RateShare[] {
  const shares: RateShare[] = [];
  let minute = 0;
  while (minute < weekMinutes) {
    const now = { day: days[Math.floor(minute / dayMinutes)] as Day, minute: minute % dayMinutes };
    const { uploadKBps, downloadKBps, source } = activeRate(config, now);
    const lasts = Math.min(nextRateChange(config, now) ?? weekMinutes, weekMinutes - minute);
    if (source.startsWith('schedule ')) {
      shares.push({ share: lasts / weekMinutes, uploadKBps, downloadKBps });
    }
    minute += lasts;
  }
  return shares;
}
