// Runs a program's own lab and judges what its provider saw, over any stretch from the beginning.
import { spawn } from 'node:child_process';
import { auditTraces } from '../../src/core/analysis/audit.ts';
import type { AuditResult } from '../../src/core/analysis/audit-result.ts';
import { wireWithin } from '../../src/research/lab/findings/attack.ts';
import { type FinishedRun, readRunFolder } from '../../src/research/lab/findings/run-folder.ts';

export interface LabRunOptions {
  /** The bundle that is tested, both ends of it. */
  program: string;
  seconds: number;
  seed: number;
  id: string;
  out: string;
  /** All devices idle and active in turn, for so long each; otherwise each at times of its own. */
  alternateS?: number;
}

/**
 * Lets the household live in the lab, shaped by `program`.
 * @throws Error with what the lab said where it failed
 */
export async function runShaped(options: LabRunOptions): Promise<FinishedRun> {
  const { program, seconds, seed, id, out, alternateS } = options;
  const words = ['--seconds', seconds, '--seed', seed, '--id', id, '--out', out]
    .concat(alternateS === undefined ? [] : ['--alternate', alternateS])
    .map(String);
  const child = spawn(process.execPath, [program, 'lab', 'run', '--variant', 'vit', ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  if (status !== 0) throw new Error(`${program}: lab run ended with ${status}:\n${said}`);
  return readRunFolder(out);
}

/** The audit of the run's first `seconds`, as a user would get it. */
export function auditRun({ attack }: FinishedRun, seconds: number): AuditResult {
  const { startS, wire, home, events, seed } = attack;
  const span = { startS, endS: startS + seconds };
  const within = ({ timeS }: { timeS: number }) => timeS >= span.startS && timeS < span.endS;
  return auditTraces({
    wire: wireWithin({ ...span, wire }),
    span,
    activity: home.filter(within),
    events: events.filter(within).map(({ timeS }) => timeS),
    seed,
  });
}
