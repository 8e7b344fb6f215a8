// `iotshaper attack activity`: when something happened at home, from a capture of its encrypted traffic.
import { join } from 'node:path';
import type { Command } from 'commander';
import { alignEvents, type HomeEvent, parseEvents } from '../../core/analysis/activity-events.ts';
import { renderJson } from '../../core/text/json.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, usageFailure } from '../../shell/cli/failure.ts';
import { numberBetween, parseList, parseSeed } from '../../shell/cli/number-options.ts';
import { readTextFile } from '../../shell/cli/text-file.ts';
import type { System } from '../../shell/system/system.ts';
import {
  plotActivity,
  renderActivity,
  renderFindingsCsv,
  toJson,
} from '../analysis/activity-report.ts';
import type { Stretch } from '../analysis/activity-score.ts';
import { attackActivity, BIN_S, type ObservedStream } from '../analysis/activity-streams.ts';
import type { View } from '../analysis/identify/flows.ts';
import { identifyDevices } from '../analysis/identify/identify.ts';
import { loadVendors } from '../analysis/identify/vendors.ts';
import type { Labels } from '../analysis/labels.ts';
import { observeFiles } from '../capture/observed.ts';
import type { ColumnChoice } from '../capture/tables/columns.ts';
import { capturesOf, readLabels, viewOf } from './observing.ts';
import { columnsHelp, filesHelp, readColumns } from './traffic-files.ts';

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
  columns?: ColumnChoice;
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
    .argument('<file...>', `${filesHelp}; several are one observation`)
    .option('--columns <names>', columnsHelp, readColumns)
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
    .action((files: string[], options: Options) => runAttack(context, files, options));
}

async function runAttack(
  { system, console }: Context,
  files: string[],
  options: Options,
): Promise<void> {
  const file = files.join(', ');
  const parameters = {
    toleranceS: options.tolerance,
    gapS: options.gap,
    contrast: options.contrast,
    backgroundS: options.background,
    seed: options.seed,
  };
  const stretches = (options.leaveOut ?? []).map(readStretch);
  const labels = await readLabels(system, options.labels);
  const { streams, startS, endS, view, warnings } = await observe(system, files, options, labels);
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
  const json = () => renderJson({ file, view, ...parameters, ...toJson(report) });
  if (options.out) {
    await system.files.makeFolder(options.out);
    await system.files.write(join(options.out, 'activity.json'), json());
    await system.files.write(join(options.out, 'activity.csv'), renderFindingsCsv(report));
    await system.files.write(join(options.out, 'activity.svg'), plotActivity(report));
  }
  console.write(options.json ? json() : renderActivity(report));
}

async function observe(
  system: System,
  files: readonly string[],
  options: Options,
  labels: Labels,
): Promise<Observation> {
  const warnings: string[] = [];
  const observed = await observeFiles(system, files, {
    binS: BIN_S,
    warn: (message) => warnings.push(message),
    ...(options.home ? { home: options.home } : {}),
    ...(options.columns ? { columns: options.columns } : {}),
  });
  const view = viewOf(observed, options.view);
  const captures = capturesOf(
    observed.filter(({ table }) => table),
    view,
  );
  const devices = identifyDevices(captures, labels, await loadVendors());
  const streams: ObservedStream[] = devices.map(({ key, label, stretches }) => ({
    key,
    label,
    series: stretches.map(({ series }) => series),
  }));
  // A trace is one device's.
  const traces = observed.flatMap(({ file, trace }) =>
    trace && trace.packets > 0 ? [{ file, ...trace }] : [],
  );
  for (const { file, series } of traces) streams.push({ key: file, label: file, series: [series] });
  const startS = Math.min(...[...captures, ...traces].map(({ fromS }) => fromS));
  const endS = Math.max(...[...captures, ...traces].map(({ toS }) => toS));
  return { streams, startS, endS, view, warnings };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Seconds since the capture began. */
function readStretch(text: string): Stretch {
  const [fromS, toS] = text.split('-').map(Number);
  if (!/^[\d.]+-[\d.]+$/.test(text) || !(fromS! < toS!)) {
    throw usageFailure(`--leave-out is "${text}", expected two seconds, FROM-TO`);
  }
  return { fromS: fromS!, toS: toS! };
}
