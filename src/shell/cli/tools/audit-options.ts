// What `iotshaper audit` takes: captures or netdevs, what to look at, and what a lab run says of all that.
import { join } from 'node:path';
import type { Command } from 'commander';
import { recordingS } from '../../../core/home/recording.ts';
import { isMode, sdOf } from '../../../core/pacing/modes.ts';
import { sdBounds, streamDefaults } from '../../../core/stream/stream.ts';
import { readJson } from '../../../core/text/json.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import {
  numberBetween,
  numbersBetween,
  parseList,
  parsePort,
  parseSeed,
  wholeBetween,
} from '../number-options.ts';
import { readTextFile } from '../text-file.ts';

export interface AuditOptions {
  run?: string;
  wire?: string;
  activity?: string;
  events?: string;
  wan?: string;
  lan?: string[];
  seconds: number;
  device?: string[];
  port?: number;
  home?: string;
  packetSize?: number;
  windows: number[];
  from?: number;
  to?: number;
  /** When a lab run's devices acted. */
  spanS?: [from: number, to: number];
  error: number;
  seed: number;
  calibrate?: boolean;
  intervalSd?: number;
  json?: boolean;
  out?: string;
}

/** Adds them to the command. */
export function addAuditOptions(command: Command): void {
  command
    .option(
      '--wire <file>',
      "capture at the provider's side: pcap, pcapng or CSV (time, size, direction)",
    )
    .option('--activity <file>', 'capture of the devices inside the home, on the same clock')
    .option('--run <directory>', 'both of those, and the events, of a lab run')
    .option('--wan <netdev>', 'record now: the netdev the tunnel leaves by')
    .option(
      '--lan <netdevs>',
      'record now: the netdevs behind which the devices are, with commas',
      parseList,
    )
    .option(
      '--seconds <n>',
      'how long to record',
      numberBetween(recordingS.least, recordingS.most, 's'),
      recordingS.usual,
    )
    .option('--events <file>', 'moments known to matter: lines of time,device,event')
    .option(
      '--device <addresses>',
      'count only these devices (MAC or IP, with commas) as activity',
      parseList,
    )
    .option(
      '--port <n>',
      'UDP port of the endpoint (guessed in a file; 1194 when recording)',
      parsePort,
    )
    .option('--home <address>', "the home's address at the provider (guessed)")
    .option(
      '--packet-size <bytes>',
      'packet_size in force; the most frequent length otherwise',
      wholeBetween(64, 65_535, 'bytes'),
    )
    .option(
      '--windows <seconds>',
      'lengths of window, with commas',
      numbersBetween(0.1, 3600, 's'),
      [1, 5, 60],
    )
    .option(
      '--from <seconds>',
      'leave out what comes before, counted from the first packet',
      numberBetween(0, 1e9, 's'),
    )
    .option('--to <seconds>', 'leave out what comes after', numberBetween(0, 1e9, 's'))
    .option(
      '--error <share>',
      'how often a clean stream may be called a leak',
      numberBetween(1e-6, 0.5),
      0.01,
    )
    .option('--seed <n>', 'seed of the resampling', parseSeed, 1)
    .option('--calibrate', "measure this router's jitter and propose interval_sd")
    .option(
      '--interval-sd <percent>',
      `calibrate: interval_sd in force, 0 with constant intervals (default: the lab run's, else ${streamDefaults.intervalSdPercent})`,
      numberBetween(0, sdBounds.most, 'percent'),
    )
    .option('--json', 'print all figures as JSON')
    .option('--out <directory>', 'write audit.json there');
}

/** The options as given, above what a lab run says where one is named. @throws {Failure} where it is none */
export async function withRun(
  { system }: Pick<Context, 'system'>,
  given: AuditOptions,
): Promise<AuditOptions> {
  if (given.run === undefined) return given;
  const path = join(given.run, 'summary.json');
  const summary = readJson(await readTextFile(system, '--run', path)) as Record<string, unknown>;
  const { startS, seconds, tunnelPort, variant, intervalSdPercent } = summary;
  if (typeof startS !== 'number' || typeof seconds !== 'number') {
    throw new Failure(`--run ${path}: is not the summary of a lab run`);
  }
  return {
    wire: join(given.run, 'provider.pcap'),
    activity: join(given.run, 'device.pcap'),
    events: join(given.run, 'events.csv'),
    spanS: [startS, startS + seconds],
    ...(typeof tunnelPort === 'number' ? { port: tunnelPort } : {}),
    ...(isMode(variant) && typeof intervalSdPercent === 'number'
      ? { intervalSd: sdOf(variant, intervalSdPercent) }
      : {}),
    ...given,
  };
}
