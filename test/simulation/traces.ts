// Traces for tests: drawn, and read from short captures.

import type { DeviceSample } from '../../src/shell/simulation/trace.ts';
import { openTrace } from '../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

export const fixtures = {
  echo: 'test/fixtures/simulation/echo-query.csv',
  camera: 'test/fixtures/simulation/camera-stream.csv',
};

export async function readAll(paths: readonly string[]): Promise<DeviceSample[]> {
  const samples: DeviceSample[] = [];
  for await (const chunk of openTrace(nodeSystem, paths, { shift: true })) samples.push(...chunk);
  return samples;
}

/** Packets of one size at random moments, `perSecond` on average, in one direction. */
export function* poisson(
  random: () => number,
  { packets, perSecond, bytes }: { packets: number; perSecond: number; bytes: number },
): Generator<DeviceSample> {
  let timeS = 0;
  for (let i = 0; i < packets; i++) {
    timeS -= Math.log(1 - random()) / perSecond;
    yield { timeS, bytes, direction: 'up', device: 'a' };
  }
}
