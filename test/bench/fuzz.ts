// A hundred thousand bad inputs a target, each target in a thread of its own: node build/test/bench/fuzz.js [COUNT] [SEED] [TARGET]
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type FuzzCounts, fuzz } from '../fuzz/run.ts';
import { fuzzTargets } from '../fuzz/targets.ts';

/** One input may take so long: far more than any takes, far less than a person waits. */
const HANGS_MS = 30_000;
/** What is live may grow so much from half the inputs to all of them: a table filled to its bound, no more. */
const MOST_GROWTH_MIB = 4;
const MIB = 2 ** 20;

interface Job {
  name: string;
  seed: number;
  count: number;
  /** Number of the input that is under way; -1 before the first. */
  progress: Int32Array;
}

interface Figures extends FuzzCounts {
  slowestMs: number;
  slowestNumber: number;
  /** What was live after half the inputs and after all. */
  halfMib: number;
  endMib: number;
}

async function work({ name, seed, count, progress }: Job): Promise<Figures> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const liveMib = (): number => {
    collect();
    return process.memoryUsage().heapUsed / MIB + process.memoryUsage().arrayBuffers / MIB;
  };
  const target = fuzzTargets.find((one) => one.name === name)!;
  let [slowestMs, slowestNumber, halfMib] = [0, 0, 0];
  let beganMs = performance.now();
  const onInput = (number: number): void => {
    const tookMs = performance.now() - beganMs;
    if (number > 0 && tookMs > slowestMs) [slowestMs, slowestNumber] = [tookMs, number - 1];
    if (number === count >> 1) halfMib = liveMib();
    Atomics.store(progress, 0, number);
    beganMs = performance.now();
  };
  const counts = await fuzz(target, { seed, count, onInput });
  return { ...counts, slowestMs, slowestNumber, halfMib, endMib: liveMib() };
}

/** Runs a target in a thread, which is ended where one input never does. */
function watch(job: Job): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    let [seen, sinceMs] = [-2, performance.now()];
    const timer = setInterval(() => {
      const number = Atomics.load(job.progress, 0);
      if (number !== seen) [seen, sinceMs] = [number, performance.now()];
      else if (number >= 0 && performance.now() - sinceMs > HANGS_MS) {
        void worker.terminate();
        reject(
          new Error(
            `${job.name}, seed ${job.seed}, input ${number}: no end of it in ${HANGS_MS} ms`,
          ),
        );
      }
    }, 500);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(timer));
  });
}

async function main(): Promise<void> {
  const [countText, seedText, only] = process.argv.slice(2);
  const count = Number(countText || 100_000);
  const seed = Number(seedText || Math.floor(Date.now() / 1000) % 1_000_000);
  console.log(`${count} bad inputs a target; N=${count} SEED=${seed} repeats them`);
  let failed = 0;
  for (const { name } of fuzzTargets.filter((one) => !only || one.name === only)) {
    const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
    const startedMs = performance.now();
    try {
      const figures = await watch({ name, seed, count, progress });
      const { taken, refused, slowestMs, slowestNumber, halfMib, endMib } = figures;
      const grew = endMib - halfMib > MOST_GROWTH_MIB;
      if (grew) failed++;
      const seconds = (performance.now() - startedMs) / 1000;
      console.log(
        `${name.padEnd(8)} ${taken} taken, ${refused} refused; slowest ${slowestMs.toFixed(1)} ms (input ${slowestNumber}); ` +
          `live ${halfMib.toFixed(1)} → ${endMib.toFixed(1)} MiB${grew ? ': IT GROWS' : ''}; ${seconds.toFixed(0)} s`,
      );
    } catch (error) {
      failed++;
      console.log(`${name.padEnd(8)} FAILED\n${(error as Error).message}`);
    }
  }
  console.log(failed === 0 ? 'no input did more than be refused' : `${failed} targets failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

if (isMainThread) await main();
else parentPort!.postMessage(await work(workerData as Job));
