// How fast a day of a busy home is simulated, and in what memory: node build/test/bench/simulation.js [FILE…]
import { seededRandom } from '../../src/core/random/random.ts';
import { simulate } from '../../src/research/simulation/simulate.ts';
import {
  defaultVariantOptions,
  variantNames,
  variantOf,
} from '../../src/research/simulation/variants.ts';
import { type DeviceSample, openTrace, type Trace } from '../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

/** Ten devices that wake some 200 times an hour each and send a burst: two million packets a day. */
function* busyDay(): Generator<DeviceSample> {
  const random = seededRandom(1);
  let timeS = 0;
  while (timeS < 86_400) {
    timeS -= 1.8 * Math.log(1 - random());
    const device = `device ${Math.floor(random() * 10)}`;
    const packets = 1 + Math.floor(random() * 80);
    for (let i = 0; i < packets; i++) {
      timeS += random() * 0.005;
      const direction = random() < 0.5 ? 'up' : 'down';
      yield { timeS, bytes: 40 + Math.floor(random() * 600), direction, device };
    }
  }
}

const files = process.argv.slice(2);
const open = (): Trace =>
  files.length > 0 ? openTrace(nodeSystem, files, { hours: 24 }) : busyDay();
const variants = variantNames.map((name) => variantOf(name, defaultVariantOptions));
for (const set of [...variants.map((variant) => [variant]), variants]) {
  let peakMB = 0;
  const startedMs = performance.now();
  const [first] = await simulate(open(), set, {
    onProgress: () => {
      peakMB = Math.max(peakMB, process.memoryUsage().rss / 1e6);
      return true;
    },
  });
  const tookS = (performance.now() - startedMs) / 1000;
  const packets = first!.total.packets + first!.total.dropped;
  const name = set.length === 1 ? set[0]!.name : 'all at once';
  console.log(
    `${name.padEnd(16)} ${packets} packets of 24 h in ${tookS.toFixed(1)} s, ` +
      `${Math.round(packets / tookS)} a second, at most ${peakMB.toFixed(0)} MB`,
  );
}
