// Orvibo smart socket: one small UDP datagram each way when it is switched.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'orvibo-socket' as const;
const name = 'vicenter.orvibo.com';
const port = 10000;

export const orviboSocket: Emulator = {
  device,
  peak: { upKBps: 0.25, downKBps: 0.25 },
  events: ['switched on', 'switched off'],
  activeS: { min: 0.8, max: 1.5 },
  pauseS: 10,
  heartbeat: (random, durationS) =>
    ticks(random, between(random, 0, 6), durationS, 11).map((atS) => ({
      atS,
      device,
      protocol: 'udp',
      name,
      port,
      upBytes: about(random, 42, 0.1),
      downBytes: about(random, 42, 0.1),
    })),
  activity: (random, startS, lengthS) =>
    ticks(random, startS, startS + lengthS, 0.7).map((atS) => ({
      atS,
      device,
      protocol: 'udp',
      name,
      port,
      upBytes: about(random, 140, 0.1),
      downBytes: about(random, 130, 0.1),
    })),
};
