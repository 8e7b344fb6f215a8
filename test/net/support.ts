// What the tests in network namespaces share: the guard, and namespaces that vanish with the test.
import { execFileSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';
import { run } from '../../src/shell/system/node/processes.ts';
import { notRun } from '../not-run.ts';

/** How long what is going to happen may take on a machine that does other things as well. */
const PATIENCE_MS = 60_000;

/** Asks anew until there is an answer: for what is measured or looked at once a second, and told by no event. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  limitMs = PATIENCE_MS,
): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > untilMs) throw new Error(`not in ${limitMs / 1000} s: ${what}`);
    await new Promise((again) => setTimeout(again, 150));
  }
}

let reason: string | null | undefined;
let counter = 0;

/** Why no network namespace can be made here, or null. */
function obstacle(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  const probe = `iottest-${process.pid}-probe`;
  try {
    execFileSync('ip', ['netns', 'add', probe], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'delete', probe], { stdio: 'pipe' });
  } catch (error) {
    return `network namespaces can't be made: ${(error as Error).message}`;
  }
  return null;
}

/**
 * Whether the test can run. Where it can't, it fails in CI and says so everywhere else.
 *
 * @returns false when the test has to return at once.
 */
export function requireNamespaces(t: ExecutionContext): boolean {
  if (reason === undefined) reason = obstacle();
  if (reason === null) return true;
  notRun(t, reason);
  return false;
}

/** A fresh namespace with its loopback up, deleted when the test ends; returns its name. */
export async function newNamespace(t: ExecutionContext, area: string): Promise<string> {
  const name = `${area}-${process.pid}-${counter++}`;
  await run(['ip', 'netns', 'add', name]);
  t.teardown(() => run(['ip', 'netns', 'delete', name]));
  await run(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  return name;
}

/** Makes a tun netdev that nobody reads and sets it up. */
export async function addTun(netns: string, name: string): Promise<void> {
  await run(['ip', 'tuntap', 'add', 'dev', name, 'mode', 'tun'], { netns });
  await run(['ip', 'link', 'set', name, 'up'], { netns });
}
