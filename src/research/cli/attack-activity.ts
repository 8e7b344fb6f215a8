// `iotshaper attack activity`: when something happened at home, from a capture of its encrypted traffic.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  alignEvents,
  EventsError,
  type HomeEvent,
  parseEvents,
} from '../../core/analysis/activity-events.ts';
import { CsvError, openSamples } from '../../shell/capture/csv.ts';
import { CaptureError, openCapture } from '../../shell/capture/reader.ts';
import { Failure } from '../../shell/cli/failure.ts';
import { readTextFile } from '../../shell/cli/text-file.ts';
import { nodeSystem } from '../../shell/system/node/node-system.ts';
import {
  plotActivity,
  renderActivity,
  renderFindingsCsv,
  toJson,
} from '../analysis/activity-report.ts';
import type { Stretch } from '../analysis/activity-score.ts';
import { attackActivity, BIN_S, type ObservedStream } from '../analysis/activity-streams.ts';
import { RateSeries } from '../analysis/identify/features.ts';
import { FlowTable, type View } from '../analysis/identify/flows.ts';
import { identifyDevices } from '../analysis/identify/identify.ts';
import { loadVendors } from '../analysis/identify/vendors.ts';
import { defaultLabels, LabelError, type Labels, parseLabels } from '../analysis/labels.ts';

interface Options {
  events?: string;
  tolerance: string;
  leaveOut?: string[];
  gap: string;
  contrast: string;
  background: string;
  device?: string[];
  labels?: string;
  home?: string[];
  view: string;
  seed: string;
  json?: boolean;
  out?: string;
}

interface Observation {
  streams: ObservedStream[];
  startS: number;
  endS: number;
  view: View;
  warnings: string[];
}

/** Adds `activity` to the command `attack`. */
export function registerAttackActivity(attack: Command): void {
  attack
    .command('activity')
    .description('find when devices were used, from changes of their rates')
    .argument('<file>', 'capture (pcap, pcapng; - for the standard input) or trace (.csv)')
    .option(
      '--events <file>',
      'what really happened: lines of time,device,event or a Markdown table',
    )
    .option('--tolerance <seconds>', 'how far off a finding may be', '5')
    .option(
      '--leave-out <from-to...>',
      'stretches in which nobody noted what happened, seconds since the capture began',
    )
    .option('--gap <seconds>', 'a burst ends after so long at the background rate', '1.5')
    .option('--contrast <n>', 'median absolute deviations above the background that stand out', '4')
    .option('--background <seconds>', 'stretch around each moment that is its background', '120')
    .option('--device <address...>', 'only these streams: MAC, address, or label')
    .option('--labels <file>', 'who is who: lines of kind,value,label (see attack identify)')
    .option(
      '--home <address...>',
      "the home's public addresses, where the capture is from outside it",
    )
    .option(
      '--view <view>',
      'lan: tell devices by their address; wan: by remote address; auto',
      'auto',
    )
    .option('--seed <n>', 'seed of the resampling', '1')
    .option('--json', 'print all figures as JSON')
    .option('--out <directory>', 'write figures, findings and a plot there')
    .action(async (file: string, options: Options) => {
      try {
        await runAttack(file, options);
      } catch (error) {
        const known = [EventsError, LabelError, CaptureError, CsvError];
        if (!known.some((kind) => error instanceof kind)) throw error;
        throw new Failure((error as Error).message);
      }
    });
}

async function runAttack(file: string, options: Options): Promise<void> {
  const parameters = {
    toleranceS: readNumber('--tolerance', options.tolerance, 0.01, 3600),
    gapS: readNumber('--gap', options.gap, 0.25, 3600),
    contrast: readNumber('--contrast', options.contrast, 0, 1000),
    backgroundS: readNumber('--background', options.background, 5, 86_400),
    seed: readNumber('--seed', options.seed, 0, 2 ** 31),
  };
  const stretches = (options.leaveOut ?? []).map(readStretch);
  const labels = options.labels
    ? parseLabels(await readTextFile('--labels', options.labels), options.labels, defaultLabels())
    : defaultLabels();
  const { streams, startS, endS, view, warnings } = file.endsWith('.csv')
    ? await observeTrace(file)
    : await observeCapture(file, options, labels);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const chosen = options.device
    ? streams.filter(({ key, label }) =>
        options.device!.some((one) => same(one, key) || same(one, label)),
      )
    : streams;
  if (chosen.length === 0) {
    const which = options.device ? `of ${options.device.join(', ')} ` : '';
    throw new Failure(`${file}: no traffic ${which}with the Internet in there`);
  }
  let events: HomeEvent[] | null = null;
  if (options.events) {
    events = alignEvents(
      parseEvents(await readTextFile('--events', options.events), options.events),
      startS,
    );
  }
  const leftOut = stretches.map(({ fromS, toS }) => ({ fromS: startS + fromS, toS: startS + toS }));
  const report = attackActivity(chosen, { startS, endS }, events, { ...parameters, leftOut });
  const json = `${JSON.stringify({ file, view, ...parameters, ...toJson(report) }, null, 2)}\n`;
  if (options.out) {
    await mkdir(options.out, { recursive: true });
    await writeFile(join(options.out, 'activity.json'), json);
    await writeFile(join(options.out, 'activity.csv'), renderFindingsCsv(report));
    await writeFile(join(options.out, 'activity.svg'), plotActivity(report));
  }
  process.stdout.write(options.json ? json : renderActivity(report));
}

async function observeCapture(
  file: string,
  options: Options,
  labels: Labels,
): Promise<Observation> {
  const table = new FlowTable(BIN_S, options.home);
  const warnings: string[] = [];
  try {
    for await (const packet of openCapture(nodeSystem, file)) table.add(packet);
  } catch (error) {
    if (!(error instanceof CaptureError) || table.packets === 0) throw error;
    warnings.push(`${error.message}; the ${table.packets} packets before it are used`);
  }
  const view = readView(options.view) ?? table.guessView();
  const capture = { file, fromS: table.firstS, toS: table.lastS, streams: table.streams(view) };
  const devices = identifyDevices([capture], labels, await loadVendors());
  const streams = devices.map(({ key, label, stretches }) => ({
    key,
    label,
    series: stretches.map(({ series }) => series),
  }));
  return { streams, startS: table.firstS, endS: table.lastS, view, warnings };
}

/** A CSV trace is one device's. */
async function observeTrace(file: string): Promise<Observation> {
  const series = new RateSeries(BIN_S);
  let startS = Number.POSITIVE_INFINITY;
  let endS = Number.NEGATIVE_INFINITY;
  for await (const sample of openSamples(nodeSystem, file)) {
    series.add(sample);
    startS = Math.min(startS, sample.timeS);
    endS = Math.max(endS, sample.timeS);
  }
  const streams = startS > endS ? [] : [{ key: file, label: file, series: [series] }];
  return { streams, startS, endS, view: 'lan', warnings: [] };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function readView(text: string): View | null {
  if (text === 'auto') return null;
  if (text !== 'lan' && text !== 'wan') {
    throw new Failure(`--view is "${text}", expected lan, wan or auto`);
  }
  return text;
}

function readNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new Failure(`${option} is "${text}", expected a number from ${least} to ${most}`);
  }
  return value;
}

/** Seconds since the capture began. */
function readStretch(text: string): Stretch {
  const [fromS, toS] = text.split('-').map(Number);
  if (!/^[\d.]+-[\d.]+$/.test(text) || !(fromS! < toS!)) {
    throw new Failure(`--leave-out is "${text}", expected two seconds, FROM-TO`);
  }
  return { fromS: fromS!, toS: toS! };
}
