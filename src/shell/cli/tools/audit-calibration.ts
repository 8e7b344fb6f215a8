// `iotshaper audit --calibrate`: how much a router's own jitter tells, and the interval_sd that hides it.
import {
  type IntervalSdProposal,
  type JitterFigures,
  measureJitter,
  proposeIntervalSd,
} from '../../../core/analysis/audit-calibration.ts';
import { streamDefaults } from '../../../core/stream/stream.ts';
import { renderJson } from '../../../core/text/json.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { AuditOptions } from './audit-options.ts';
import { cutWire, readSides } from './audit-sides.ts';

/** Measures and prints. @throws {Failure} where there is too little to measure */
export async function calibrate(context: Context, options: AuditOptions): Promise<void> {
  const { console } = context;
  const percent = options.intervalSd ?? streamDefaults.intervalSdPercent;
  const { tunnel, activity } = await readSides(context, options);
  const jitter = measureJitter(cutWire(tunnel, options), activity, percent);
  if (jitter.length === 0) throw new Failure('too few packets of the tunnel to measure jitter');
  const proposals = jitter.map((figures) => ({
    ...figures,
    proposal: figures.resolved ? proposeFor(figures) : null,
  }));
  if (options.json) {
    console.write(renderJson(proposals));
    return;
  }
  for (const { direction, meanIntervalMs, idle, active, proposal } of proposals) {
    const jitterText = [idle, active]
      .map(
        ({ jitterSdMs, uncertainMs, intervals }) =>
          `${jitterSdMs.toFixed(3)} ± ${uncertainMs.toFixed(3)} ms (${intervals} intervals)`,
      )
      .join(' idle, ');
    console.write(
      `${direction}: mean interval ${meanIntervalMs.toFixed(2)} ms, jitter ${jitterText} active; ${proposal ? proposalText(proposal) : 'no difference to be seen, so none to be hidden: keep interval_sd'}\n`,
    );
  }
  if (percent > 0) {
    console.write(
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

function proposeFor({ meanIntervalMs, idle, active }: JitterFigures): IntervalSdProposal {
  return proposeIntervalSd({
    meanIntervalMs,
    idleJitterSdMs: idle.jitterSdMs,
    activeJitterSdMs: active.jitterSdMs,
  });
}
