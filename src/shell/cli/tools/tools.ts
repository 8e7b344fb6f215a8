// What a router has beside its service: the audit of the wire and the advice on rates.
import type { Command } from 'commander';
import { registerAudit } from './audit.ts';
import { type ReadCounters, registerRecommend } from './recommend.ts';

/** Adds `audit` and `recommend`. */
export function registerTools(program: Command, readCounters: ReadCounters): void {
  registerAudit(program);
  registerRecommend(program, readCounters);
}
