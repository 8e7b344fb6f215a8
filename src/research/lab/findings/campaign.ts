// Several lab runs one after the other, each attacked when it is done.
import { join } from 'node:path';
import type { DeviceId } from '../../devices/catalogue.ts';
import { labDefaults, type Variant } from '../options.ts';
import { createProgress, type Screen } from '../progress.ts';
import { runLab } from '../run.ts';
import { type AttackFigures, attackRun } from './attack.ts';
import { type FinishedRun, readRunFolder } from './run-folder.ts';

/** What all runs of a campaign share. */
export interface CampaignOptions {
  /** Each run gets a folder of its name below. */
  out: string;
  seconds: number;
  rateKBps: number;
  packetBytes: number;
  seed: number;
  id: string;
}

/** One run of a campaign. */
export interface PlannedRun {
  name: string;
  variant: Variant;
  devices?: readonly DeviceId[];
  /** In place of the campaign's. */
  seed?: number;
}

export interface AttackedRun extends FinishedRun {
  name: string;
  figures: AttackFigures;
}

export interface Screens {
  stdout: Screen;
  stderr: Screen;
}

/** @throws as runLab */
export async function runCampaign(
  plan: readonly PlannedRun[],
  options: CampaignOptions,
  { stderr }: Screens,
  signal: AbortSignal,
): Promise<AttackedRun[]> {
  const runs: AttackedRun[] = [];
  for (const [index, { name, variant, devices = null, seed = options.seed }] of plan.entries()) {
    const progress = createProgress(stderr, `${index + 1}/${plan.length} ${name}`);
    const beganMs = performance.now();
    const out = join(options.out, name);
    const lab = {
      ...options,
      variant,
      out,
      seed,
      devices,
      intervalSdPercent: labDefaults.intervalSdPercent,
      replay: null,
      alternateS: null,
      dropPercent: 0,
      ipv6: false,
    };
    await runLab(lab, progress, signal).finally(() => progress.end());
    progress.step('attacking what the provider saw');
    const run = await readRunFolder(out);
    runs.push({ ...run, name, figures: attackRun(run.attack) });
    progress.warn(`done in ${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
  }
  return runs;
}
