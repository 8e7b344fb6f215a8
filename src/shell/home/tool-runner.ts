// Audit and recommendation: too heavy for the service's own event loop, so the program runs itself beside it.
import type { MainConfig } from '../../core/config/types.ts';
import { renderReason } from '../../core/home/answers.ts';
import type { AuditReport, AuditStart, Recommendation } from '../../core/home/api.ts';
import { type Notice, type NoticeValue, notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { RatelessShape } from '../../core/simulation/recommend.ts';
import { rateBounds } from '../../core/stream/stream.ts';
import type { Child, System } from '../system/system.ts';

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
  readonly #system: System;
  readonly #runDir: string;
  #audit: Child | null = null;
  #report: AuditReport = { state: 'none' };
  #startedMs = 0;
  #seconds = 0;

  constructor(system: System, runDir: string) {
    this.#system = system;
    this.#runDir = runDir;
  }

  /** Starts an audit; says why not when one runs or there is nothing to look at. */
  startAudit(target: AuditTarget | Notice, seconds: number): AuditStart {
    if ('code' in target) return { started: false, ...renderReason(target), seconds };
    if (this.#audit) return { started: false, ...renderReason(notice('audit-running')), seconds };
    const words = [
      ...['audit', '--wan', target.wan, '--lan', target.lan.join(',')],
      ...['--port', `${target.port}`, '--packet-size', `${target.packetBytes}`],
      ...['--seconds', `${seconds}`, '--json'],
      ...(target.devices.length > 0 ? ['--device', target.devices.join(',')] : []),
    ];
    const { clock } = this.#system;
    this.#startedMs = clock.monotonicMs();
    this.#seconds = seconds;
    this.#report = { state: 'running', time: Math.floor(clock.unixMs() / 1000), seconds };
    const { child, output } = runSelf(this.#system, words);
    this.#audit = child;
    void output.then(({ stdout, stderr }) => {
      this.#audit = null;
      this.#report = readReport(stdout, stderr, this.#report);
    });
    return { started: true, seconds };
  }

  auditResult(): AuditReport {
    if (this.#report.state !== 'running') return this.#report;
    const ranMs = this.#system.clock.monotonicMs() - this.#startedMs;
    const share = ranMs / 1000 / this.#seconds;
    // Sums are done when the recording is: the bar waits at 99 for them.
    return { ...this.#report, progress_percent: Math.min(99, Math.floor(share * 100)) };
  }

  /** Asks for the lowest rates on what the service has counted, at this size and mode. */
  async recommend({ packetBytes, mode, intervalSdPercent }: ShapeInForce): Promise<Recommendation> {
    const { child, output } = runSelf(this.#system, [
      ...['recommend', '--live', '--run-dir', this.#runDir, '--json'],
      ...['--packet-size', `${packetBytes}`, '--mode', mode, '--sd', `${intervalSdPercent}`],
      ...['--max-mean', `${TOLERANCE.meanMs}`, '--max', `${TOLERANCE.maxMs}`],
    ]);
    const cancelKill = this.#system.timers.after(RECOMMEND_MS, () => child.kill('SIGKILL'));
    const { stdout, stderr } = await output;
    cancelKill();
    return readAdvice(stdout, stderr);
  }

  stop(): void {
    this.#audit?.kill('SIGTERM');
  }
}

interface Output {
  stdout: string;
  stderr: string;
}

function runSelf(
  { processes }: System,
  words: readonly string[],
): { child: Child; output: Promise<Output> } {
  const stdout = new Said();
  const stderr = new Said();
  let tell = (_: Output): void => {};
  const output = new Promise<Output>((resolve) => {
    tell = resolve;
  });
  const child = processes.spawn([...NICE, ...processes.program, ...words], {
    onOutput: (piece) => stdout.push(piece),
    onErrorOutput: (piece) => stderr.push(piece),
    onExit: ({ failure }) => tell({ stdout: stdout.text, stderr: failure ?? stderr.text }),
  });
  child.endInput();
  return { child, output };
}

/** Text as it comes, up to a bound. */
class Said {
  readonly #decoder = new TextDecoder();
  text = '';

  push(piece: Uint8Array): void {
    if (this.text.length < MAX_OUTPUT) this.text += this.#decoder.decode(piece, { stream: true });
  }
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
  rate_kBps: number;
  latency: { mean_ms: number; max_ms: number };
}

interface Advice {
  best?: {
    shape: { packet_bytes: number; mode: RatelessShape['mode'] };
    up: DirectionAdvice | null;
    down: DirectionAdvice | null;
    gb_per_month: number | null;
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
  const worst = (name: 'mean_ms' | 'max_ms'): number =>
    Math.round(Math.max(...delays.map(({ latency }) => latency[name])));
  return {
    ok: true,
    ...renderReason(
      notice('recommendation-basis', { mean: TOLERANCE.meanMs, max: TOLERANCE.maxMs }),
    ),
    upload_kBps: best.up.rate_kBps,
    download_kBps: best.down.rate_kBps,
    packet_size: best.shape.packet_bytes,
    mode: best.shape.mode,
    mean_ms: worst('mean_ms'),
    max_ms: worst('max_ms'),
    ...(best.gb_per_month === null
      ? {}
      : { gb_per_month: Math.round(best.gb_per_month * 100) / 100 }),
  };
}
