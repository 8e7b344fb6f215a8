// The two sides of an audit, from captures or recorded now: what the provider sees, what the devices did.
import type { ActivitySample } from '../../../core/analysis/audit-activity.ts';
import { type Notice, notice } from '../../../core/notices/notice.ts';
import { readActivity, readTunnel, type TunnelTrace } from '../../analysis/audit-capture.ts';
import { recordLive } from '../../analysis/live-capture.ts';
import type { Console } from '../../system/console.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import type { AuditOptions } from './audit-options.ts';

/** Where OpenVPN listens unless somebody chose otherwise. */
const USUAL_PORT = 1194;

export interface Sides {
  tunnel: TunnelTrace;
  activity: ActivitySample[];
  warnings: Notice[];
}

/** @throws {Failure} where the options name neither captures nor netdevs */
export async function readSides(context: Context, options: AuditOptions): Promise<Sides> {
  const { wan, lan, wire, activity, port, home } = options;
  const devices = options.device?.map((address) => address.toLowerCase());
  if (wan) {
    if (!lan) throw usageFailure('--wan needs --lan: the netdevs behind which the devices are');
    const sources = devices ? { lan, devices } : { lan };
    return record(context, wan, sources, port ?? USUAL_PORT, options.seconds);
  }
  if (!wire || !activity) {
    throw usageFailure(
      'give --wire and --activity (captures), or --wan and --lan (netdevs to record)',
    );
  }
  const { system, console } = context;
  const warn = (message: string) => console.writeError(`warning: ${message}\n`);
  const tunnel = await readTunnel(
    system,
    wire,
    {
      ...(port === undefined ? {} : { port }),
      ...(home === undefined ? {} : { home }),
    },
    warn,
  );
  return { tunnel, activity: await readActivity(system, activity, devices, warn), warnings: [] };
}

async function record(
  { system, console }: Context,
  wan: string,
  activity: { lan: string[]; devices?: string[] },
  port: number,
  seconds: number,
): Promise<Sides> {
  const interruption = new AbortController();
  const cancel = console.onSignal('SIGINT', () => interruption.abort());
  try {
    const recording = await recordLive(system, {
      wan,
      port,
      activity,
      seconds,
      signal: interruption.signal,
      onProgress: (passed) => showProgress(console, passed, seconds),
    });
    const { tunnel, dropped } = recording;
    const warnings = dropped ? [notice('limit-lost', { count: dropped })] : [];
    return { tunnel, activity: recording.activity, warnings };
  } finally {
    cancel();
    if (console.isTerminal) console.writeError('\n');
  }
}

function showProgress(console: Console, passed: number, seconds: number): void {
  const share = Math.min(1, passed / seconds);
  if (console.isTerminal) {
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    console.writeError(`\rrecording [${bar}] ${Math.round(passed)} of ${seconds} s`);
  } else if (Math.round(passed) % 60 === 0) {
    console.writeError(`recording: ${Math.round(passed)} of ${seconds} s\n`);
  }
}

/** The tunnel's packets between --from and --to, else in a lab run's span. @throws {Failure} where there is none */
export function cutWire(
  { data }: TunnelTrace,
  { from, to, spanS }: AuditOptions,
): TunnelTrace['data'] {
  const firstS = data[0]?.timeS ?? 0;
  const fromS = from === undefined ? (spanS?.[0] ?? Number.NEGATIVE_INFINITY) : firstS + from;
  const toS = to === undefined ? (spanS?.[1] ?? Number.POSITIVE_INFINITY) : firstS + to;
  const kept = data.filter(({ timeS }) => timeS >= fromS && timeS <= toS);
  if (kept.length === 0) throw new Failure('no packet of the tunnel between --from and --to');
  return kept;
}
