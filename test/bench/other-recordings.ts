// Bench: devices named in recordings of another day, window by window and over time: other-recordings.js FOLDER, a folder a device.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMac } from '../../src/core/capture/addresses.ts';
import { CaptureError } from '../../src/core/capture/error.ts';
import { renderTable } from '../../src/core/plot/text-table.ts';
import { seededRandom } from '../../src/core/random/random.ts';
import { BURST_BIN_S } from '../../src/research/analysis/identify/burst-features.ts';
import {
  cutWindows,
  type FeatureSet,
  featureSets,
  RateSeries,
} from '../../src/research/analysis/identify/features.ts';
import {
  callSequences,
  judgedCells,
  judgedColumns,
  type LabelledSequence,
  summariseCalled,
} from '../../src/research/analysis/identify/over-time/sequences.ts';
import { openTrace } from '../../src/shell/simulation/trace.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

/** Beside the captures of each device, its hardware address. */
const MAC_FILE = '_iotdevice-mac.txt';
const FEWEST_WINDOWS = 3;
const root = process.argv[2] ?? '';

interface Recording {
  device: string;
  series: RateSeries;
  fromS: number;
  toS: number;
}

const recordings = await readAll();
const rows = [5, 10].flatMap((windowS) => featureSets.map((set) => judge(windowS, set)));
console.log(
  renderTable(
    [
      { title: 'window' },
      { title: 'features' },
      { title: 'devices', right: true },
      { title: 'recordings', right: true },
      ...judgedColumns,
    ],
    rows,
  ),
);

/** Every second recording of a device is trained on, the others are judged. */
function judge(windowS: number, features: FeatureSet): string[] {
  const [trained, unseen]: LabelledSequence[][] = [[], []];
  const met = new Map<string, number>();
  for (const { device, series, fromS, toS } of recordings) {
    const windows = cutWindows(series, { fromS, toS, windowS, sampleS: 0.5, features });
    if (windows.length < FEWEST_WINDOWS) continue;
    const place = met.get(device) ?? 0;
    met.set(device, place + 1);
    const sequence = windows.map((window) => ({ row: window.features, label: device }));
    (place % 2 === 0 ? trained : unseen)!.push(sequence);
  }
  const judged = summariseCalled(callSequences(trained!, unseen!, seededRandom(1)));
  return [
    `${windowS} s`,
    features,
    String(new Set(unseen!.map((sequence) => sequence[0]!.label)).size),
    String(unseen!.length),
    ...judgedCells(judged),
  ];
}

async function readAll(): Promise<Recording[]> {
  const all: Recording[] = [];
  for (const device of readdirSync(root).sort()) {
    const files = readdirSync(join(root, device)).sort();
    if (!files.includes(MAC_FILE)) continue;
    const mac = parseMac(readFileSync(join(root, device, MAC_FILE), 'utf8').trim());
    if (mac === null) continue;
    for (const file of files.filter((one) => one.endsWith('.pcap'))) {
      const one: Recording = {
        device,
        series: new RateSeries(BURST_BIN_S),
        fromS: Number.POSITIVE_INFINITY,
        toS: Number.NEGATIVE_INFINITY,
      };
      const quiet = { onNote: () => undefined, onDamage: () => undefined };
      try {
        const trace = openTrace(nodeSystem, [join(root, device, file)], {
          device: { mac },
          ...quiet,
        });
        for await (const packets of trace) {
          for (const packet of packets) {
            one.series.add(packet);
            one.fromS = Math.min(one.fromS, packet.timeS);
            one.toS = Math.max(one.toS, packet.timeS);
          }
        }
      } catch (error) {
        if (!(error instanceof CaptureError)) throw error;
      }
      if (one.toS > one.fromS) all.push(one);
    }
  }
  return all;
}
