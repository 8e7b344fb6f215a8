// The service of a home where QuickJS runs it.
import './shell/system/quickjs/stand-ins/globals.ts';
import { exit } from 'quickjs:std';
import { Failure, tellFailures, USAGE_STATUS } from './shell/cli/failure.ts';
import { readRunOptions } from './shell/cli/run/run-options.ts';
import { loop } from './shell/system/quickjs/loop.ts';
import { exitStatus, openConsole } from './shell/system/quickjs/quickjs-console.ts';
import { quickjsSystem as system } from './shell/system/quickjs/quickjs-system.ts';
import { runShaper } from './shell/system/quickjs/shaper-entry.ts';

if (!runShaper()) {
  const console = openConsole();
  const options = readRunOptions(console.words);
  void tellFailures({ system, console }, async () => {
    if (!options) throw new Failure('QuickJS runs "iotshaper run" alone', USAGE_STATUS);
    const { runService } = await import('./shell/cli/run/run.ts');
    await runService({ system, console }, options);
  });
}
loop.run();
exit(exitStatus);
