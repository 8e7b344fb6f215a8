// TP-Link smart plug: a few hundred bytes when it is switched.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'tp-link-plug' as const;
const name = 'devs.tplinkcloud.com';

export const tpLinkPlug: Emulator = {
  device,
  peak: { upKBps: 0.5, downKBps: 0.5 },
  events: ['switched on', 'switched off'],
  activeS: { min: 0.8, max: 1.5 },
  pauseS: 9,
  heartbeat: (random, durationS) =>
    ticks(random, between(random, 0, 6), durationS, 12).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name,
      port: 50443,
      upBytes: about(random, 60),
      downBytes: about(random, 60),
    })),
  activity: (random, startS, lengthS) =>
    ticks(random, startS, startS + lengthS, 0.7).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name,
      port: 50443,
      upBytes: about(random, 260),
      downBytes: about(random, 240),
    })),
};
