// Once a second: what others have done to the endpoint's netdevs and to the kernel's forwarding is undone, and told.
import { ask } from '../../machine/agenda.ts';
import { notice } from '../notice.ts';
import { isAltered } from '../surroundings.ts';
import type { EndpointSight } from './events.ts';
import { ownNetdevs } from './parts.ts';
import { log, type Turn } from './turn.ts';

/** Somebody who does it again and again is answered so often. */
const PUT_BACK_EVERY_MS = 3000;

export function putBack(turn: Turn, { links, switchedOff }: EndpointSight): void {
  const { state, now } = turn;
  if (now.monotonicMs - state.putBackMs < PUT_BACK_EVERY_MS) return;
  const altered = ownNetdevs(state).filter(({ netdev }) => isAltered(netdev, links ?? []));
  for (const { netdev, part } of altered) {
    log(turn, 'warning', notice('endpoint-netdev-put-back', { netdev: netdev.name }));
    ask(turn, part);
  }
  for (const setting of switchedOff) {
    log(turn, 'warning', notice('endpoint-forwarding-put-back', { setting }));
    ask(turn, 'forward');
  }
  if (altered.length + switchedOff.length > 0) state.putBackMs = now.monotonicMs;
}
