// What every command is given.
import type { Console } from '../system/console.ts';
import type { System } from '../system/system.ts';

export interface Context {
  system: System;
  console: Console;
}
