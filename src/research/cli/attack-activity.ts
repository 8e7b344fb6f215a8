// `iotshaper attack activity`: when something happened at home, from a capture of its encrypted traffic.
import { join } from 'node:path';
import type { Command } from 'commander';
import { alignEvents, type HomeEvent, parseEvents } from '../../core/analysis/activity-events.ts';
import { isTraceName, openSamples } from '../../shell/capture/csv.ts';
import { CaptureError, openCapture } from '../../shell/capture/reader.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, usageFailure } from '../../shell/cli/failure.ts';
import { numberBetween, parseList, parseSeed } from '../../shell/cli/number-options.ts';
import { readTextFile } from '../../shell/cli/text-file.ts';
import { renderJson } from '../../shell/cli/tools/json.ts';
import type { System } from '../../shell/system/system.ts';
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
import { defaultLabels, type Labels, parseLabels } from '../analysis/labels.ts';

interface Options {
  events?: string;
  tolerance: number;
  leaveOut?: string[];
  gap: number;
  contrast: number;
  background: number;
  device?: string[];
  labels?: string;
  home?: string[];
  view: string;
  seed: number;
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
export function registerAttackActivity(attack: Command, context: Context): void {
  attack
    .command('activity')
    .description('find when devices were used, from changes of their rates')
    .argument('<file>', 'capture (pcap, pcapng; - for the standard input) or trace (.csv)')
    .option(
      '--events <file>',
      'what really happened: lines of time,device,event or a Markdown table',
    )
    .option(
      '--tolerance <seconds>',
      'how far off a finding may be',
      numberBetween(0.01, 3600, 's'),
      5,
    )
    .option(
      '--leave-out <from-to>',
      'stretches in which nobody noted what happened, seconds since the capture began, with commas',
      parseList,
    )
    .option(
      '--gap <seconds>',
      'a burst ends after so long at the background rate',
      numberBetween(0.25, 3600, 's'),
      1.5,
    )
    .option(
      '--contrast <n>',
      'median absolute deviations above the background that stand out',
      numberBetween(0, 1000),
      4,
    )
    .option(
      '--background <seconds>',
      'stretch around each moment that is its background',
      numberBetween(5, 86_400, 's'),
      120,
    )
    .option(
      '--device <addresses>',
      'only these streams: MAC, address, or label, with commas',
      parseList,
    )
    .option('--labels <file>', 'who is who: lines of kind,value,label (see attack identify)')
    .option(
      '--home <addresses>',
      "the home's public addresses, with commas, where the capture is from outside it",
      parseList,
    )
    .option(
      '--view <view>',
      'lan: tell devices by their address; wan: by remote address; auto',
      'auto',
    )
    .option('--seed <n>', 'seed of the resampling', parseSeed, 1)
    .option('--json', 'print all figures as JSON')
    .option('--out <directory>', 'write figures, findings and a plot there')
    .action((file: string, options: Options) => runAttack(context, file, options));
}

async function runAttack(
  { system, console }: Context,
  file: string,
  options: Options,
): Promise<void> {
  const parameters = {
    toleranceS: options.tolerance,
    gapS: options.gap,
    contrast: options.contrast,
    backgroundS: options.background,
    seed: options.seed,
  };
  const stretches = (options.leaveOut ?? []).map(readStretch);
  const labels = options.labels
    ? parseLabels(
        await readTextFile(system, '--labels', options.labels),
        options.labels,
        defaultLabels(),
      )
    : defaultLabels();
  const { streams, startS, endS, view, warnings } = isTraceName(file)
    ? await observeTrace(system, file)
    : await observeCapture(system, file, options, labels);
  for (const warning of warnings) console.writeError(`warning: ${warning}\n`);
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
      parseEvents(await readTextFile(system, '--events', options.events), options.events),
      startS,
    );
  }
  const leftOut = stretches.map(({ fromS, toS }) => ({ fromS: startS + fromS, toS: startS + toS }));
  const report = attackActivity(chosen, { startS, endS }, events, { ...parameters, leftOut });
  const json = renderJson({ file, view, ...parameters, ...toJson(report) });
  if (options.out) {
    await system.files.makeFolder(options.out);
    await system.files.write(join(options.out, 'activity.json'), json);
    await system.files.write(join(options.out, 'activity.csv'), renderFindingsCsv(report));
    await system.files.write(join(options.out, 'activity.svg'), plotActivity(report));
  }
  console.write(options.json ? json : renderActivity(report));
}

async function observeCapture(
  system: System,
  file: string,
  options: Options,
  labels: Labels,
): Promise<Observation> {
  const table = new FlowTable(BIN_S, options.home);
  const warnings: string[] = [];
  const notes = { warn: (message: string) => warnings.push(message) };
  try {
    for await (const packet of openCapture(system, file, notes)) table.add(packet);
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
async function observeTrace(system: System, file: string): Promise<Observation> {
  const series = new RateSeries(BIN_S);
  const warnings: string[] = [];
  const notes = { warn: (message: string) => warnings.push(message) };
  let startS = Number.POSITIVE_INFINITY;
  let endS = Number.NEGATIVE_INFINITY;
  for await (const sample of openSamples(system, file, notes)) {
    series.add(sample);
    startS = Math.min(startS, sample.timeS);
    endS = Math.max(endS, sample.timeS);
  }
  const streams = startS > endS ? [] : [{ key: file, label: file, series: [series] }];
  return { streams, startS, endS, view: 'lan', warnings };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function readView(text: string): View | null {
  if (text === 'auto') return null;
  if (text !== 'lan' && text !== 'wan') {
    throw usageFailure(`--view is "${text}", expected lan, wan or auto`);
  }
  return text;
}

/** Seconds since the capture began. */
function readStretch(text: string): Stretch {
  const [fromS, toS] = text.split('-').map(Number);
  if (!/^[\d.]+-[\d.]+$/.test(text) || !(fromS! < toS!)) {
    throw usageFailure(`--leave-out is "${text}", expected two seconds, FROM-TO`);
  }
  return { fromS: fromS!, toS: toS! };
}
