// What becomes of a test where the machine lacks what it needs.
import type { ExecutionContext } from 'ava';

/** Fails in CI, where everything runs; elsewhere says loudly that this test did not. */
export function notRun(t: ExecutionContext, why: string): void {
  t.log(`NOT RUN: ${why}`);
  if (process.env.CI) t.fail(`can't run: ${why}`);
  else t.pass();
}
