// Amcrest security camera: a video stream over UDP while something moves or somebody watches.
import { about, between, type Emulator, type Exchange, ticks } from './plan.ts';

const device = 'amcrest' as const;
const name = 'p2p.amcrestview.com';
const port = 8800;

export const amcrest: Emulator = {
  device,
  peak: { upKBps: 35, downKBps: 2.5 },
  events: ['motion', 'live view'],
  activeS: { min: 4, max: 8 },
  pauseS: 16,
  heartbeat: (random, durationS) =>
    ticks(random, between(random, 0, 3), durationS, 6).map((atS) => ({
      atS,
      device,
      protocol: 'udp',
      name,
      port,
      upBytes: about(random, 80),
      downBytes: about(random, 60),
    })),
  activity: (random, startS, lengthS) => {
    const stream: Exchange[] = [];
    const endS = startS + lengthS;
    // A whole picture every two seconds leaves in one go, then one datagram a change: 35 KB/s at the peak, 12 in the mean.
    for (let fromS = startS; fromS < endS; fromS += 2) {
      for (let part = 0; part < 8; part++) {
        stream.push(video(fromS + part * 0.03, about(random, 1200, 0.1), part === 0 ? 90 : 0));
      }
      for (const atS of ticks(random, fromS + 0.3, Math.min(fromS + 2, endS), 0.16)) {
        stream.push(video(atS, about(random, 1100, 0.25), random() < 0.3 ? 90 : 0));
      }
    }
    return stream.filter(({ atS }) => atS < endS);
  },
};

function video(atS: number, upBytes: number, downBytes: number): Exchange {
  return { atS, device, protocol: 'udp', name, port, upBytes, downBytes };
}
