// Amazon Echo: a question goes up as sound, the answer comes down as sound.
import { about, between, type Emulator, ticks } from './plan.ts';

const device = 'echo' as const;
const voice = 'pindorama.amazon.com';
/** Share of a use that is the question; the rest is the answer. */
const questionShare = 0.45;

export const echo: Emulator = {
  device,
  peak: { upKBps: 10, downKBps: 10 },
  events: ['question'],
  activeS: { min: 3, max: 5 },
  pauseS: 10,
  heartbeat: (random, durationS) => [
    ...ticks(random, between(random, 0, 5), durationS, 7).map((atS) => ({
      atS,
      device,
      protocol: 'tcp' as const,
      name: voice,
      port: 443,
      upBytes: about(random, 80),
      downBytes: about(random, 70),
    })),
    ...ticks(random, between(random, 0, 15), durationS, 20).map((atS) => ({
      atS,
      device,
      protocol: 'tcp' as const,
      name: 'device-metrics-us.amazon.com',
      port: 443,
      upBytes: about(random, 700),
      downBytes: about(random, 120),
    })),
  ],
  activity: (random, startS, lengthS) => {
    const answerS = startS + lengthS * questionShare;
    return [
      ...ticks(random, startS, answerS, 0.15).map((atS) => ({
        atS,
        device,
        protocol: 'tcp' as const,
        name: voice,
        port: 443,
        upBytes: about(random, 1300),
        downBytes: 0,
      })),
      ...ticks(random, answerS, startS + lengthS, 0.4).map((atS) => ({
        atS,
        device,
        protocol: 'tcp' as const,
        name: voice,
        port: 443,
        upBytes: about(random, 120),
        downBytes: about(random, 3600),
      })),
    ];
  },
};
