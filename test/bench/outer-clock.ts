// Evaluation: what a busy router's line shows with the clock behind OpenVPN and, beside it in the same minute, without.
// Run as root after `make build`: node build/test/bench/outer-clock.js [SECONDS]

import { cpus } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HomeNetwork } from '../net/home-network.ts';
import { intervalsMs, packetsPerS, readWire, type Wire } from '../net/wire.ts';

const seconds = Number(process.argv[2] ?? 60);
const PACKET_BYTES = 512;
/** The cores are busy for so long, then idle for as long. */
const BUSY_MS = 2000;
const CASES = [
  { rateKBps: 40, mode: 'vit' },
  { rateKBps: 100, mode: 'vit' },
  { rateKBps: 400, mode: 'vit' },
  { rateKBps: 40, mode: 'constant' },
] as const;

/** Keeps a core busy for {@link BUSY_MS} in twice as long. */
const LOAD = `
  const busyMs = ${BUSY_MS};
  for (;;) {
    while (Date.now() % (2 * busyMs) < busyMs);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * busyMs - (Date.now() % (2 * busyMs)));
  }`;

function sdOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Longer than any interval that is drawn: the whole machine stood still, whatever the clocks. */
const STALL_MEANS = 3;

function describe(name: string, packets: Wire['up'], meanMs: number, askedMs: number): string {
  const all = intervalsMs(packets).map((ms, index) => ({
    ms,
    atMs: packets[index + 1]!.timeS * 1000,
  }));
  const drawn = all.filter(({ ms }) => ms < STALL_MEANS * meanMs);
  const sdUs = (some: readonly { ms: number }[]): string =>
    `${(1000 * sdOf(some.map(({ ms }) => ms))).toFixed(0)}`.padStart(6);
  const isBusy = ({ atMs }: { atMs: number }): boolean => atMs % (2 * BUSY_MS) < BUSY_MS;
  const short = drawn.filter(({ ms }) => ms < meanMs / 10).length / all.length;
  return [
    `  ${name.padEnd(11)} sd ${sdUs(drawn)} µs (asked ${(1000 * askedMs).toFixed(0)})`,
    `idle ${sdUs(drawn.filter((one) => !isBusy(one)))}, busy ${sdUs(drawn.filter(isBusy))}`,
    `${(100 * short).toFixed(2)} % under a tenth of the mean`,
    `${all.length - drawn.length} stalls, the longest ${Math.max(...all.map(({ ms }) => ms)).toFixed(0)} ms`,
    `${packetsPerS(packets).toFixed(2)} packets/s`,
  ].join('; ');
}

for (const { rateKBps, mode } of CASES) {
  const networks = new Map<string, HomeNetwork>();
  const workers: Worker[] = [];
  try {
    for (const name of ['one clock', 'two clocks']) {
      const network = await HomeNetwork.build({
        id: name.slice(0, 2) === 'on' ? 'clk1' : 'clk2',
        main: [`option rate '${rateKBps}'`, `option mode '${mode}'`],
      });
      networks.set(name, network);
      if (name === 'one clock') {
        // What takes the hook that leads to the second clock.
        await network.netns('router', ['tc', 'qdisc', 'add', 'dev', 'wan', 'ingress']);
      }
      network.startEndpoint();
      network.startHome();
    }
    for (const network of networks.values()) await network.await('shaping');
    for (let core = 0; core < cpus().length; core++) workers.push(new Worker(LOAD, { eval: true }));
    await new Promise((done) => setTimeout(done, 5000)); // clocks settle
    const stops = new Map<string, () => Promise<string>>();
    for (const [name, network] of networks)
      stops.set(name, await network.capture(`${rateKBps}.pcap`));
    await new Promise((done) => setTimeout(done, seconds * 1000));
    const meanMs = PACKET_BYTES / rateKBps;
    console.log(`${mode} at ${rateKBps} KB/s, ${seconds} s`);
    for (const [name, stop] of stops) {
      const { up } = await readWire(await stop());
      console.log(describe(name, up, meanMs, mode === 'vit' ? 0.3 * meanMs : 0));
    }
    for (const [name, network] of networks) {
      const status = await network.status();
      console.log(
        `  ${name.padEnd(11)} is ${status?.state}; ${status?.config.warnings.join('; ') ?? ''}`,
      );
    }
  } finally {
    for (const worker of workers) await worker.terminate();
    for (const network of networks.values()) await network.close();
  }
}
