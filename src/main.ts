// The one program: a home's service, or the command line with everything else.
import { tellFailures } from './shell/cli/failure.ts';
import { readRunOptions } from './shell/cli/run/run-options.ts';
import { openConsole } from './shell/system/node/node-console.ts';
import { nodeSystem } from './shell/system/node/node-system.ts';

const context = { system: nodeSystem, console: openConsole() };
const options = readRunOptions(context.console.words);
void tellFailures(context, async () => {
  if (options) await (await import('./shell/cli/home.ts')).runService(context, options);
  else await (await import('./shell/cli/program.ts')).runCli(context);
});
