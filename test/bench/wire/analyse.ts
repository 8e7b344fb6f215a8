// What a provider could tell of one run of the lab, as JSON: node build/test/bench/wire/analyse.js FOLDER
import {
  type ObservedWindows,
  observeActivity,
  observeNext,
} from '../../../src/research/lab/findings/observer.ts';
import { readRunFolder } from '../../../src/research/lab/findings/run-folder.ts';
import type { LabSummary } from '../../../src/research/lab/findings/summary.ts';

const WINDOWS_S = [0.25, 1, 5];
const SEED = 1;

/** One run's figures. */
export interface Analysis {
  windows: Omit<ObservedWindows, 'devices'>[];
  next: ReturnType<typeof observeNext>;
  summary: LabSummary;
}

const { summary, attack, messages } = await readRunFolder(process.argv[2]!);
const turns = summary.turns ?? null;
const analysis: Analysis = {
  windows: observeActivity({ ...attack, turns }, { windowsS: WINDOWS_S, seed: SEED }),
  next: observeNext(attack, messages, SEED),
  summary,
};
process.stdout.write(JSON.stringify(analysis));
