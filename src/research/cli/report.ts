// `iotshaper report`: the paper's tables and figures beside ours on given captures, as one HTML file.
import type { Command } from 'commander';
import { alignEvents, parseEvents } from '../../core/analysis/activity-events.ts';
import { auditTraces } from '../../core/analysis/audit.ts';
import { CaptureError } from '../../core/capture/error.ts';
import { readJson } from '../../core/text/json.ts';
import { LineError } from '../../core/text/line-error.ts';
import { readActivity, readTunnel } from '../../shell/analysis/audit-capture.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, usageFailure } from '../../shell/cli/failure.ts';
import { parseList, parseRate, parseSeed } from '../../shell/cli/number-options.ts';
import { readTextFile } from '../../shell/cli/text-file.ts';
import { openTrace } from '../../shell/simulation/trace.ts';
import type { System } from '../../shell/system/system.ts';
import { version } from '../../version.ts';
import { attackActivity, BIN_S } from '../analysis/activity-streams.ts';
import { identifyDevices, judgeByRates } from '../analysis/identify/identify.ts';
import { loadVendors } from '../analysis/identify/vendors.ts';
import { labelsInNames } from '../analysis/labels.ts';
import { observeFiles } from '../capture/observed.ts';
import { activitySection, identifySection } from '../report/attack-sections.ts';
import {
  type AuditedRun,
  auditSection,
  costSection,
  toleranceSection,
} from '../report/defence-sections.ts';
import { renderPage, type Section } from '../report/page.ts';
import { simulateTolerance, toleratedRates } from '../simulation/figure9.ts';
import { simulate } from '../simulation/simulate.ts';
import { sweepIntervals } from '../simulation/sweep.ts';
import { defaultVariantOptions, variantOf } from '../simulation/variants.ts';
import { capturesOf, namesIn, readLabels, viewOf } from './observing.ts';
import { filesHelp } from './traffic-files.ts';

interface Options {
  labels?: string;
  events?: string;
  figure9?: string[];
  run?: string[];
  rate: number;
  seed: number;
  out: string;
}

const windowsS = [30, 60, 120, 300, 600];
const samplesS = [1, 5, 10, 30];
const draws = 5;
const compared = [
  'vpn',
  'paper',
  'padded-vit',
  'packed-constant',
  'packed-vit',
  'packed-ideal',
] as const;

/** Adds `report`. */
export function registerReport(program: Command, context: Context): void {
  program
    .command('report')
    .description("the paper's tables and figures beside ours on these captures, as one HTML file")
    .argument('<file...>', filesHelp)
    .option('--labels <file>', 'who is who: lines of kind,value,label (see attack identify)')
    .option('--events <file>', 'what really happened: lines of time,device,event')
    .option(
      '--figure9 <files>',
      'DEVICE=FILE with commas: delays at the rates of the paper',
      parseList,
    )
    .option('--run <directories>', 'lab runs to audit, with commas', parseList)
    .option('--rate <KBps>', 'rate in each direction', parseRate, defaultVariantOptions.uploadKBps)
    .option('--seed <n>', 'same seed, same report', parseSeed, 1)
    .option('--out <file>', 'where to write it', 'report.html')
    .action((files: string[], options: Options) => report(context, files, options));
}

async function report(
  { system, console }: Context,
  files: string[],
  options: Options,
): Promise<void> {
  const say = (message: string) => console.writeError(`${message}\n`);
  const warnings: string[] = [];
  const sections: Section[] = await attackSections(system, files, options, warnings);
  say('attacks done');
  try {
    sections.push(await costOf(system, files, options));
  } catch (error) {
    if (!(error instanceof CaptureError) && !(error instanceof LineError)) throw error;
    warnings.push(`not simulated, as that takes packets: ${error.message}`);
  }
  say('simulations done');
  if (options.figure9) sections.push(await toleranceOf(system, options.figure9, options.seed));
  if (options.run) sections.push(await auditsOf(system, options.run, options.seed));
  const lines = [
    `iot-shaper ${version}, seed ${options.seed}. Every figure stands with what it is known to and the command that makes it again; the same seed makes the same.`,
    `Captures: ${files.join(', ')}.`,
    ...warnings.map((warning) => `Note: ${warning}.`),
  ];
  const title = 'What a provider sees of these homes, and what a defence costs';
  await system.files.write(options.out, renderPage({ title, lines }, sections), 0o644);
  console.write(`Written: ${options.out}\n`);
}

async function attackSections(
  system: System,
  files: string[],
  options: Options,
  warnings: string[],
): Promise<Section[]> {
  const { seed } = options;
  const labels = await readLabels(system, options.labels);
  const warn = (message: string) => warnings.push(message);
  const observed = await observeFiles(system, files, { binS: BIN_S, warn });
  const view = viewOf(observed);
  const captures = capturesOf(observed, view);
  const vendors = await loadVendors();
  const devices = identifyDevices(captures, labels, vendors);
  if (devices.length === 0) {
    throw new Failure(`${files.join(', ')}: no traffic with the Internet in there`);
  }
  const judging = {
    classifier: 'neighbours' as const,
    features: 'rates' as const,
    neighbours: 3,
    folds: 10,
    seed,
  };
  const judgements = windowsS.flatMap((windowS) =>
    samplesS.flatMap((sampleS) => judgeByRates(devices, windowS, sampleS, judging) ?? []),
  );
  const identification = {
    ...{ files, view, ...judging, devices, windowsS, samplesS, judgements, warnings },
    overTime: null,
    lookedUp: labelsInNames(namesIn(observed), labels.dns),
  } as const;
  const common = [...(options.labels ? ['--labels', options.labels] : []), '--seed', `${seed}`];
  const grid = ['--window', windowsS.join(), '--sample', samplesS.join()];
  const sections = [
    identifySection(identification, command('attack identify', files, [...grid, ...common])),
  ];
  // Captures of different days are no one evening: the first is looked at.
  const [first] = captures;
  const streams = identifyDevices([first!], labels, vendors).map(({ key, label, stretches }) => ({
    key,
    label,
    series: stretches.map(({ series }) => series),
  }));
  const events = options.events
    ? alignEvents(
        parseEvents(await readTextFile(system, '--events', options.events), options.events),
        first!.fromS,
      )
    : null;
  const activity = attackActivity(streams, { startS: first!.fromS, endS: first!.toS }, events, {
    toleranceS: 5,
    seed,
  });
  const given = [...(options.events ? ['--events', options.events] : []), ...common];
  sections.push(activitySection(activity, command('attack activity', [first!.file], given)));
  return sections;
}

async function costOf(system: System, files: string[], { rate, seed }: Options): Promise<Section> {
  const options = { ...defaultVariantOptions, uploadKBps: rate, downloadKBps: rate };
  const variants = compared.map((name) => variantOf(name, options));
  const results = [];
  for (let draw = 0; draw < draws; draw++) {
    results.push(
      await simulate(openTrace(system, files, { shift: true }), variants, { seed: seed + draw }),
    );
  }
  const sweep = await sweepIntervals(openTrace(system, files, { shift: true }), options, { seed });
  const shown = [
    '--shift',
    '--mode',
    compared.join(),
    '--sweep',
    '--rate',
    `${rate}`,
    '--seed',
    `${seed}`,
  ];
  return costSection(results, sweep, command('simulate', files, shown));
}

async function toleranceOf(
  system: System,
  given: readonly string[],
  seed: number,
): Promise<Section> {
  const rows = [];
  for (const argument of given) {
    const at = argument.indexOf('=');
    const rates = toleratedRates.find(({ id }) => id === argument.slice(0, at));
    if (!rates) {
      const known = toleratedRates.map(({ id }) => id).join(', ');
      throw usageFailure(
        `--figure9 takes DEVICE=FILE with DEVICE one of ${known}; got "${argument}"`,
      );
    }
    rows.push(await simulateTolerance(rates, openTrace(system, [argument.slice(at + 1)]), seed));
  }
  return toleranceSection(rows, command('simulate --figure9', given, ['--seed', `${seed}`]));
}

async function auditsOf(
  system: System,
  folders: readonly string[],
  seed: number,
): Promise<Section> {
  const runs: AuditedRun[] = [];
  for (const folder of folders) {
    const text = await readTextFile(system, '--run', `${folder}/summary.json`);
    const { startS, seconds, tunnelPort } = readJson(text) as Record<string, number>;
    const port = tunnelPort === undefined ? {} : { port: tunnelPort };
    const tunnel = await readTunnel(system, `${folder}/provider.pcap`, port);
    const wire = tunnel.data.filter(({ timeS }) => timeS >= startS! && timeS <= startS! + seconds!);
    if (wire.length === 0) throw new Failure(`--run ${folder}: no packet of a tunnel in there`);
    const activity = await readActivity(system, `${folder}/device.pcap`);
    runs.push({
      name: folder,
      result: auditTraces({ wire, activity, events: [], windowsS: [1, 5, 60], seed }),
    });
  }
  return auditSection(
    runs,
    folders.map((folder) => `iotshaper audit --run ${folder} --seed ${seed}`).join('; '),
  );
}

function command(name: string, files: readonly string[], options: readonly string[]): string {
  return ['iotshaper', name, ...files, ...options].join(' ');
}
