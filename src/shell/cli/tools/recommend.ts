// `iotshaper recommend`: the lowest rates at which devices still answer in time.
import type { Command } from 'commander';
import { costOf } from '../../../core/cost/cost.ts';
import { defaultMode, type Mode, modeChoices, modes } from '../../../core/pacing/modes.ts';
import { figure, renderRows } from '../../../core/plot/text-table.ts';
import { type HomeTrace, loadTrace } from '../../../core/simulation/direction-trace.ts';
import {
  type AdviceReport,
  type CounterSample,
  MOST_KBPS,
  type RateAdvice,
  type RatelessShape,
  recommend,
  traceOfCounters,
} from '../../../core/simulation/recommend.ts';
import { packetBounds, streamDefaults } from '../../../core/stream/stream.ts';
import { renderJson } from '../../../core/text/json.ts';
import { openTrace } from '../../simulation/trace.ts';
import type { Console } from '../../system/console.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import { numberBetween, parsePacketBytes, parseSd, parseSeed, sdHelp } from '../number-options.ts';
import { defaultRunDir } from '../paths.ts';
import { addTraceOptions, type TraceFlags, traceOptionsOf } from './trace-options.ts';

/** What a running service counted of its devices lately; for `--live`. */
export type ReadCounters = (runDir: string) => Promise<CounterSample[]>;

interface Flags extends TraceFlags {
  maxMean: number;
  max: number;
  packetSize?: number;
  mode: Mode | 'any';
  sd: number;
  seed: number;
  live?: boolean;
  runDir?: string;
  json?: boolean;
}

const sizesTried = [packetBounds.least, 512, 768, 1024, packetBounds.most];

/** Adds `recommend`; without `readCounters` there is no `--live`. */
export function registerRecommend(
  program: Command,
  context: Context,
  readCounters?: ReadCounters,
): void {
  const { console } = context;
  const command = program
    .command('recommend')
    .description('the lowest rates, packet size and mode that delay devices no longer than asked')
    .argument(
      '[file...]',
      'captures (pcap, pcapng) or traces (.csv: time, size, direction), merged',
    )
    .option(
      '--max-mean <ms>',
      "mean delay of each device's packets, in each direction",
      numberBetween(1, 1e6, 'ms'),
      250,
    )
    .option('--max <ms>', 'longest delay of any packet', numberBetween(1, 1e7, 'ms'), 2000)
    .option(
      '--packet-size <bytes>',
      `only this (default: best of ${sizesTried.join(', ')})`,
      parsePacketBytes,
    )
    .addOption(
      program
        .createOption('--mode <mode>', 'how intervals are drawn; constant ones leak')
        .choices([...modeChoices, 'any'])
        .default(defaultMode),
    )
    .option('--sd <percent>', sdHelp, parseSd, streamDefaults.intervalSdPercent)
    .option('--seed <n>', 'same seed, same result', parseSeed, 1)
    .option('--json', 'as JSON');
  if (readCounters) {
    command
      .option('--live', "on the running service's own counters, in place of files")
      .option('--run-dir <dir>', "live: the service's sockets and temporary files", defaultRunDir);
  }
  addTraceOptions(command);
  command.action(async (files: string[], flags: Flags) => {
    const trace = await traceOf(context, files, flags, readCounters);
    if (trace.devices.length === 0) {
      throw new Failure(
        `${files.join(', ') || 'the service'}: no packet to or from the Internet in there`,
      );
    }
    const report = recommend(trace, {
      tolerance: { meanMs: flags.maxMean, maxMs: flags.max },
      shapes: shapesOf(flags),
      sdPercent: flags.sd,
      seed: flags.seed,
      onProgress: (what) => showProgress(console, what),
    });
    showProgress(console, '');
    console.write(flags.json ? renderJson(report) : render(report, flags));
    if (report.best.gbPerMonth === null) console.setExitStatus(1);
  });
}

async function traceOf(
  { system, console }: Context,
  files: string[],
  flags: Flags,
  readCounters?: ReadCounters,
): Promise<HomeTrace> {
  if (flags.live && readCounters) {
    if (files.length > 0)
      throw usageFailure('--live reads the service, not files: give one or the other');
    return traceOfCounters(await readCounters(flags.runDir ?? defaultRunDir));
  }
  if (files.length === 0) {
    throw usageFailure(
      `name a capture${readCounters ? ', or --live for what the service counted' : ''}`,
    );
  }
  return await loadTrace(openTrace(system, files, traceOptionsOf(console, flags, files)));
}

function shapesOf({ packetSize, mode }: Flags): RatelessShape[] {
  const tried = mode === 'any' ? modeChoices : [mode];
  const sizes = packetSize === undefined ? sizesTried : [packetSize];
  return tried.flatMap((each) => sizes.map((bytes) => ({ packetBytes: bytes, mode: each })));
}

function render(report: AdviceReport, flags: Flags): string {
  const { best, joint, singles, sumOfSingles } = report;
  const wish = `a mean delay of ${flags.maxMean} ms and none above ${flags.max} ms`;
  if (!best.up || !best.down) return `No rate up to ${MOST_KBPS} KB/s gives ${wish}.\n`;
  const { shape } = best;
  let text = `For ${wish}, in each direction and for each device:\n\n`;
  text += `  upload_rate ${best.up.rateKBps} KB/s, download_rate ${best.down.rateKBps} KB/s, `;
  text += `packet_size ${shape.packetBytes}, mode ${shape.mode}: ${figure(best.gbPerMonth!)} GB a month\n\n`;
  text += renderRows([titles, ...joint.map(line)]);
  text += `\nIdeal: the mean at the same rate, were each packet formed at its very slot.\n`;
  text += `\nEach device alone, ${shape.packetBytes} bytes, ${shape.mode}:\n\n`;
  text += renderRows([titles, ...singles.map(line)]);
  if (sumOfSingles && singles.length > 1) {
    const { uploadKBps, downloadKBps, gbPerMonth } = sumOfSingles;
    const together = costOf({
      uploadKBps: best.up.rateKBps,
      downloadKBps: best.down.rateKBps,
      packetBytes: shape.packetBytes,
    }).gbPerMonth;
    text += `\nSum of these: ${figure(uploadKBps)} up, ${figure(downloadKBps)} down, ${figure(gbPerMonth)} GB a month; `;
    text += `sharing one link takes ${figure((100 * together) / gbPerMonth)} % of that.\n`;
  }
  const { caution } = modes[shape.mode].words;
  if (caution !== '') text += `\n${caution}\n`;
  return text;
}

const titles = [
  'devices',
  'bytes',
  'mode',
  'up KB/s',
  'mean ms',
  'ideal',
  'max',
  'down KB/s',
  'mean ms',
  'ideal',
  'max',
  'GB a month',
];

function line({ device, shape, up, down, gbPerMonth }: RateAdvice): string[] {
  const cells = (found: RateAdvice['up']) =>
    found
      ? [
          String(found.rateKBps),
          ...[found.latency.meanMs, found.ideal.meanMs, found.latency.maxMs].map(figure),
        ]
      : ['none', '-', '-', '-'];
  return [
    device ?? 'all together',
    String(shape.packetBytes),
    shape.mode,
    ...cells(up),
    ...cells(down),
    gbPerMonth === null ? '-' : figure(gbPerMonth),
  ];
}

/** On a line of its own, which '' clears. */
function showProgress(console: Console, what: string): void {
  if (console.isTerminal) console.writeError(`\r\x1b[K${what}`);
}
