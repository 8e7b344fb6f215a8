// Plans a whole household: every emulated device's exchanges and events for one run, from one seed.

import { type Random, seededRandom } from '../../../core/random/random.ts';
import type { DeviceId } from '../../devices/catalogue.ts';
import { activeStretches, drawTurns } from '../traffic/turns.ts';
import { amcrest } from './amcrest.ts';
import { echo } from './echo.ts';
import { nestCam } from './nest-cam.ts';
import { orviboSocket } from './orvibo-socket.ts';
import { between, type DevicePlan, type Emulator } from './plan.ts';
import { sense } from './sense.ts';
import { tpLinkPlug } from './tp-link-plug.ts';
import { wemoSwitch } from './wemo-switch.ts';

export const emulators: readonly Emulator[] = [
  sense,
  nestCam,
  amcrest,
  wemoSwitch,
  tpLinkPlug,
  orviboSocket,
  echo,
];

export interface HouseholdOptions {
  seed: number;
  durationS: number;
  /** Only these; what each does is the same with or without the others. */
  devices?: readonly DeviceId[] | null;
  /** All devices idle and active by turns of so long each, in the order of `drawTurns`; otherwise each at times of its own. */
  alternateS?: number | undefined;
}

/** Pauses between uses grow with the run beyond this length, so that an hour is not a minute sixty times over. */
const pausesForRunS = 60;

/**
 * Plans one run of all emulated devices; the same options give the same plan.
 * Exchanges, events and activities are in the order of time.
 */
export function planHousehold(options: HouseholdOptions): DevicePlan {
  const { seed, devices, durationS, alternateS } = options;
  const turns =
    alternateS === undefined
      ? undefined
      : activeStretches(drawTurns(seed, durationS, alternateS), durationS);
  const plans = emulators.flatMap((emulator, index) =>
    devices && !devices.includes(emulator.device)
      ? []
      : planDevice(emulator, { durationS, turns, random: seededRandom(seed, index + 1) }),
  );
  return {
    exchanges: plans.flatMap(({ exchanges }) => exchanges).sort((a, b) => a.atS - b.atS),
    events: plans.flatMap(({ events }) => events).sort((a, b) => a.atS - b.atS),
    activities: plans.flatMap(({ activities }) => activities).sort((a, b) => a.startS - b.startS),
  };
}

interface DeviceOptions {
  random: Random;
  durationS: number;
  /** When it is in use, where that is the same for all; otherwise at times of its own. */
  turns?: DevicePlan['activities'] | undefined;
}

/** Plans one device: heartbeats throughout, uses with pauses between, an event at the start of each use. */
export function planDevice(
  emulator: Emulator,
  { random, durationS, turns }: DeviceOptions,
): DevicePlan {
  const activities = turns ?? spontaneousActivities(emulator, random, durationS);
  const heartbeats = emulator.heartbeat(random, durationS);
  // An alternating run compares idle with active stretches: idle then means silent, as between heartbeats.
  const exchanges = turns ? [] : heartbeats;
  for (const { startS, endS } of activities) {
    exchanges.push(...emulator.activity(random, startS, endS - startS));
  }
  return {
    exchanges: exchanges.filter(({ atS }) => atS < durationS).sort((a, b) => a.atS - b.atS),
    events: activities.map(({ startS }, index) => ({
      atS: startS,
      device: emulator.device,
      event: emulator.events[index % emulator.events.length]!,
    })),
    activities,
  };
}

function spontaneousActivities(
  { activeS, pauseS }: Emulator,
  random: Random,
  durationS: number,
): DevicePlan['activities'] {
  const stretch = Math.max(1, durationS / pausesForRunS) ** 0.5;
  const activities = [];
  let startS = between(random, 1.5, 1.5 + pauseS * 0.7);
  while (startS < durationS - activeS.min) {
    const endS = Math.min(startS + between(random, activeS.min, activeS.max), durationS);
    activities.push({ startS, endS });
    // At least two seconds, so that one use ends before the next begins.
    startS = endS + 2 - Math.log(1 - random()) * (pauseS * stretch - 2);
  }
  return activities;
}
