// `iotshaper attack identify`: which devices a home has, from a capture of its encrypted traffic.
import { join } from 'node:path';
import type { Command } from 'commander';
import { parseMac } from '../../core/capture/addresses.ts';
import { renderJson } from '../../core/text/json.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, InvalidValue, usageFailure } from '../../shell/cli/failure.ts';
import { numbersBetween, parseList, parseSeed } from '../../shell/cli/number-options.ts';
import type { System } from '../../shell/system/system.ts';
import { type ClassifierName, classifiers } from '../analysis/cross-validation.ts';
import { BURST_BIN_S } from '../analysis/identify/burst-features.ts';
import { type FeatureSet, featureSets } from '../analysis/identify/features.ts';
import type { View } from '../analysis/identify/flows.ts';
import {
  identifyDevices,
  judgeByRates,
  type ObservedCapture,
} from '../analysis/identify/identify.ts';
import {
  bestJudgement,
  type Identification,
  plotIdentification,
  renderGridCsv,
  renderIdentification,
  toJson,
} from '../analysis/identify/identify-report.ts';
import { judgeOverTime } from '../analysis/identify/over-time/over-time.ts';
import { loadVendors } from '../analysis/identify/vendors.ts';
import { labelsInNames } from '../analysis/labels.ts';
import { observeFiles } from '../capture/observed.ts';
import type { ColumnChoice } from '../capture/tables/columns.ts';
import { capturesOf, namesIn, readLabels, viewOf } from './observing.ts';
import { columnsHelp, filesHelp, readColumns } from './traffic-files.ts';

interface Options {
  labels?: string;
  window: number[];
  sample: number[];
  mac?: string[];
  home?: string[];
  columns?: ColumnChoice;
  view?: string;
  classifier: ClassifierName;
  features: FeatureSet;
  overTime?: boolean;
  seed: number;
  json?: boolean;
  out?: string;
}

/** The grid of the paper's Figure 4, seconds. */
const usualWindowsS = [30, 60, 120, 300, 600];
const usualSamplesS = [1, 2, 5, 10, 30, 60];
const neighbours = 3;
const folds = 10;

/** Adds `identify` to the command `attack`. */
export function registerAttackIdentify(attack: Command, context: Context): void {
  attack
    .command('identify')
    .description(
      'tell devices apart in captures, by names looked up, by makers and by traffic rates',
    )
    .argument('<file...>', filesHelp)
    .option('--columns <names>', columnsHelp, readColumns)
    .option(
      '--labels <file>',
      'who is who: lines of kind,value,label with kind dns, mac, ip or file',
    )
    .option(
      '--window <seconds>',
      'window length, or several with commas',
      parseLengths,
      usualWindowsS,
    )
    .option(
      '--sample <seconds>',
      'sample length, or several with commas',
      parseLengths,
      usualSamplesS,
    )
    .option('--mac <addresses>', 'only these devices, with commas', parseList)
    .option(
      '--home <addresses>',
      "the home's public addresses, with commas, where the capture is from outside it",
      parseList,
    )
    .option('--view <view>', 'lan: tell devices by their address; wan: by remote address; auto')
    .option(
      '--classifier <name>',
      'what tells rates apart: neighbours (the paper’s 3 nearest) or forest (a random forest)',
      parseClassifier,
      'neighbours',
    )
    .option(
      '--features <set>',
      'what windows are described by: rates (the paper’s means and deviations) or bursts (directions, bursts and pauses in tenths of a second)',
      parseFeatures,
      'rates',
    )
    .option(
      '--over-time',
      'call unbroken stretches as well, by a random forest and a hidden Markov model over their windows in order',
    )
    .option('--seed <number>', 'seed of the cross-validation', parseSeed, 1)
    .option('--json', 'print all figures as JSON')
    .option('--out <directory>', 'write figures, CSV and plots there')
    .action((files: string[], options: Options) => identify(context, files, options));
}

async function identify(
  { system, console }: Context,
  files: string[],
  options: Options,
): Promise<void> {
  const { window: windowsS, sample: samplesS, seed, classifier, features } = options;
  const macs = options.mac?.map(readMac);
  const labels = await readLabels(system, options.labels);

  const warnings: string[] = [];
  const { captures, view, names } = await observe(
    system,
    files,
    options,
    commonBinS(features === 'bursts' ? [...samplesS, BURST_BIN_S] : samplesS, windowsS),
    warnings,
  );
  for (const warning of warnings) console.writeError(`warning: ${warning}\n`);
  const vendors = await loadVendors();
  const devices = identifyDevices(captures, labels, vendors).filter(
    ({ mac }) => macs === undefined || (mac !== null && macs.includes(mac)),
  );
  if (devices.length === 0) {
    throw new Failure(
      `${files.join(', ')}: no traffic ${macs ? 'of these devices ' : ''}with the Internet in there`,
    );
  }
  const judgements = windowsS.flatMap((windowS) =>
    samplesS.flatMap(
      (sampleS) =>
        judgeByRates(devices, windowS, sampleS, {
          classifier,
          neighbours,
          folds,
          seed,
          features,
        }) ?? [],
    ),
  );
  const best = bestJudgement(judgements);
  const result: Identification = {
    files,
    view,
    seed,
    classifier,
    features,
    neighbours,
    folds,
    lookedUp: labelsInNames(names, labels.dns),
    devices,
    windowsS,
    samplesS,
    judgements,
    overTime:
      options.overTime && best
        ? judgeOverTime(devices, best.windowS, best.sampleS, { features, seed })
        : null,
    warnings,
  };
  const written = options.out ? await writeAll(system, options.out, result) : [];
  console.write(options.json ? renderJson(toJson(result)) : renderIdentification(result));
  if (!options.json && written.length > 0) console.write(`Written: ${written.join(', ')}\n`);
}

/** Reads all files; a damaged one counts as far as it is good. */
async function observe(
  system: System,
  files: string[],
  options: Options,
  binS: number,
  warnings: string[],
): Promise<{ captures: ObservedCapture[]; view: View; names: Set<string> }> {
  const observed = await observeFiles(system, files, {
    binS,
    warn: (message) => warnings.push(message),
    ...(options.home ? { home: options.home } : {}),
    ...(options.columns ? { columns: options.columns } : {}),
  });
  const view = viewOf(observed, options.view);
  return { captures: capturesOf(observed, view), view, names: namesIn(observed) };
}

async function writeAll(
  { files }: System,
  directory: string,
  result: Identification,
): Promise<string[]> {
  const contents: Record<string, string> = {
    'identify.json': renderJson(toJson(result)),
    'accuracy.csv': renderGridCsv(result),
    ...plotIdentification(result),
  };
  await files.makeFolder(directory);
  const written = Object.keys(contents).map((name) => join(directory, name));
  await Promise.all(Object.values(contents).map((content, i) => files.write(written[i]!, content)));
  return written;
}

function parseClassifier(text: string): ClassifierName {
  const name = classifiers.find((one) => one === text);
  if (!name) throw new InvalidValue(`must be one of ${classifiers.join(', ')}.`);
  return name;
}

function parseFeatures(text: string): FeatureSet {
  const set = featureSets.find((one) => one === text);
  if (!set) throw new InvalidValue(`must be one of ${featureSets.join(', ')}.`);
  return set;
}

/** In whole milliseconds. */
function parseLengths(text: string): number[] {
  const lengthsS = numbersBetween(0.01, 86_400, 's')(text);
  return lengthsS.map((lengthS) => Math.round(lengthS * 1000) / 1000);
}

/** The longest bin that all lengths are whole numbers of, in steps of a millisecond. */
function commonBinS(samplesS: number[], windowsS: number[]): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  return (
    [...samplesS, ...windowsS].map((lengthS) => Math.round(lengthS * 1000)).reduce(divisor) / 1000
  );
}

function readMac(text: string): string {
  const mac = parseMac(text);
  if (mac === null) throw usageFailure(`--mac is "${text}", which is no MAC address`);
  return mac;
}
