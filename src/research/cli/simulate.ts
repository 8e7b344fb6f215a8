// `iotshaper simulate`: what each defence would have cost and delayed, on captured traffic.
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { renderJson } from '../../core/text/json.ts';
import type { Context } from '../../shell/cli/context.ts';
import { Failure, InvalidValue, usageFailure } from '../../shell/cli/failure.ts';
import {
  numberBetween,
  parsePacketBytes,
  parseRate,
  parseSd,
  parseSeed,
  sdHelp,
} from '../../shell/cli/number-options.ts';
import {
  addTraceOptions,
  type TraceFlags,
  traceOptionsOf,
} from '../../shell/cli/tools/trace-options.ts';
import { openTrace, type TraceOptions } from '../../shell/simulation/trace.ts';
import type { Console } from '../../shell/system/console.ts';
import { attackVariants, beginningOf } from '../simulation/attack.ts';
import { simulateTolerance, toleratedRates } from '../simulation/figure9.ts';
import {
  renderAttacks,
  renderSimulation,
  renderSimulationCsv,
  renderTolerance,
} from '../simulation/report.ts';
import { type SimulationResult, simulate } from '../simulation/simulate.ts';
import { plotSweep, renderSweepCsv, type SweepPoint, sweepIntervals } from '../simulation/sweep.ts';
import {
  defaultVariantOptions,
  type VariantName,
  variantNames,
  variantOf,
} from '../simulation/variants.ts';

interface Flags extends TraceFlags {
  rate: number;
  upload?: number;
  download?: number;
  packetSize: number;
  mode?: VariantName[];
  sd: number;
  maxDelay: number;
  seed: number;
  json?: boolean;
  out?: string;
  wireOut?: string;
  sweep?: boolean;
  attack?: boolean;
  attackSeconds: number;
  figure9?: boolean;
}

/** Adds `simulate`. */
export function registerSimulate(program: Command, context: Context): void {
  const command = program
    .command('simulate')
    .description('what each defence would have cost and delayed, on captured traffic')
    .argument(
      '<file...>',
      'captures (pcap, pcapng) or traces (.csv: time, size, direction), merged',
    )
    .option('--rate <KBps>', 'rate in each direction', parseRate, defaultVariantOptions.uploadKBps)
    .option('--upload <KBps>', 'rate of the upload, where it differs', parseRate)
    .option('--download <KBps>', 'rate of the download, where it differs', parseRate)
    .option(
      '--packet-size <bytes>',
      'of every packet on the tunnel',
      parsePacketBytes,
      defaultVariantOptions.packetBytes,
    )
    .option(
      '--mode <variants>',
      `only these, with commas: ${variantNames.join(', ')}`,
      parseVariants,
    )
    .option('--sd <percent>', sdHelp, parseSd, defaultVariantOptions.sdPercent)
    .option(
      '--max-delay <s>',
      'packed: longest a packet waits before it is dropped',
      numberBetween(0.1, 1e6, 's'),
      defaultVariantOptions.maxDelayMs / 1000,
    )
    .option('--seed <n>', 'same seed, same result', parseSeed, 1)
    .option('--sweep', "overhead and latency over the mean interval too: the paper's Figure 7")
    .option('--figure9', "delays at the paper's rates per device: name files as DEVICE=FILE")
    .option('--attack', 'audit what each variant shows of the first half hour')
    .option(
      '--attack-seconds <s>',
      'how much of the trace that is',
      numberBetween(10, 86_400, 's'),
      1800,
    )
    .option('--out <folder>', 'write JSON, CSV and plots there')
    .option('--wire-out <file>', 'write what the provider sees as CSV; needs one --mode')
    .option('--json', 'print all figures as JSON');
  addTraceOptions(command);
  command.action(async (files: string[], flags: Flags) => {
    if (flags.figure9) await runTolerance(context, files, flags);
    else await run(context, files, flags);
  });
}

async function run({ system, console }: Context, files: string[], flags: Flags): Promise<void> {
  const trace = traceOptionsOf(console, flags, files);
  const names = flags.mode ?? variantNames;
  if (flags.wireOut !== undefined && names.length !== 1) {
    throw usageFailure('--wire-out writes what one defence shows: choose it with --mode');
  }
  const options = {
    uploadKBps: flags.upload ?? flags.rate,
    downloadKBps: flags.download ?? flags.rate,
    packetBytes: flags.packetSize,
    sdPercent: flags.sd,
    maxDelayMs: flags.maxDelay * 1000,
  };
  const variants = names.map((name) => variantOf(name, options));
  const wire = flags.wireOut === undefined ? null : openWire(flags.wireOut);
  const startedMs = system.clock.monotonicMs();
  const results = await simulate(openTrace(system, files, trace), variants, {
    seed: flags.seed,
    onProgress: (packets) => showProgress(console, packets),
    ...(wire && { onWire: (_variant, ...packet) => wire.write(...packet) }),
  });
  await wire?.close();
  const tookS = (system.clock.monotonicMs() - startedMs) / 1000;
  clearProgress(console);
  const offered = results[0]!.total.packets + results[0]!.total.dropped;
  if (offered === 0) throw new Failure(`${files.join(', ')}: ${nothingFound(trace)}`);
  const sweep = flags.sweep
    ? await sweepIntervals(openTrace(system, files, trace), options, { seed: flags.seed })
    : null;
  const attacks = flags.attack
    ? await attackVariants(
        await beginningOf(openTrace(system, files, trace), flags.attackSeconds),
        variants,
        flags.seed,
      )
    : null;
  const written = flags.out === undefined ? [] : await writeAll(flags.out, results, sweep, options);
  if (flags.json) {
    console.write(renderJson({ seed: flags.seed, files, results, sweep, attacks }));
    return;
  }
  console.write(renderSimulation(results));
  const { durationS } = results[0]!;
  console.write(
    `\n${offered} packets of ${durationS.toFixed(0)} s, ${variants.length} variants, in ${tookS.toFixed(1)} s: ` +
      `${Math.round(offered / tookS)} packets a second\n`,
  );
  if (attacks) console.write(`\n${renderAttacks(attacks)}`);
  if (sweep) console.write(`\n${renderSweepCsv(sweep)}`);
  if (written.length > 0) console.write(`\nWritten: ${written.join(', ')}\n`);
}

function nothingFound({ device }: TraceOptions): string {
  const whose = device ? ` of ${device.mac ?? device.ip}` : '';
  return `no packet${whose} to or from the Internet in there (--device with --lan keeps what stays in the home)`;
}

async function writeAll(
  folder: string,
  results: SimulationResult[],
  sweep: SweepPoint[] | null,
  { packetBytes }: { packetBytes: number },
): Promise<string[]> {
  const contents: Record<string, string> = {
    'simulate.json': renderJson(results),
    'simulate.csv': renderSimulationCsv(results),
  };
  if (sweep) {
    contents['figure7.csv'] = renderSweepCsv(sweep);
    contents['figure7.svg'] = plotSweep(sweep, packetBytes);
  }
  await mkdir(folder, { recursive: true });
  const paths = Object.keys(contents).map((name) => join(folder, name));
  for (const [i, content] of Object.values(contents).entries()) await writeFile(paths[i]!, content);
  return paths;
}

/** The wire as CSV that the attacks read; bytes with the tunnel's overhead. */
function openWire(path: string): {
  write: (timeS: number, bytes: number, direction: 'up' | 'down') => void;
  close: () => Promise<void>;
} {
  const stream = createWriteStream(path);
  let failed: Error | null = null;
  stream.on('error', (error) => {
    failed = error;
  });
  let text = 'time,size,direction\n';
  return {
    write: (timeS, bytes, direction) => {
      text += `${timeS.toFixed(6)},${bytes},${direction === 'up' ? 1 : -1}\n`;
      if (text.length < 65_536) return;
      if (failed) throw new Failure(`--wire-out ${path}: ${failed.message}`);
      stream.write(text);
      text = '';
    },
    close: async () => {
      stream.end(text);
      await finished(stream).catch((error: Error) => {
        throw new Failure(`--wire-out ${path}: ${error.message}`);
      });
    },
  };
}

async function runTolerance(
  { system, console }: Context,
  files: string[],
  flags: Flags,
): Promise<void> {
  const rows = [];
  for (const argument of files) {
    const [id, path] = splitOnce(argument, '=');
    const rates = toleratedRates.find((device) => device.id === id);
    if (!rates || !path) {
      const known = toleratedRates.map((device) => device.id).join(', ');
      throw usageFailure(
        `--figure9 takes DEVICE=FILE with DEVICE one of ${known}; got "${argument}"`,
      );
    }
    const trace = openTrace(system, [path], traceOptionsOf(console, flags, [path]));
    rows.push(await simulateTolerance(rates, trace, flags.seed));
  }
  console.write(flags.json ? renderJson(rows) : renderTolerance(rows));
}

function parseVariants(text: string): VariantName[] {
  return text.split(',').map((part) => {
    const name = variantNames.find((known) => known === part.trim());
    if (!name) throw new InvalidValue(`must be among ${variantNames.join(', ')}.`);
    return name;
  });
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function showProgress(console: Console, packets: number): true {
  if (console.isTerminal) console.writeError(`\r${(packets / 1e6).toFixed(1)} million packets`);
  return true;
}

function clearProgress(console: Console): void {
  if (console.isTerminal) console.writeError('\r\x1b[K');
}
