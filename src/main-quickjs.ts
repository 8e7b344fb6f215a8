// The one program, where QuickJS runs it: a home's service, or the command line of one.
import './shell/system/quickjs/stand-ins/globals.ts';
import { tellFailures } from './shell/cli/failure.ts';
import { readRunOptions } from './shell/cli/run/run-options.ts';
import { openConsole, runToEnd } from './shell/system/quickjs/quickjs-console.ts';
import { quickjsSystem as system } from './shell/system/quickjs/quickjs-system.ts';
import { runShaper } from './shell/system/quickjs/shaper-entry.ts';

if (!runShaper()) {
  const context = { system, console: openConsole() };
  const options = readRunOptions(context.console.words);
  void tellFailures(context, async () => {
    if (options) await (await import('./shell/cli/home.ts')).runService(context, options);
    else await (await import('./shell/cli/program.ts')).runCli(context);
  });
}
runToEnd();
