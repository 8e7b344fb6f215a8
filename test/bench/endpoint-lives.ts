// Lives of the whole endpoint service by the hundred: node build/test/bench/endpoint-lives.js [LIVES] [SEED]; prints the seeds that fail.
import { liveEndpoint } from '../endpoint/endpoint-life.ts';

const [lives = 200, firstSeed = Math.floor(Date.now() / 1000) % 1_000_000] = process.argv
  .slice(2)
  .filter((word) => word !== '')
  .map(Number);
let failed = 0;
console.log(`${lives} random lives of an endpoint from seed ${firstSeed} on`);
for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
  const { violations } = await liveEndpoint(seed).catch((error: Error) => ({
    violations: [error.message],
  }));
  if (violations.length === 0) continue;
  failed++;
  console.log(`seed ${seed}\n${violations.join('\n')}\n`);
}
console.log(`${lives} lives, ${failed} wrong`);
process.exitCode = failed === 0 ? 0 : 1;
