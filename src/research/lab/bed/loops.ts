// Another program of the router, which has its core while devices are active: what it takes from the shaping must not show.
import { setImmediate } from 'node:timers/promises';
import type { Activity } from '../emulators/plan.ts';
import { playOnTime } from '../traffic/play-on-time.ts';
import { monotonicMs } from '../traffic/traffic-log.ts';
import type { VariantContext } from '../variants/variant.ts';
import { type LoopsConfig, readProcessConfig } from './process-config.ts';
import { type LabProcess, ownArgv, startProcess } from './processes.ts';

/** For so long at a time its own input is not looked at. */
const SPIN_MS = 50;

/** Starts it in the router's namespace and on its core. */
export async function startLoops(
  { topology, logFolder, cleanup }: VariantContext,
  activities: readonly Activity[],
  startMs: number,
): Promise<LabProcess> {
  const config: LoopsConfig = { startMs, activities };
  const child = await startProcess({
    argv: ownArgv('lab', 'loops'),
    netns: topology.names.router,
    core: 'shaping',
    logPath: `${logFolder}/loops.log`,
    input: `${JSON.stringify(config)}\n`,
  });
  cleanup.add(() => child.stop());
  return child;
}

/** Runs until standard input ends; `lab loops` of the command line. */
export async function runLoops(): Promise<void> {
  const { startMs, activities } = await readProcessConfig<LoopsConfig>(() => process.exit(0));
  const turns = activities.map(({ startS, endS }) => ({ atS: startS, endS }));
  playOnTime(turns, startMs, ({ endS }) => spinUntil(startMs + endS * 1000));
}

async function spinUntil(endMs: number): Promise<void> {
  while (monotonicMs() < endMs) {
    const pauseMs = Math.min(monotonicMs() + SPIN_MS, endMs);
    while (monotonicMs() < pauseMs);
    await setImmediate();
  }
}
