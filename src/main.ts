// The one program: service, command line and tools.
import { isMainThread } from 'node:worker_threads';
import { runCli } from './shell/cli/program.ts';
import { openConsole } from './shell/system/node/node-console.ts';
import { nodeSystem } from './shell/system/node/node-system.ts';

// The shaping thread starts this same file; it must not read the command line.
if (isMainThread) void runCli({ system: nodeSystem, console: openConsole() });
