// Commands of the lab that build no network: figures of runs there already, a replay beside its simulation, plans.

import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { renderJson } from '../../core/text/json.ts';
import { numberBetween, numbersBetween, parseSeed } from '../../shell/cli/number-options.ts';
import type { DeviceId } from '../devices/catalogue.ts';
import { planHousehold } from '../lab/emulators/household.ts';
import { LabError } from '../lab/error.ts';
import { attackRun } from '../lab/findings/attack.ts';
import { compareRun, renderComparison } from '../lab/findings/comparison.ts';
import { renderDefences } from '../lab/findings/defences.ts';
import { observeNext, observeRun, renderObserver } from '../lab/findings/observer.ts';
import { observeOverTime, renderOverTime } from '../lab/findings/observer-over-time.ts';
import { readRunFolder } from '../lab/findings/run-folder.ts';
import { renderTraceCsv, traceOfPlan } from '../lab/traffic/plan-trace.ts';
import { deviceIds } from './lab-arguments.ts';
import { withInterrupts } from './lab-interrupts.ts';

/** Adds `table`, `observe`, `compare` and `plan` to `lab`. */
export function registerLabReading(lab: Command): void {
  lab
    .command('table')
    .description('figures of runs that are there already, attacked anew')
    .argument('<folder...>', 'what lab run --out left')
    .action((folders: string[]) => withInterrupts(() => printTable(folders)));
  lab
    .command('observe')
    .description(
      'what the strongest observer gets out of runs: whether anything happened, and which device it was',
    )
    .argument(
      '<folder...>',
      'what lab run --out left; give a placebo’s too to see what is beyond it',
    )
    .option(
      '--windows <s>',
      'lengths of window, with commas',
      numbersBetween(0.1, 3600),
      [1, 5, 60],
    )
    .option(
      '--over-time',
      'which device said most when, by windows in their order (hidden Markov model), trained in the other runs of the variant',
      false,
    )
    .option('--seed <n>', 'seed of forests and resampling', parseSeed, 1)
    .option('--json', 'print all figures as JSON', false)
    .action((folders: string[], flags: ObserveFlags) =>
      withInterrupts(() => observe(folders, flags)),
    );
  lab
    .command('compare')
    .description('hold a replay in the lab against the simulation of the same packets')
    .argument('<folder>', 'what lab run --variant vit --replay --out left')
    .option('--json', 'print all figures as JSON', false)
    .action((folder: string, { json }: { json: boolean }) =>
      withInterrupts(async () => {
        const compared = await compareRun(folder);
        process.stdout.write(json ? renderJson(compared) : renderComparison(compared));
      }),
    );
  lab
    .command('plan')
    .description('write what an emulated device would send and get, as a trace for simulate')
    .addOption(
      lab.createOption('--device <id>', 'whose traffic').choices(deviceIds).makeOptionMandatory(),
    )
    .option('--seconds <s>', 'how long it talks', numberBetween(1, 86_400), 600)
    .option('--seed <n>', 'same seed, same activity', parseSeed, 1)
    .option('--out <file>', 'CSV of time, size, direction; standard output otherwise')
    .action((flags: PlanFlags) => withInterrupts(() => writePlan(flags)));
}

interface ObserveFlags {
  windows: number[];
  overTime: boolean;
  seed: number;
  json: boolean;
}

async function observe(
  folders: readonly string[],
  { windows: windowsS, overTime, seed, json }: ObserveFlags,
): Promise<void> {
  if (overTime) {
    const homes = [];
    for (const folder of folders) {
      const { summary, attack } = await readRunFolder(folder);
      homes.push({ variant: summary.variant, attack });
    }
    const found = observeOverTime(homes, seed);
    process.stdout.write(json ? renderJson(found) : renderOverTime(found));
    return;
  }
  const runs = [];
  for (const folder of folders) {
    const { summary, attack, messages } = await readRunFolder(folder);
    const windows = observeRun({ ...attack, turns: summary.turns ?? null }, { windowsS, seed });
    const next = observeNext(attack, messages, seed);
    runs.push({ name: summary.variant, folder, windows, next });
  }
  process.stdout.write(json ? renderJson(runs) : renderObserver(runs));
}

interface PlanFlags {
  device: DeviceId;
  seconds: number;
  seed: number;
  out?: string;
}

async function printTable(folders: readonly string[]): Promise<void> {
  const runs = [];
  for (const folder of folders) {
    const run = await readRunFolder(folder);
    runs.push({ ...run, figures: attackRun(run.attack) });
  }
  process.stdout.write(renderDefences(runs));
}

async function writePlan({ device, seconds, seed, out }: PlanFlags): Promise<void> {
  const { exchanges } = planHousehold({ seed, durationS: seconds, devices: [device] });
  const text = renderTraceCsv(traceOfPlan(exchanges));
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(out, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new LabError(`--out ${out}: ${code === 'ENOENT' ? 'no such folder' : message}`);
  }
}
