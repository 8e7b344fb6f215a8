// Evaluation: what the provider's line shows of the running datapath, each figure beside its null.
// Run as root after `make build`: node build/test/bench/wire.js [SECONDS] [FOLDER]
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type FinishedRun, readRunFolder } from '../../src/research/lab/findings/run-folder.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { intervalsMs, packetsPerS, readWire, sizes } from '../net/wire.ts';

const seconds = Number(process.argv[2] ?? 300);
const root = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'iotshaper-wire-'));
const PROGRAM = resolve('dist/iotshaper.js');
const VARIANTS = ['vit', 'placebo', 'constant', 'paper'] as const;
/** Farther from the rate asked than this is no matter of a busy machine. */
const BROKEN_PERCENT = 25;
const CHANGES = 5;

const broken: string[] = [];

/** Runs `iotshaper lab …`, which prints for itself. */
async function lab(...words: string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, 'lab', ...words], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const status = await new Promise((done) => child.once('close', done));
  if (status !== 0) throw new Error(`iotshaper lab ${words.join(' ')}: ended with ${status}`);
}

async function live(variant: string): Promise<FinishedRun> {
  const out = join(root, variant);
  const words = ['--variant', variant, '--seconds', `${seconds}`, '--seed', '1', '--out', out];
  await lab('run', ...words, '--id', `w${variant.slice(0, 4)}`);
  return readRunFolder(out);
}

/** The rate asked and got, and intervals while devices rest (the null) and while they are active. */
function describe(variant: string, { summary }: FinishedRun): void {
  for (const way of ['up', 'down'] as const) {
    const { offPercent, intervals, sizes } = summary[way];
    const [idle, active] = [intervals.idle, intervals.active].map(
      ({ meanMs, sdMs }) => `${meanMs.toFixed(2)} ± ${sdMs.toFixed(2)} ms`,
    );
    const told = intervals.idleAgainstActive;
    const kinds = Object.keys(sizes).length;
    console.log(
      `${variant.padEnd(10)}${way.padEnd(6)}sizes: ${kinds}, rate off ${offPercent?.toFixed(2) ?? '–'} %, intervals idle ${idle}, active ${active}${told ? `, so far apart by chance with p ${told.pValue.toPrecision(2)}` : ''}`,
    );
    if (variant !== 'paper' && kinds !== 1) broken.push(`${variant} ${way}: ${kinds} sizes`);
    if (Math.abs(offPercent ?? 0) > BROKEN_PERCENT)
      broken.push(`${variant} ${way}: the rate is off by ${offPercent!.toFixed(0)} %`);
  }
  const outside = summary.outsideTunnel?.packets ?? 0;
  if (outside > 0) broken.push(`${variant}: ${outside} packets beside the tunnel`);
}

/** The longest interval while the rate changes, beside the longest of as long a stretch in which nothing does. */
async function measureRateChanges(): Promise<void> {
  const network = await HomeNetwork.build({ id: 'wire' });
  try {
    network.startEndpoint();
    network.startHome();
    await network.startCloud();
    await network.await('shaping');
    network.startDevice('chatter');
    for (let change = 0; change < CHANGES; change++) {
      const rate = change % 2 === 0 ? 80 : 40;
      const longest: Record<string, string> = {};
      for (const what of ['null', 'change'] as const) {
        const stop = await network.capture(`${what}.pcap`);
        const talk = network.device('download');
        if (what === 'change') {
          await network.configure([`option rate '${rate}'`]);
          await network.reload();
        }
        await talk;
        const { up, down } = await readWire(await stop());
        longest[what] = [up, down]
          .map((way) => `${Math.max(...intervalsMs(way)).toFixed(1)} ms`)
          .join(', ');
        if (what === 'null') continue;
        for (const way of [up, down]) {
          if (sizes(way).length !== 1) broken.push(`a change to ${rate} KB/s showed in sizes`);
        }
        const share = packetsPerS(up.slice(-100)) / ((rate * 1000) / 512);
        longest.share = `${(100 * share).toFixed(0)} %`;
      }
      console.log(
        `to ${rate} KB/s: longest interval up, down ${longest.change}; with no change ${longest.null}; then ${longest.share} of the rate asked`,
      );
    }
  } finally {
    await network.close();
  }
}

console.log(`${seconds} s of each, one after the other; captures in ${root}\n`);
for (const variant of VARIANTS) describe(variant, await live(variant));
console.log('\nThe strongest observer; the placebo’s devices never talk through the tunnel:\n');
await lab('observe', ...['vit', 'placebo', 'constant'].map((variant) => join(root, variant)));
console.log();
await measureRateChanges();
for (const what of broken) console.error(`BROKEN: ${what}`);
process.exit(broken.length > 0 ? 1 : 0);
