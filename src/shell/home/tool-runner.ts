// Audit and recommendation: too heavy for the service's own event loop, so the program runs itself beside it.
import { type ChildProcess, spawn } from 'node:child_process';
import type { MainConfig } from '../../core/config/types.ts';
import { renderReason } from '../../core/home/answers.ts';
import type { AuditReport, AuditStart, Recommendation } from '../../core/home/api.ts';
import { type Notice, type NoticeValue, notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { RatelessShape } from '../../core/simulation/recommend.ts';
import { rateBounds } from '../../core/stream/stream.ts';
import { systemEnvironment } from '../system/command.ts';

/** Lowest priority: the tools may take long, packets may not wait for them. */
const NICE = ['nice', '-n', '19'];
const RECOMMEND_MS = 25_000;
const MAX_OUTPUT = 4 << 20;
/** What a device should wait at most when nobody says otherwise: mean and longest, ms. */
const TOLERANCE = { meanMs: 250, maxMs: 2000 };

/** What an audit needs to know of the machine. */
export interface AuditTarget {
  /** Netdev by which the tunnel leaves. */
  wan: string;
  /** Netdevs behind which devices are. */
  lan: readonly string[];
  /** MAC addresses of the devices where others share those netdevs; empty for all. */
  devices: readonly string[];
  port: number;
  packetBytes: number;
}

/** What a recommendation takes as given. */
export type ShapeInForce = Pick<MainConfig, 'packetBytes' | 'mode' | 'intervalSdPercent'>;

/** Runs one audit at a time and remembers the last. */
export class ToolRunner {
  readonly #runDir: string;
  #audit: ChildProcess | null = null;
  #report: AuditReport = { state: 'none' };
  #startedMs = 0;
  #seconds = 0;

  constructor(runDir: string) {
    this.#runDir = runDir;
  }

  /** Starts an audit; says why not when one runs or there is nothing to look at. */
  startAudit(target: AuditTarget | Notice, seconds: number): AuditStart {
    if ('code' in target) return { started: false, ...renderReason(target), seconds };
    if (this.#audit) return { started: false, ...renderReason(notice('audit-running')), seconds };
    const words = [
      ...['audit', '--wan', target.wan, '--lan', ...target.lan],
      ...['--port', `${target.port}`, '--packet-size', `${target.packetBytes}`],
      ...['--seconds', `${seconds}`, '--json'],
      ...(target.devices.length > 0 ? ['--device', ...target.devices] : []),
    ];
    this.#startedMs = performance.now();
    this.#seconds = seconds;
    this.#report = { state: 'running', time: Math.floor(Date.now() / 1000), seconds };
    const { child, output } = runSelf(words);
    this.#audit = child;
    void output.then(({ stdout, stderr }) => {
      this.#audit = null;
      this.#report = readReport(stdout, stderr, this.#report);
    });
    return { started: true, seconds };
  }

  auditResult(): AuditReport {
    if (this.#report.state !== 'running') return this.#report;
    const share = (performance.now() - this.#startedMs) / 1000 / this.#seconds;
    // Sums are done when the recording is: the bar waits at 99 for them.
    return { ...this.#report, progress_percent: Math.min(99, Math.floor(share * 100)) };
  }

  /** Asks for the lowest rates on what the service has counted, at this size and mode. */
  async recommend({ packetBytes, mode, intervalSdPercent }: ShapeInForce): Promise<Recommendation> {
    const { child, output } = runSelf([
      ...['recommend', '--live', '--run-dir', this.#runDir, '--json'],
      ...['--packet-size', `${packetBytes}`, '--mode', mode, '--sd', `${intervalSdPercent}`],
      ...['--max-mean', `${TOLERANCE.meanMs}`, '--max', `${TOLERANCE.maxMs}`],
    ]);
    const timer = setTimeout(() => child.kill('SIGKILL'), RECOMMEND_MS);
    const { stdout, stderr } = await output;
    clearTimeout(timer);
    return readAdvice(stdout, stderr);
  }

  stop(): void {
    this.#audit?.kill('SIGTERM');
  }
}

function runSelf(words: readonly string[]): {
  child: ChildProcess;
  output: Promise<{ stdout: string; stderr: string }>;
} {
  const argv = [...NICE, process.execPath, process.argv[1]!, ...words];
  const child = spawn(argv[0]!, argv.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: systemEnvironment(),
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (said[name].length < MAX_OUTPUT) said[name] += text;
    });
  }
  const output = new Promise<{ stdout: string; stderr: string }>((resolve) => {
    child.on('error', (error) => {
      said.stderr += error.message;
    });
    child.on('close', () => resolve(said));
  });
  return { child, output };
}

/** The tool's own words without its name in front. */
function lastWords(stderr: string): NoticeValue {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  return line.replace(/^iotshaper: /, '') || notice('tool-silent');
}

function readReport(stdout: string, stderr: string, begun: AuditReport): AuditReport {
  try {
    const { report } = JSON.parse(stdout) as { report: AuditReport };
    return { ...report, time: begun.time ?? 0, seconds: begun.seconds ?? 0, state: 'done' };
  } catch {
    const said = notice('audit-not-made', { why: lastWords(stderr) });
    return { ...begun, state: 'failed', sentence: wordsOf(said), sentence_notices: [said] };
  }
}

interface DirectionAdvice {
  rateKBps: number;
  latency: { meanMs: number; maxMs: number };
}

interface Advice {
  best?: {
    shape: RatelessShape;
    up: DirectionAdvice | null;
    down: DirectionAdvice | null;
    gbPerMonth: number | null;
  };
}

function readAdvice(stdout: string, stderr: string): Recommendation {
  let best: Advice['best'];
  try {
    ({ best } = JSON.parse(stdout) as Advice);
  } catch {
    return {
      ok: false,
      ...renderReason(notice('recommendation-not-made', { why: lastWords(stderr) })),
    };
  }
  if (!best?.up || !best.down) {
    return { ok: false, ...renderReason(notice('recommendation-none', { most: rateBounds.most })) };
  }
  const delays = [best.up, best.down];
  const worst = (name: 'meanMs' | 'maxMs'): number =>
    Math.round(Math.max(...delays.map(({ latency }) => latency[name])));
  return {
    ok: true,
    ...renderReason(
      notice('recommendation-basis', { mean: TOLERANCE.meanMs, max: TOLERANCE.maxMs }),
    ),
    upload_kBps: best.up.rateKBps,
    download_kBps: best.down.rateKBps,
    packet_size: best.shape.packetBytes,
    mode: best.shape.mode,
    mean_ms: worst('meanMs'),
    max_ms: worst('maxMs'),
    ...(best.gbPerMonth === null ? {} : { gb_per_month: Math.round(best.gbPerMonth * 100) / 100 }),
  };
}
