// How a command is added to `iotshaper endpoint`.
import type { Command } from 'commander';

/** Adds one that takes `--state-dir`. */
export type AddCommand = (name: string, description: string) => Command;
