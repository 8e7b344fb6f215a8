// WeMo switch: tells its cloud about every turn of the switch.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'wemo-switch' as const;

export const wemoSwitch: Emulator = {
  device,
  peak: { upKBps: 5, downKBps: 2.5 },
  events: ['switched on', 'switched off'],
  activeS: { min: 1, max: 2 },
  pauseS: 9,
  heartbeat: (random, durationS) =>
    ticks(random, between(random, 0, 4), durationS, 8).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name: 'nat.xbcs.net',
      port: 3478,
      upBytes: about(random, 110),
      downBytes: about(random, 90),
    })),
  activity: (random, startS, lengthS) =>
    ticks(random, startS, startS + lengthS, 0.5).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name: 'prod1-api-xbcs-net-889336557.us-east-1.elb.amazonaws.com',
      port: 8443,
      upBytes: about(random, 1100),
      downBytes: about(random, 500),
    })),
};
