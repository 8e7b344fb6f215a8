// Nest security camera: streams when its owner watches live, sends a clip when something moves.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'nest-cam' as const;
const keyFrameS = 2;

export const nestCam: Emulator = {
  device,
  peak: { upKBps: 10, downKBps: 10 },
  events: ['motion', 'live view'],
  activeS: { min: 4, max: 9 },
  pauseS: 14,
  heartbeat: (random, durationS) =>
    ticks(random, between(random, 0, 3), durationS, 5).map((atS) => ({
      atS,
      device,
      protocol: 'tcp',
      name: 'nexus.dropcam.com',
      port: 443,
      upBytes: about(random, 150),
      downBytes: about(random, 120),
    })),
  activity: (random, startS, lengthS) => [
    // Pictures: a large one every two seconds, small changes between.
    ...ticks(random, startS, startS + lengthS, 0.25).map((atS, index) => ({
      atS,
      device,
      protocol: 'tcp' as const,
      name: 'oculus519-vir.dropcam.com',
      port: 443,
      upBytes: about(random, index % (keyFrameS / 0.25) === 0 ? 5200 : 900),
      downBytes: about(random, 60),
    })),
    // What the viewer says and steers.
    ...ticks(random, startS, startS + lengthS, 1).map((atS) => ({
      atS,
      device,
      protocol: 'tcp' as const,
      name: 'nexus.dropcam.com',
      port: 443,
      upBytes: about(random, 200),
      downBytes: about(random, 1800),
    })),
  ],
};
