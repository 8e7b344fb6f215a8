// `iotshaper audit`: can what the provider sees be told apart by what the devices did?

import { join } from 'node:path';
import type { Command } from 'commander';
import { alignEvents, parseEvents } from '../../../core/analysis/activity-events.ts';
import { auditTraces } from '../../../core/analysis/audit.ts';
import { recordOf, renderAudit } from '../../../core/analysis/audit-text.ts';
import { AUDIT_EXIT_CODES, reportAudit } from '../../../core/analysis/audit-verdict.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../../core/cost/cost.ts';
import { renderJson } from '../../../core/text/json.ts';
import { LineError } from '../../../core/text/line-error.ts';
import { RecordingError } from '../../analysis/live-capture.ts';
import { CaptureError } from '../../capture/reader.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure, USAGE_STATUS } from '../failure.ts';
import { readTextFile } from '../text-file.ts';
import { calibrate } from './audit-calibration.ts';
import { type AuditOptions, addAuditOptions, withRun } from './audit-options.ts';
import { cutWire, readSides } from './audit-sides.ts';

/** Exit status of an audit that could not be made: 1 would say that there is a leak. */
const NOT_MADE = 4;

/** Adds the command `audit`. */
export function registerAudit(program: Command, context: Context): void {
  const command = program
    .command('audit')
    .description("test whether the provider's view tells what devices do");
  addAuditOptions(command);
  command
    .addHelpText(
      'after',
      '\nExit status: 0 no leak found, 1 leak, 2 wrong options, 3 too short to tell, 4 the audit could not be made.',
    )
    .action((options: AuditOptions) => audit(context, options));
}

async function audit(context: Context, given: AuditOptions): Promise<void> {
  const known = [Failure, LineError, RecordingError, CaptureError, RangeError];
  try {
    const options = await withRun(context, given);
    await (options.calibrate ? calibrate : judge)(context, options);
  } catch (error) {
    const isUsage = error instanceof Failure && error.status === USAGE_STATUS;
    if (isUsage || !known.some((kind) => error instanceof kind)) throw error;
    throw new Failure((error as Error).message, NOT_MADE);
  }
}

async function judge(context: Context, options: AuditOptions): Promise<void> {
  const { system, console } = context;
  const { packetSize, error: familyError, seed } = options;
  const { tunnel, activity, warnings } = await readSides(context, options);
  const wire = cutWire(tunnel, options);
  const result = auditTraces({
    wire,
    activity,
    events: await readEvents(system, options.events, wire[0]!.timeS),
    windowsS: options.windows,
    ...(packetSize === undefined ? {} : { expectedBytes: packetSize + TUNNEL_OVERHEAD_BYTES }),
    familyError,
    seed,
  });
  result.limits.push(...warnings);
  const { home, endpoint, control } = tunnel;
  const report = reportAudit(result, Math.floor(system.clock.unixMs() / 1000));
  const full = { ...recordOf(result), home, endpoint, controlPackets: control.length, report };
  const json = renderJson(full);
  if (options.out) {
    await system.files.makeFolder(options.out);
    await system.files.write(join(options.out, 'audit.json'), json);
  }
  console.write(options.json ? json : renderAudit(result));
  console.setExitStatus(AUDIT_EXIT_CODES[result.level]);
}

/** Moments that matter, on the wire's clock. */
async function readEvents(
  system: Pick<System, 'files'>,
  path: string | undefined,
  startS: number,
): Promise<number[]> {
  if (path === undefined) return [];
  const events = parseEvents(await readTextFile(system, '--events', path, NOT_MADE), path);
  return alignEvents(events, startS).map(({ timeS }) => timeS);
}
