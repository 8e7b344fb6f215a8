// What a router has beside its service: the audit of the wire and the advice on rates.
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { registerAudit } from './audit.ts';
import { type ReadCounters, registerRecommend } from './recommend.ts';

/** Adds `audit` and `recommend`. */
export function registerTools(
  program: Command,
  context: Context,
  readCounters: ReadCounters,
): void {
  registerAudit(program, context);
  registerRecommend(program, context, readCounters);
}
