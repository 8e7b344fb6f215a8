// Home and endpoint for as long as one likes, reloaded every ten seconds: what each of their processes keeps of memory and
// descriptors. Run as root after `make build`: node build/test/bench/endurance.js [MINUTES]
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HomeNetwork } from '../net/home-network.ts';
import { nodeFlags } from './node-flags.ts';

const minutes = Number(process.argv[2] || 30);
const EVERY_MS = 10_000;
const PLACES = ['router', 'endpoint'] as const;
/** Standard errors by which a slope has to lie above nothing before it is called growth, and what growth nobody minds. */
const SURE = 4;
const NO_MATTER_MB_PER_H = 0.5;
/** Rates that the reloads change between, so that each of them has something to do. */
const RATES = [40, 44];

/** All processes of one name at one place, added up: those that are replaced now and then are one line. */
interface Reading {
  atS: number;
  processes: number;
  rssKb: number;
  pssKb: number;
  descriptors: number;
}

function textOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

function kbOf(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

/** The program as it was called, without what starts it. */
function nameOf(pid: string): string {
  const words = textOf(pid, 'cmdline').split('\0');
  const role = words.find((word) => word === 'home' || word === 'endpoint');
  const name = basename(words[0] ?? '');
  return name === 'node' ? `iotshaper ${role ?? ''}`.trim() : name;
}

/** What runs for longer than a command: such a one may be seen once, and says nothing. */
const LASTING = /^(iotshaper|qjs|openvpn|socat|tc|nft|ip|dnsmasq)/;

async function look(network: HomeNetwork, all: Map<string, Reading[]>, atS: number): Promise<void> {
  for (const place of PLACES) {
    const pids = (
      await network.netns(place, ['ip', 'netns', 'pids', network.topology.names[place]])
    )
      .trim()
      .split('\n');
    const found = new Map<string, Reading>();
    for (const pid of pids) {
      const name = nameOf(pid);
      const rollup = textOf(pid, 'smaps_rollup');
      if (!LASTING.test(name) || rollup === '') continue;
      const one = found.get(name) ?? { atS, processes: 0, rssKb: 0, pssKb: 0, descriptors: 0 };
      one.processes++;
      one.rssKb += kbOf(rollup, 'Rss');
      one.pssKb += kbOf(rollup, 'Pss');
      try {
        one.descriptors += readdirSync(`/proc/${pid}/fd`).length;
      } catch {
        continue;
      }
      found.set(name, one);
    }
    for (const [name, one] of found) {
      const key = `${place} ${name}`;
      all.set(key, [...(all.get(key) ?? []), one]);
    }
  }
}

/**
 * Least squares: slope a second, and its standard error. What waits for its collector or its replacement goes up and down like a
 * saw, so one reading says much of the next: the error is that of as many readings as say something of their own.
 */
function slopeOf(points: readonly (readonly [number, number])[]): [slope: number, error: number] {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const rests = points.map(([x, y]) => y - meanY - slope * (x - meanX));
  const rest = rests.reduce((sum, one) => sum + one ** 2, 0);
  const shared = rests.slice(1).reduce((sum, one, index) => sum + one * rests[index]!, 0);
  const likeness = rest === 0 ? 0 : Math.min(0.95, Math.max(0, shared / rest));
  const fewer = (1 + likeness) / (1 - likeness);
  return [slope, Math.sqrt((fewer * rest) / (count - 2) / spread)];
}

const network = await HomeNetwork.build({ id: 'endur' });
network.nodeFlags = nodeFlags;
const all = new Map<string, Reading[]>();
let reloads = 0;
try {
  network.startEndpoint();
  network.startHome();
  await network.await('shaping');
  const startedMs = performance.now();
  const untilMs = startedMs + minutes * 60_000;
  while (performance.now() < untilMs) {
    await new Promise((later) => setTimeout(later, EVERY_MS));
    await look(network, all, (performance.now() - startedMs) / 1000);
    await network.configure([`option rate '${RATES[reloads++ % RATES.length]}'`]);
    await network.reload();
  }
} finally {
  await network.close();
}

console.log(`${minutes} minutes, ${reloads} reloads; slopes are those of the second half`);
console.log(
  `${'process'.padEnd(28)} ${'RSS MB'.padStart(14)} ${'PSS MB'.padStart(14)} ${'RSS MB/h'.padStart(16)} ${'descriptors'.padStart(12)}`,
);
let growing = 0;
for (const [name, readings] of [...all].sort(([one], [other]) => one.localeCompare(other))) {
  const half = readings.slice(readings.length >> 1);
  if (half.length < 5) continue;
  const [first, last] = [half[0]!, half.at(-1)!];
  const mb = (kb: number): string => (kb / 1000).toFixed(1);
  const [slope, error] = slopeOf(half.map(({ atS, rssKb }) => [atS, rssKb] as const));
  const [perHour, errorPerHour] = [(slope * 3600) / 1000, (error * 3600) / 1000];
  const descriptors = half.map((one) => one.descriptors);
  const grows = perHour - SURE * errorPerHour > NO_MATTER_MB_PER_H;
  if (grows) growing++;
  console.log(
    [
      name.padEnd(28),
      `${mb(first.rssKb)} → ${mb(last.rssKb)}`.padStart(14),
      `${mb(first.pssKb)} → ${mb(last.pssKb)}`.padStart(14),
      `${perHour.toFixed(1)} ± ${errorPerHour.toFixed(1)}`.padStart(16),
      `${Math.min(...descriptors)}–${Math.max(...descriptors)}`.padStart(12),
      grows ? ' GROWS' : '',
    ].join(' '),
  );
}
console.log(growing === 0 ? 'nothing grows' : `${growing} of them grow`);
process.exitCode = growing === 0 ? 0 : 1;
