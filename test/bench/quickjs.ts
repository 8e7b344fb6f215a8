// Evaluation: a home on QuickJS beside one on Node.js, at the same time: what the provider sees, what it costs.
// Run as root: IOTSHAPER_HOME='QJS PROGRAM' node build/test/bench/quickjs.js [SECONDS] [RATE …]
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseStat, processTimes } from '../../src/research/lab/bed/processor-time.ts';
import { HomeNetwork } from '../net/home-network.ts';
import { intervalsMs, packetsPerS, readWire, sizes } from '../net/wire.ts';
import { addMemory, readMemory } from './process-memory.ts';
import { timeStart } from './wire-cost/start.ts';

const [seconds = 60, ...asked] = process.argv.slice(2).map(Number);
const rates = asked.length > 0 ? asked : [40, 100];
const onQuickjs = process.env.IOTSHAPER_HOME?.split(' ');
if (!onQuickjs) throw new Error('say in IOTSHAPER_HOME what runs the home: qjs and its program');

interface Home {
  name: string;
  network: HomeNetwork;
}

/** Processes of the service itself: its threads, where they are processes. */
function ownPids(pid: number): number[] {
  const exe = readlinkSync(`/proc/${pid}/exe`);
  const isOwn = (one: number): boolean => {
    try {
      const { parent } = parseStat(readFileSync(`/proc/${one}/stat`, 'latin1'));
      return parent === pid && readlinkSync(`/proc/${one}/exe`) === exe;
    } catch {
      return false; // it ended
    }
  };
  return [pid, ...readdirSync('/proc').map(Number).filter(isOwn)];
}

function describe(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number): string => sorted[Math.floor(share * sorted.length)]!.toFixed(2);
  return `${mean.toFixed(3)} ± ${Math.sqrt(variance).toFixed(3)} ms (1 % ${at(0.01)}, 99 % ${at(0.99)}, longest ${sorted.at(-1)!.toFixed(1)})`;
}

async function begin(name: string, id: string, command?: readonly string[]): Promise<Home> {
  const network = await HomeNetwork.build({ id });
  network.otherHome = command;
  network.startEndpoint();
  await network.logged('endpoint', /Initialization Sequence Completed/);
  await network.startCloud();
  const { answersMs, shapesMs } = await timeStart(network);
  console.log(
    `${name}: answers after ${answersMs.toFixed(0)} ms, shapes after ${shapesMs.toFixed(0)} ms`,
  );
  return { name, network };
}

async function measure({ name, network }: Home, rate: number, busy: boolean): Promise<void> {
  const pid = network.services.get('home')!.pid!;
  const talking = busy ? network.startDevice('chatter') : null;
  const stop = await network.capture(`${rate}-${busy}.pcap`);
  const before = await processTimes(pid);
  const startMs = performance.now();
  await new Promise((wait) => setTimeout(wait, seconds * 1000));
  const after = await processTimes(pid);
  const minutes = (performance.now() - startMs) / 60_000;
  const { up, outside } = await readWire(await stop());
  talking?.kill();
  const own = new Set(ownPids(pid));
  let [service, others] = [0, 0];
  for (const [one, spent] of after) {
    const used = spent - (before.get(one) ?? 0);
    if (own.has(one)) service += used;
    else others += used;
  }
  const { residentMB, proportionalMB } = [...own].map(readMemory).reduce(addMemory);
  console.log(
    [
      `${name.padEnd(8)}${rate} KB/s, devices ${busy ? 'talk' : 'rest'}: intervals up ${describe(intervalsMs(up))}`,
      `  ${packetsPerS(up).toFixed(2)} packets/s of ${((rate * 1000) / 512).toFixed(2)}, sizes ${sizes(up)}, beside the tunnel ${outside.length}`,
      `  CPU s a minute: service ${(service / minutes).toFixed(2)} (with commands it ran), OpenVPN, socat, tc, nft ${(others / minutes).toFixed(2)}; memory ${residentMB.toFixed(1)} MB resident, ${proportionalMB.toFixed(1)} proportional in ${own.size} processes`,
    ].join('\n'),
  );
}

const homes: Home[] = [];
try {
  homes.push(await begin('Node.js', 'qjn'), await begin('QuickJS', 'qjq', onQuickjs));
  for (const rate of rates) {
    for (const { network } of homes) {
      await network.configure([`option rate '${rate}'`]);
      await network.reread();
    }
    for (const busy of [false, true]) {
      await Promise.all(homes.map((home) => measure(home, rate, busy)));
      console.log(
        `  load ${loadavg()
          .map((load) => load.toFixed(1))
          .join(' ')}`,
      );
    }
  }
} finally {
  for (const { network } of homes) {
    await network.stop('home');
    await network.close();
  }
}
process.exit(0);
