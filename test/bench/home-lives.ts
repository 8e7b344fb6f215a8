// Lives of the whole home service by the hundred: node build/test/bench/home-lives.js [LIVES] [SEED]; prints the seeds that fail.
import { effectsOfLife, type LifeOptions, liveHome } from '../stand-ins/fake-system/home-life.ts';

const [lives = 200, firstSeed = Math.floor(Date.now() / 1000) % 1_000_000] = process.argv
  .slice(2)
  .filter((word) => word !== '')
  .map(Number);
let lived = 0;
let failed = 0;
let longestMs = 0;

async function live(options: LifeOptions): Promise<void> {
  lived++;
  const { violations, recoveredMs } = await liveHome(options).catch((error: Error) => ({
    violations: [error.message],
    recoveredMs: 0,
  }));
  longestMs = Math.max(longestMs, recoveredMs);
  if (violations.length === 0) return;
  failed++;
  console.log(`${JSON.stringify(options)}\n${violations.join('\n')}\n`);
}

console.log(`${lives} random lives from seed ${firstSeed} on`);
for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
  await live({
    ...{ seed, steps: 40, failingShare: (seed % 4) * 0.15 },
    ...(seed % 5 === 0 ? { latencyMs: 50 } : {}),
    ...(seed % 7 === 0 ? { hangs: true } : {}),
  });
}
console.log('every effect failing once, each way');
for (const number of [...(await effectsOfLife(1)).values()].flat()) {
  for (const how of ['before', 'after', 'hangs'] as const) {
    await live({ seed: 1, steps: 0, failing: { number, how } });
  }
}
console.log(`${lived} lives, ${failed} wrong; at most ${longestMs} ms from the last trouble on`);
process.exitCode = failed === 0 ? 0 : 1;
