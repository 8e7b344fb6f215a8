// The door of a machine on which QuickJS runs, with the one module in C that it needs.
import * as machine from 'quickjs:machine';
import { now } from 'quickjs:os';
import type { System } from '../system.ts';
import { quickjsFiles } from './files.ts';
import { loop } from './loop.ts';
import { quickjsProcesses } from './processes.ts';
import { quickjsSockets } from './sockets.ts';
import { startThread } from './thread.ts';

export const quickjsSystem: System = {
  clock: { monotonicMs: now, unixMs: () => Date.now() },
  timers: loop.timers,
  files: quickjsFiles,
  sockets: quickjsSockets,
  processes: quickjsProcesses,
  randomBytes: (count) => {
    const bytes = new Uint8Array(count);
    machine.random(bytes);
    return bytes;
  },
  startThread,
};
