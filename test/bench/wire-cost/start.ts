// How soon a home's service answers and shapes after it was started.
import type { HomeNetwork } from '../../net/home-network.ts';

const EVERY_MS = 10;
const LIMIT_MS = 90_000;

/** Starts the home and waits until it shapes; both times are ms since its process was begun. */
export async function timeStart(
  network: HomeNetwork,
): Promise<{ answersMs: number; shapesMs: number }> {
  const startMs = performance.now();
  network.startHome();
  let answersMs: number | null = null;
  for (;;) {
    const status = await network.status();
    const nowMs = performance.now() - startMs;
    if (status) answersMs ??= nowMs;
    if (answersMs !== null && status?.state === 'shaping') return { answersMs, shapesMs: nowMs };
    if (nowMs > LIMIT_MS) throw new Error(`it does not shape: ${network.logs.get('home')}`);
    await new Promise((wait) => setTimeout(wait, EVERY_MS));
  }
}
