// Sense sleep monitor: reports when somebody goes to bed, stirs or gets up.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'sense' as const;

export const sense: Emulator = {
  device,
  peak: { upKBps: 2.5, downKBps: 2.5 },
  events: ['in bed', 'lights off', 'out of bed'],
  activeS: { min: 2, max: 4 },
  pauseS: 12,
  heartbeat: (random, durationS) => [
    ...ticks(random, between(random, 0, 5), durationS, 9).map((atS) => ({
      atS,
      device,
      protocol: 'tcp' as const,
      name: 'messeji.hello.is',
      port: 443,
      upBytes: about(random, 90),
      downBytes: about(random, 60),
    })),
    ...ticks(random, between(random, 0, 8), durationS, 25).map((atS) => ({
      atS,
      device,
      protocol: 'udp' as const,
      name: 'ntp.hello.is',
      port: 123,
      upBytes: 48,
      downBytes: 48,
    })),
  ],
  activity: (random, startS, lengthS) =>
    ticks(random, startS, startS + lengthS, 0.8).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name: 'sense-in.hello.is',
      port: 443,
      upBytes: about(random, 1600),
      downBytes: about(random, 700),
    })),
};
