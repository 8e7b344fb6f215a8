// `iotshaper print`: every rule, route and argument the service would use, without touching the system.
import type { Command } from 'commander';
import { platformOf } from '../system/platform.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';

export function registerPrint(program: Command, { system, console }: Context): void {
  const { configPath, ubusSocket } = platformOf(system);
  program
    .command('print')
    .description('show the rules, queue, routes and OpenVPN configuration; changes nothing')
    .argument('[file]', 'UCI configuration', configPath)
    .option('--uci <file>', 'print a UCI file as "uci export" would, and nothing else')
    .action(async (file: string, { uci }: { uci?: string }) => {
      const { exportUci, interfaceReader, planExample, readGoodConfig, wordsOf } = await import(
        './home.ts'
      );
      if (uci !== undefined) {
        console.write(await exportUci(system, uci));
        return;
      }
      const { good, status } = await readGoodConfig(
        system,
        file,
        interfaceReader(system, ubusSocket),
      );
      if (!good) throw new Failure(status.errors.map((error) => wordsOf(error)).join('\n'));
      const plan = planExample(good.config, good.profile);
      for (const [name, text] of Object.entries(plan)) {
        if (text !== '') console.write(`# ---- ${name}\n${text}\n`);
      }
    });
}
