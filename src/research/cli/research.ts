// What research takes: attacks on captures, simulations and the lab. No router or endpoint has it.
import type { Command } from 'commander';
import type { Context } from '../../shell/cli/context.ts';
import { registerAttackActivity } from './attack-activity.ts';
import { registerAttackIdentify } from './attack-identify.ts';
import { registerAttackWatch } from './attack-watch.ts';
import { registerLab } from './lab.ts';
import { registerReport } from './report.ts';
import { registerSimulate } from './simulate.ts';

/** Adds `attack`, `simulate`, `report` and `lab`. */
export function registerResearch(program: Command, context: Context): void {
  const attack = program
    .command('attack')
    .description('what an observer makes of a capture: which devices, and what they did');
  registerAttackIdentify(attack, context);
  registerAttackActivity(attack, context);
  registerAttackWatch(attack, context);
  registerSimulate(program, context);
  registerReport(program, context);
  registerLab(program);
}
