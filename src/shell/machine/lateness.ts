// How late this machine's timers are when nothing keeps it from being on time.
import type { System } from '../system/system.ts';

/** Some 50 ms in all. */
const ROUNDS = 5;
const SLEEPS = 30;
const SLEEP_MS = 0.25;
/** By how much the kernel lets a sleeping thread's timer be late, to save wake-ups; the queue's own have no such leave. */
const SLACK_PATH = '/proc/self/timerslack_ns';
const USUAL_SLACK_NS = 50_000;

/** Milliseconds: the median of the best of some rounds, which a busy moment does not change. */
export function measureLateness({ timers, files }: Pick<System, 'timers' | 'files'>): number {
  const slack = files.readNow(SLACK_PATH);
  const slackNs = slack === null ? USUAL_SLACK_NS : Number(new TextDecoder().decode(slack));
  const medians = Array.from({ length: ROUNDS }, () => {
    const late = Array.from({ length: SLEEPS }, () => timers.oversleep(SLEEP_MS));
    return late.sort((a, b) => a - b)[SLEEPS / 2]!;
  });
  return Math.max(0, Math.min(...medians) - slackNs / 1e6);
}
