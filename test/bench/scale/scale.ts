// How far one endpoint goes: the real service with so many homes at such a rate, beside a tunnel of as many packets without shaping.
// Prints a table; writes it with a plot to a folder.
// As root, after `make build`: node build/test/bench/scale/scale.js [HOMES] [RATES] [SECONDS] [FOLDER] [shaped,plain]
import { mkdir, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { slotMs, slotsPerSecond } from '../../../src/core/stream/stream.ts';
import { meanOf, sdOf } from '../../moments.ts';
import type { Memory } from '../process-memory.ts';
import { Bed, FIRST_HOST, OBSERVED, type Row } from './bed.ts';
import { plotScale, renderScale } from './report.ts';
import { memoryIn, parts, readBusy, readSpent, readWhole, type Spent } from './spent.ts';

const [homesText = '1 10 50', ratesText = '5 40', secondsText = '20'] = process.argv.slice(2);
const [, , , , , folder = 'out/scale', kindsText = 'shaped,plain'] = process.argv;
const seconds = Number(secondsText);
const PACKET_BYTES = 512;
const SD_SHARE = 0.3;
/** What is served settles for so long. */
const SETTLE_MS = 6000;
/** So long homes have to be served, on a machine that others keep busy. */
const SERVED_MS = { least: 40_000, each: 150 };
/** Longer than any interval drawn: the machine stood still. */
const STALL_MEANS = 3;

/** What was measured of a row. */
export interface Measured extends Row {
  /** Seconds a minute. */
  cpu: Spent;
  /** The same of all homes' OpenVPNs and of what speaks for them, which shared these cores. */
  homesCpu: number;
  memory: Record<'service' | 'openvpn', Memory>;
  /** Shares of the slots asked for that came on the wire, of homes that were served. */
  down: { least: number; median: number };
  /** What the homes sent up, and what of it came out of the endpoint's OpenVPN, as shares of what they ought to. */
  up: { sent: number; came: number };
  /** Of the observed home's intervals, ms; without those longer than three means, which are counted. */
  intervals: { meanMs: number; sdMs: number; askedSdMs: number; stalls: number };
  /** Homes that were served; from a home's tunnel to its tenth slot, s; and from the first tunnel until the last home has its tenth. */
  served: { homes: number; medianS: number; longestS: number; allS: number };
  /** Of the machine. */
  busyShare: number;
  load: number;
}

const list = (text: string): number[] => text.split(/[ ,]+/).filter(Boolean).map(Number);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function intervalsOf(times: readonly number[], rateKBps: number): Measured['intervals'] {
  const meanMs = slotMs(rateKBps, PACKET_BYTES);
  const all = times.slice(1).map((time, at) => time - times[at]!);
  const kept = all.filter((one) => one <= STALL_MEANS * meanMs);
  return {
    meanMs: meanOf(kept),
    sdMs: sdOf(kept),
    askedSdMs: meanMs * SD_SHARE,
    stalls: all.length - kept.length,
  };
}

async function measure(bed: Bed, row: Row): Promise<Measured> {
  await bed.startEndpoint(row);
  if (row.isShaped) await bed.keepOpenVpn();
  const limitMs = SERVED_MS.least + row.homes * SERVED_MS.each;
  const served = await bed.startHomes(row, limitMs);
  await bed.shed();
  await pause(SETTLE_MS);

  const { endpointNamespace, homesNamespace } = bed;
  const known = { service: bed.service?.pid, generator: bed.generator?.pid };
  const finish = await bed.observe();
  const counted = await Promise.all([bed.came(), bed.cameUp(), bed.counts()]);
  const wholeBefore = await readWhole(homesNamespace);
  const [spent, busy, fromMs] = [await readSpent(endpointNamespace, known), readBusy(), Date.now()];
  await pause(seconds * 1000);
  const after = await readSpent(endpointNamespace, known);
  const [busyAfter, lasted] = [readBusy(), (Date.now() - fromMs) / 1000];
  const countedAfter = await Promise.all([bed.came(), bed.cameUp(), bed.counts()]);
  const homesCpu = (((await readWhole(homesNamespace)) - wholeBefore) / lasted) * 60;
  const times = await finish();
  const memory = await memoryIn(endpointNamespace, known.service);
  const load = loadavg()[0]!;

  const asked = slotsPerSecond({ ...row, packetBytes: PACKET_BYTES }) * lasted;
  const there = served.servedMs.flatMap((servedMs, at) =>
    servedMs === null
      ? []
      : [{ host: at + FIRST_HOST, connectedMs: served.connectedMs[at]!, servedMs }],
  );
  const cameFor = (host: number): number =>
    (countedAfter[0].get(host) ?? 0) - (counted[0].get(host) ?? 0);
  const shares = there.map(({ host }) => cameFor(host) / asked);
  const waits = there.map(({ servedMs, connectedMs }) => (servedMs - connectedMs) / 1000);
  const cpu = Object.fromEntries(
    parts.map((part) => [part, ((after[part] - spent[part]) / lasted) * 60]),
  ) as Spent;
  const firstMs = Math.min(...there.map(({ connectedMs }) => connectedMs));
  return {
    ...row,
    ...{ cpu, homesCpu, memory, load },
    down: { least: Math.min(...shares), median: median(shares) },
    up: {
      sent: (countedAfter[2].sent - counted[2].sent) / asked / row.homes,
      came: (countedAfter[1] - counted[1]) / asked / row.homes,
    },
    intervals: intervalsOf(times, row.rateKBps),
    served: {
      homes: there.length,
      ...{ medianS: median(waits), longestS: Math.max(...waits) },
      allS: (Math.max(...there.map(({ servedMs }) => servedMs)) - firstMs) / 1000,
    },
    busyShare: (busyAfter.busy - busy.busy) / (busyAfter.all - busy.all),
  };
}

const kinds = kindsText.split(',');
const measured: Measured[] = [];
await mkdir(folder, { recursive: true });
const bed = await Bed.build();
try {
  for (const homes of list(homesText)) {
    await bed.addHomes(homes);
    for (const rateKBps of list(ratesText)) {
      // What a tunnel without shaping is told is what the service told its own.
      for (const isShaped of [true, false]) {
        if (!kinds.includes(isShaped ? 'shaped' : 'plain')) continue;
        const row = { homes, rateKBps, isShaped };
        try {
          measured.push(await measure(bed, row));
        } catch (error) {
          console.error(`${JSON.stringify(row)}: ${(error as Error).stack}\n${bed.log}`);
        }
        await bed.clear();
        const log = `${isShaped ? 'shaped' : 'plain'}-${rateKBps}-${homes}.log`;
        await writeFile(join(folder, log), bed.log);
        const [last] = measured.slice(-1);
        if (last) process.stderr.write(`${JSON.stringify(last)}\n`);
      }
    }
  }
} finally {
  await bed.close();
}
await writeFile(join(folder, 'scale.json'), `${JSON.stringify(measured, null, 2)}\n`);
await writeFile(join(folder, 'scale.svg'), plotScale(measured));
const text = renderScale(measured);
await writeFile(join(folder, 'scale.txt'), text);
console.log(text);
console.log(
  `intervals are those of the home at .${OBSERVED}; ${join(folder, 'scale.svg')} has the plot`,
);
