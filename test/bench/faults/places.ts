// The two ends of a lab: commands run there, and their programs held up.
import { setTimeout as delay } from 'node:timers/promises';
import type { ExposureLab } from '../../net/exposure/exposure-lab.ts';

export type Place = 'home' | 'endpoint';

export function on(lab: ExposureLab, place: Place, ...argv: string[]): Promise<string> {
  return lab.network.netns(place === 'home' ? 'router' : 'endpoint', argv);
}

export async function signal(lab: ExposureLab, place: Place, name: string, what: NodeJS.Signals) {
  for (const pid of await lab.pids(place === 'home' ? 'router' : 'endpoint', name)) {
    process.kill(pid, what);
  }
}

/** Stops a program for a while, as a machine without memory or time does. */
export async function suspend(lab: ExposureLab, place: Place, name: string, forMs: number) {
  await signal(lab, place, name, 'SIGSTOP');
  await delay(forMs);
  await signal(lab, place, name, 'SIGCONT');
}
