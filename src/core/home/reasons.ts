// Which sentences say how things stand.
import type { ActiveRate } from '../config/schedule.ts';
import { type Notice, notice } from '../notices/notice.ts';

/** What becomes of devices while they are not shaped. */
export interface Exposure {
  /** Whether they were shaped since the start. */
  everShaped: boolean;
  killswitch: boolean;
  /** Of some nobody knows any more that they are devices. */
  networkUnknown: boolean;
}

/** How things stand while something is in the way. */
export function obstacleReason(
  { everShaped, killswitch, networkUnknown }: Exposure,
  why: Notice,
): Notice {
  if (!killswitch) return notice(everShaped ? 'blocked-open' : 'starting-open', { why });
  if (networkUnknown) {
    return notice(everShaped ? 'blocked-network-unknown' : 'starting-network-unknown', { why });
  }
  return notice(everShaped ? 'blocked-cut-off' : 'starting-cut-off', { why });
}

/** How things stand while devices are shaped. */
export function shapingReason({ uploadKBps, downloadKBps, source }: ActiveRate): Notice {
  if (uploadKBps === 0) return notice('shaping-rests', { source });
  return uploadKBps === downloadKBps
    ? notice('shaping', { rate: uploadKBps })
    : notice('shaping-two-rates', { up: uploadKBps, down: downloadKBps });
}

/**
 * What is said behind that.
 *
 * @param dns whether names the devices look up go through the tunnel
 * @param found of devices that are missing, and of resolvers beside them
 * @param isServed whether devices were seen to be answered; of a tunnel that carries nothing (null) there is nothing to tell
 */
export function shapingRemarks(
  { uploadKBps }: ActiveRate,
  dns: boolean,
  found: readonly Notice[],
  isServed: boolean | null = true,
): Notice[] {
  if (uploadKBps === 0) return [];
  const claim = notice(isServed ? 'activity-hidden' : 'answers-awaited');
  const claims = isServed === null ? [] : [claim];
  return [...claims, ...(dns ? [] : [notice('names-show')]), ...found];
}
