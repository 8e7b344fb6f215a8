// What an observer of a simulated wire still finds out about the devices behind it.
import { auditTraces } from '../../core/analysis/audit.ts';
import type { AuditLevel } from '../../core/analysis/audit-result.ts';
import type { Interval } from '../../core/analysis/statistics/auc-interval.ts';
import type { WirePacket } from '../../core/analysis/wire-features.ts';
import { TUNNEL_OVERHEAD_BYTES } from '../../core/cost/cost.ts';
import { sentencesOf } from '../../core/notices/words.ts';
import type { DeviceSample, Trace } from '../../shell/simulation/trace.ts';
import { simulate } from './simulate.ts';
import type { Variant, VariantName } from './variants.ts';

export interface AttackResult {
  variant: VariantName;
  level: AuditLevel;
  /** AUC of telling active from idle windows; 0.5 is chance. Windows that hold too few packets are left out. */
  windows: { windowS: number; auc: Interval | null }[];
  /** The verdict in words. */
  sentence: string;
}

/** The first `seconds` of a trace, which has to fit into memory. */
export async function beginningOf(trace: Trace, seconds: number): Promise<DeviceSample[]> {
  const samples: DeviceSample[] = [];
  const chunks = Symbol.asyncIterator in trace ? trace : [trace];
  for await (const chunk of chunks) {
    for (const sample of chunk) {
      if (sample.timeS - (samples[0] ?? sample).timeS > seconds) return samples;
      samples.push(sample);
    }
  }
  return samples;
}

/**
 * Simulates each variant and audits what it shows, as `audit` does with a real recording. Simulated
 * slots have no jitter, so what constant intervals leak through that is not seen here.
 */
export async function attackVariants(
  samples: readonly DeviceSample[],
  variants: readonly Variant[],
  seed: number,
): Promise<AttackResult[]> {
  const attacks: AttackResult[] = [];
  const startS = samples[0]?.timeS ?? 0;
  const activity = samples.map((sample) => ({ ...sample, timeS: sample.timeS - startS }));
  for (const variant of variants) {
    const wire: WirePacket[] = [];
    await simulate(activity, [variant], {
      seed,
      onWire: (_variant, timeS, bytes, direction) => wire.push({ timeS, bytes, direction }),
    });
    if (wire.length === 0) continue;
    const isShaped = variant.uploadKBps > 0;
    const { level, windows, verdict } = auditTraces({
      wire,
      activity,
      seed,
      ...(isShaped && { expectedBytes: variant.packetBytes + TUNNEL_OVERHEAD_BYTES }),
    });
    attacks.push({
      variant: variant.name,
      level,
      windows: windows.map(({ windowS, forest }) => ({ windowS, auc: forest })),
      sentence: sentencesOf(verdict),
    });
  }
  return attacks;
}
