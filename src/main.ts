// The one program: a home's service, or the command line with everything else.
import { tellFailures } from './shell/cli/failure.ts';
import { readRunOptions } from './shell/cli/run/run-options.ts';
import { openConsole } from './shell/system/node/node-console.ts';
import { nodeSystem } from './shell/system/node/node-system.ts';
import { platformOf } from './shell/system/platform.ts';

const system = nodeSystem;
const own = openConsole();
void tellFailures({ system, console: own }, async () => {
  const console = platformOf(system).isOpenWrt
    ? own
    : (await import('./shell/cli/debian/debian.ts')).onDebian(own);
  const context = { system, console };
  const options = readRunOptions(console.words);
  await tellFailures(context, async () => {
    if (options) await (await import('./shell/cli/home.ts')).runService(context, options);
    else await (await import('./shell/cli/program.ts')).runCli(context);
  });
});
