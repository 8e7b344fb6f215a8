// `iotshaper audit`: can what the provider sees be told apart by what the devices did?
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { alignEvents, EventsError, parseEvents } from '../../../core/analysis/activity-events.ts';
import { auditTraces } from '../../../core/analysis/audit.ts';
import type { ActivitySample } from '../../../core/analysis/audit-activity.ts';
import {
  type IntervalSdProposal,
  type JitterFigures,
  measureJitter,
  proposeIntervalSd,
} from '../../../core/analysis/audit-calibration.ts';
import { recordOf, renderAudit } from '../../../core/analysis/audit-text.ts';
import { AUDIT_EXIT_CODES, reportAudit } from '../../../core/analysis/audit-verdict.ts';
import { mainDefaults } from '../../../core/config/options/options.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../../core/cost/cost.ts';
import { type Notice, notice } from '../../../core/notices/notice.ts';
import { isMode, sdOf } from '../../../core/pacing/modes.ts';
import { sdBounds } from '../../../core/stream/stream.ts';
import { readActivity, readTunnel, type TunnelTrace } from '../../analysis/audit-capture.ts';
import { RecordingError, recordLive } from '../../analysis/live-capture.ts';
import { CsvError } from '../../capture/csv.ts';
import { CaptureError } from '../../capture/reader.ts';
import { Failure } from '../failure.ts';
import { readTextFile } from '../text-file.ts';

interface Options {
  run?: string;
  wire?: string;
  activity?: string;
  events?: string;
  wan?: string;
  lan?: string[];
  seconds: string;
  device?: string[];
  port?: string;
  home?: string;
  packetSize?: string;
  windows: string;
  from?: string;
  to?: string;
  /** When a lab run's devices acted. */
  spanS?: [from: number, to: number];
  error: string;
  seed: string;
  calibrate?: boolean;
  intervalSd?: string;
  json?: boolean;
  out?: string;
}

interface Sides {
  tunnel: TunnelTrace;
  activity: ActivitySample[];
  warnings: Notice[];
}

/** Adds the command `audit`. */
export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description("test whether the provider's view tells what devices do")
    .option(
      '--wire <file>',
      "capture at the provider's side: pcap, pcapng or CSV (time, size, direction)",
    )
    .option('--activity <file>', 'capture of the devices inside the home, on the same clock')
    .option('--run <directory>', 'both of those, and the events, of a lab run')
    .option('--wan <netdev>', 'record now: the netdev the tunnel leaves by')
    .option('--lan <netdev...>', 'record now: the netdevs behind which the devices are')
    .option('--seconds <n>', 'how long to record', '600')
    .option('--events <file>', 'moments known to matter: lines of time,device,event')
    .option('--device <address...>', 'count only these devices (MAC or IP) as activity')
    .option('--port <n>', 'UDP port of the endpoint (guessed in a file; 1194 when recording)')
    .option('--home <address>', "the home's address at the provider (guessed)")
    .option('--packet-size <bytes>', 'packet_size in force; the most frequent length otherwise')
    .option('--windows <seconds>', 'lengths of window, with commas', '1,5,60')
    .option('--from <seconds>', 'leave out what comes before, counted from the first packet')
    .option('--to <seconds>', 'leave out what comes after')
    .option('--error <share>', 'how often a clean stream may be called a leak', '0.01')
    .option('--seed <n>', 'seed of the resampling', '1')
    .option('--calibrate', "measure this router's jitter and propose interval_sd")
    .option(
      '--interval-sd <percent>',
      `calibrate: interval_sd in force, 0 with constant intervals (default: the lab run's, else ${mainDefaults.intervalSdPercent})`,
    )
    .option('--json', 'print all figures as JSON')
    .option('--out <directory>', 'write audit.json there')
    .addHelpText(
      'after',
      '\nExit status: 0 no leak found, 1 leak, 2 the audit could not be made, 3 too short to tell.',
    )
    .action(audit);
}

async function audit(options: Options): Promise<void> {
  const known = [Failure, EventsError, RecordingError, CaptureError, CsvError, RangeError];
  try {
    await (options.calibrate ? calibrate(options) : judge(options));
  } catch (error) {
    if (!known.some((kind) => error instanceof kind)) throw error;
    throw new Failure((error as Error).message, 2);
  }
}

async function judge(given: Options): Promise<void> {
  const options = given.run ? { ...(await readRun(given.run)), ...given } : given;
  const windowsS = options.windows
    .split(',')
    .map((text) => readNumber('--windows', text, 0.1, 3600));
  const familyError = readNumber('--error', options.error, 1e-6, 0.5);
  const seed = readNumber('--seed', options.seed, 0, 2 ** 31);
  const expectedBytes = options.packetSize
    ? readNumber('--packet-size', options.packetSize, 64, 65_535) + TUNNEL_OVERHEAD_BYTES
    : undefined;
  const { tunnel, activity, warnings } = await readSides(options);
  const wire = cutWire(tunnel.data, options);
  const events = options.events
    ? alignEvents(
        parseEvents(await readTextFile('--events', options.events, 2), options.events),
        wire[0]!.timeS,
      )
    : [];
  const result = auditTraces({
    wire,
    activity,
    events: events.map(({ timeS }) => timeS),
    windowsS,
    ...(expectedBytes === undefined ? {} : { expectedBytes }),
    familyError,
    seed,
  });
  result.limits.push(...warnings);
  const { home, endpoint, control } = tunnel;
  const report = reportAudit(result, Math.floor(Date.now() / 1000));
  const full = { ...recordOf(result), home, endpoint, controlPackets: control.length, report };
  if (options.out) await writeOut(options.out, full);
  process.stdout.write(options.json ? `${JSON.stringify(full, null, 2)}\n` : renderAudit(result));
  process.exitCode = AUDIT_EXIT_CODES[result.level];
}

async function calibrate(given: Options): Promise<void> {
  const options = given.run ? { ...(await readRun(given.run)), ...given } : given;
  const inForce = options.intervalSd ?? String(mainDefaults.intervalSdPercent);
  const percent = readNumber('--interval-sd', inForce, 0, sdBounds.most);
  const { tunnel, activity } = await readSides(options);
  const jitter = measureJitter(cutWire(tunnel.data, options), activity, percent);
  if (jitter.length === 0) throw new Failure('too few packets of the tunnel to measure jitter');
  const proposals = jitter.map((figures) => ({
    ...figures,
    proposal: figures.resolved ? proposeFor(figures) : null,
  }));
  if (options.json) {
    process.stdout.write(`${JSON.stringify(proposals, null, 2)}\n`);
    return;
  }
  for (const { direction, meanIntervalMs, idle, active, proposal } of proposals) {
    const jitterText = [idle, active]
      .map(
        ({ jitterSdMs, uncertainMs, intervals }) =>
          `${jitterSdMs.toFixed(3)} ± ${uncertainMs.toFixed(3)} ms (${intervals} intervals)`,
      )
      .join(' idle, ');
    process.stdout.write(
      `${direction}: mean interval ${meanIntervalMs.toFixed(2)} ms, jitter ${jitterText} active; ${proposal ? proposalText(proposal) : 'no difference to be seen, so none to be hidden: keep interval_sd'}\n`,
    );
  }
  if (percent > 0) {
    process.stdout.write(
      'Measured under varying intervals, which hide jitter: mode constant measures it better.\n',
    );
  }
}

function proposalText({
  intervalSdPercent,
  sufficient,
  packets,
  detectionRate,
}: IntervalSdProposal): string {
  const right = `right ${(100 * detectionRate).toFixed(0)} % of the time`;
  return sufficient
    ? `interval_sd ${intervalSdPercent}: an observer of ${packets} packets is then ${right}`
    : `interval_sd ${intervalSdPercent} is not enough: an observer of ${packets} packets would still be ${right}; a lower rate or a quieter router helps`;
}

function proposeFor({ meanIntervalMs, idle, active }: JitterFigures) {
  return proposeIntervalSd({
    meanIntervalMs,
    idleJitterSdMs: idle.jitterSdMs,
    activeJitterSdMs: active.jitterSdMs,
  });
}

/** What `lab run --out` left, cut to the time in which its devices acted. */
async function readRun(directory: string): Promise<Partial<Options>> {
  const path = join(directory, 'summary.json');
  const summary = JSON.parse(await readTextFile('--run', path, 2)) as Record<string, unknown>;
  const { startS, seconds, tunnelPort, variant, intervalSdPercent } = summary;
  if (typeof startS !== 'number' || typeof seconds !== 'number') {
    throw new Failure(`--run ${path}: is not the summary of a lab run`, 2);
  }
  return {
    wire: join(directory, 'provider.pcap'),
    activity: join(directory, 'device.pcap'),
    events: join(directory, 'events.csv'),
    spanS: [startS, startS + seconds],
    ...(typeof tunnelPort === 'number' ? { port: String(tunnelPort) } : {}),
    ...(isMode(variant) && typeof intervalSdPercent === 'number'
      ? { intervalSd: String(sdOf(variant, intervalSdPercent)) }
      : {}),
  };
}

async function readSides(options: Options): Promise<Sides> {
  const devices = options.device?.map((address) => address.toLowerCase());
  const port = options.port ? readNumber('--port', options.port, 1, 65_535) : undefined;
  if (options.wan) {
    if (!options.lan)
      throw new Failure('--wan needs --lan: the netdevs behind which the devices are', 2);
    return record(options, options.wan, options.lan, port ?? 1194, devices);
  }
  if (!options.wire || !options.activity) {
    throw new Failure(
      'give --wire and --activity (captures), or --wan and --lan (netdevs to record)',
      2,
    );
  }
  const { home } = options;
  const tunnel = await readTunnel(options.wire, {
    ...(port === undefined ? {} : { port }),
    ...(home === undefined ? {} : { home }),
  });
  return { tunnel, activity: await readActivity(options.activity, devices), warnings: [] };
}

async function record(
  options: Options,
  wan: string,
  lan: string[],
  port: number,
  devices: string[] | undefined,
): Promise<Sides> {
  const seconds = readNumber('--seconds', options.seconds, 10, 86_400);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    const { tunnel, activity, dropped } = await recordLive({
      wan,
      port,
      activity: devices ? { lan, devices } : { lan },
      seconds,
      signal: interruption.signal,
      onProgress: (passed) => showProgress(passed, seconds),
    });
    const warnings = dropped ? [notice('limit-lost', { count: dropped })] : [];
    return { tunnel, activity, warnings };
  } finally {
    process.off('SIGINT', interrupt);
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

function showProgress(passed: number, seconds: number): void {
  const share = Math.min(1, passed / seconds);
  if (process.stderr.isTTY) {
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    process.stderr.write(`\rrecording [${bar}] ${Math.round(passed)} of ${seconds} s`);
  } else if (Math.round(passed) % 60 === 0) {
    process.stderr.write(`recording: ${Math.round(passed)} of ${seconds} s\n`);
  }
}

function cutWire(data: TunnelTrace['data'], { from, to, spanS }: Options): TunnelTrace['data'] {
  const firstS = data[0]?.timeS ?? 0;
  const fromS = from
    ? firstS + readNumber('--from', from, 0, 1e9)
    : (spanS?.[0] ?? Number.NEGATIVE_INFINITY);
  const toS = to
    ? firstS + readNumber('--to', to, 0, 1e9)
    : (spanS?.[1] ?? Number.POSITIVE_INFINITY);
  const kept = data.filter(({ timeS }) => timeS >= fromS && timeS <= toS);
  if (kept.length === 0) throw new Failure('no packet of the tunnel between --from and --to', 2);
  return kept;
}

async function writeOut(directory: string, result: object): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'audit.json'), `${JSON.stringify(result, null, 2)}\n`);
}

function readNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most)) {
    throw new Failure(`${option} is "${text}", expected a number from ${least} to ${most}`, 2);
  }
  return value;
}
