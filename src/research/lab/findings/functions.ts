// What devices can still do for their owners under a defence, after the paper's Figure 6: function by function.
import type { HomeEvent } from '../../../core/analysis/activity-events.ts';
import { deviceCatalogue } from '../../devices/catalogue.ts';
import { emulators } from '../emulators/household.ts';
import type { Delay } from '../traffic/traffic-log.ts';

/** A use works when so much of what the device sent for it arrived. */
const WHOLE_FROM = 0.95;
/** A function that works less often than this is dead for its owner. */
const DEAD_BELOW = 0.1;
/** A use's last messages may be sent a moment after its time. */
const AFTERWARDS_S = 0.25;
/** What devices do without being used. */
const UNASKED = 'keeps in touch';

/** One thing one device does on its maker's servers. */
export interface DeviceFunction {
  device: string;
  /** What its owner would call it. */
  name: string;
  /** Times it was tried: uses, or messages of a device that is not used. */
  tried: number;
  worked: number;
}

/**
 * Counts per device and kind of event how often all of it reached the server, and what devices say unasked.
 * @param messages every message of the run, with its way
 * @param events what happened in the home
 */
export function countFunctions(
  messages: readonly Delay[],
  events: readonly HomeEvent[],
): DeviceFunction[] {
  return emulators.flatMap(({ device, events: names, activeS }) => {
    const uses = events.filter((event) => event.device === device);
    const sent = messages.filter(
      (message) => message.device === device && message.direction === 'up',
    );
    if (uses.length + sent.length === 0) return [];
    const ofUses = uses.map(() => [] as Delay[]);
    const unasked: Delay[] = [];
    for (const message of sent) {
      const last = uses.findLastIndex(({ timeS }) => timeS <= message.timeS);
      const belongs = last >= 0 && message.timeS < uses[last]!.timeS + activeS.max + AFTERWARDS_S;
      (belongs ? ofUses[last]! : unasked).push(message);
    }
    const name = deviceCatalogue.find(({ id }) => id === device)!.name;
    const counted = names.map((event) => {
      const own = ofUses.filter((_, i) => uses[i]!.event === event);
      return { device: name, name: event, tried: own.length, worked: own.filter(isWhole).length };
    });
    return [
      ...counted.filter(({ tried }) => tried > 0),
      {
        device: name,
        name: UNASKED,
        tried: unasked.length,
        worked: unasked.filter(arrived).length,
      },
    ].filter(({ tried }) => tried > 0);
  });
}

/** Whether a function works, and how often of how often. */
export function describeFunction(tried: number, worked: number): string {
  if (tried === 0) return '–';
  const share = worked / tried;
  const word = share < DEAD_BELOW ? 'dead' : share < WHOLE_FROM ? 'impaired' : 'works';
  return `${word} (${worked} of ${tried})`;
}

function arrived({ delayMs }: Delay): boolean {
  return delayMs !== null;
}

/** A use of which nothing was sent has failed: not even the server's name was found. */
function isWhole(messages: readonly Delay[]): boolean {
  return messages.length > 0 && messages.filter(arrived).length >= WHOLE_FROM * messages.length;
}
