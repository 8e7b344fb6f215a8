// Reads back what a lab run left in its folder.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HomeEvent, parseEvents } from '../../../core/analysis/activity-events.ts';
import { readJson } from '../../../core/text/json.ts';
import { openCapture } from '../../../shell/capture/reader.ts';
import { nodeSystem } from '../../../shell/system/node/node-system.ts';
import { BIN_S } from '../../analysis/activity-streams.ts';
import type { RateSeries } from '../../analysis/identify/features.ts';
import { FlowTable } from '../../analysis/identify/flows.ts';
import { identifyDevices } from '../../analysis/identify/identify.ts';
import { defaultLabels } from '../../analysis/labels.ts';
import { lab } from '../bed/topology.ts';
import { LabError } from '../error.ts';
import { parseDelays } from '../traffic/delays-csv.ts';
import type { Delay } from '../traffic/traffic-log.ts';
import type { AttackInput } from './attack.ts';
import { observeHome, observeProvider, type WirePacket } from './observation.ts';
import type { LabSummary } from './summary.ts';

/** A run, with all that the provider could have recorded. */
export interface FinishedRun {
  folder: string;
  summary: LabSummary;
  /** All of the line, tunnel or not. */
  line: { up: WirePacket[]; down: WirePacket[] };
  events: HomeEvent[];
  /** Every message's way. */
  messages: Delay[];
  attack: AttackInput;
}

/**
 * Reads a run's summary, captures and events.
 * @throws {LabError} where the folder holds no run
 * @throws CaptureError
 */
export async function readRunFolder(folder: string): Promise<FinishedRun> {
  const summary = await readSummary(folder);
  const { startS, seconds, tunnelPort, seed } = summary;
  const provider = join(folder, 'provider.pcap');
  const endS = startS + seconds;
  const line = (await observeProvider(openCapture(nodeSystem, provider), { tunnelPort: null }))
    .data;
  const wire =
    tunnelPort === null
      ? line
      : (await observeProvider(openCapture(nodeSystem, provider), { tunnelPort })).data;
  const events = await readEvents(folder);
  const delays = join(folder, 'delays.csv');
  return {
    folder,
    summary,
    line,
    events,
    messages: parseDelays(await readFile(delays, 'utf8'), delays),
    attack: {
      startS,
      endS,
      wire,
      streams: tunnelPort === null ? await readStreams(provider, startS, endS) : null,
      dnsNames: Object.keys(summary.dnsNamesInClear),
      home: await observeHome(openCapture(nodeSystem, join(folder, 'device.pcap'))),
      events,
      seed,
    },
  };
}

/** @throws {LabError} where the folder holds no run */
export async function readSummary(folder: string): Promise<LabSummary> {
  const path = join(folder, 'summary.json');
  try {
    const summary = readJson(await readFile(path, 'utf8')) as LabSummary;
    if (typeof summary.startS === 'number') return summary;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
  }
  throw new LabError(`${path}: is not the summary of a lab run; give a folder of lab run --out`);
}

async function readEvents(folder: string): Promise<HomeEvent[]> {
  const path = join(folder, 'events.csv');
  const text = await readFile(path, 'utf8');
  // A replay knows of no events.
  return text.trimEnd().includes('\n') ? parseEvents(text, path) : [];
}

/** Streams by remote end, joined where the names looked up say they are one device's. */
async function readStreams(
  provider: string,
  startS: number,
  endS: number,
): Promise<Map<string, RateSeries>> {
  const table = new FlowTable(BIN_S, [lab.homeAddress]);
  for await (const packet of openCapture(nodeSystem, provider)) {
    if (packet.timeS < endS) table.add(packet);
  }
  const capture = { file: provider, fromS: startS, toS: endS, streams: table.streams('wan') };
  const streams = new Map<string, RateSeries>();
  for (const { label, stretches } of identifyDevices([capture], defaultLabels(), null)) {
    for (const { series } of stretches) {
      const known = streams.get(label);
      if (known) known.addSeries(series);
      else streams.set(label, series);
    }
  }
  return streams;
}
