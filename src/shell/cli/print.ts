// `iotshaper print`: every rule, route and argument the service would use, without touching the system.
import type { Command } from 'commander';
import { packageNameOf, parseUci } from '../../core/config/uci/uci.ts';
import { renderUciExport } from '../../core/config/uci/uci-writer.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { planExample } from '../../core/plan/example.ts';
import { configPath } from '../config/config-file.ts';
import { readGoodConfig } from '../home/config-source.ts';
import { interfaceReader } from '../network/interfaces.ts';
import type { System } from '../system/system.ts';
import { defaultSocketPath } from '../ubus/client.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';

export function registerPrint(program: Command, { system, console }: Context): void {
  program
    .command('print')
    .description('show the rules, queue, routes and OpenVPN configuration; changes nothing')
    .argument('[file]', 'UCI configuration', configPath)
    .option('--uci <file>', 'print a UCI file as "uci export" would, and nothing else')
    .action(async (file: string, { uci }: { uci?: string }) => {
      if (uci !== undefined) {
        console.write(await exportUci(system, uci));
        return;
      }
      const { good, status } = await readGoodConfig(
        system,
        file,
        interfaceReader(system, defaultSocketPath),
      );
      if (!good) throw new Failure(status.errors.map((error) => wordsOf(error)).join('\n'));
      const plan = planExample(good.config, good.profile);
      for (const [name, text] of Object.entries(plan)) {
        if (text !== '') console.write(`# ---- ${name}\n${text}\n`);
      }
    });
}

async function exportUci({ files }: Pick<System, 'files'>, file: string): Promise<Uint8Array> {
  const bytes = await files.readBytes(file).catch((error: Error) => {
    throw new Failure(`${file}: ${error.message}`);
  });
  return renderUciExport(parseUci(bytes, packageNameOf(file)));
}
