// `iotshaper print`: every rule, route and argument the service would use, without touching the system.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { packageNameOf, parseUci } from '../../core/config/uci/uci.ts';
import { renderUciExport } from '../../core/config/uci/uci-writer.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { planExample } from '../../core/plan/example.ts';
import { configPath } from '../config/config-file.ts';
import { readGoodConfig } from '../home/config-source.ts';
import { Failure } from './failure.ts';

export function registerPrint(program: Command): void {
  program
    .command('print')
    .description('show the rules, queue, routes and OpenVPN configuration; changes nothing')
    .argument('[file]', 'UCI configuration', configPath)
    .option('--uci <file>', 'print a UCI file as "uci export" would, and nothing else')
    .action(async (file: string, { uci }: { uci?: string }) => {
      if (uci !== undefined) {
        process.stdout.write(await exportUci(uci));
        return;
      }
      const { good, status } = await readGoodConfig(file);
      if (!good) throw new Failure(status.errors.map((error) => wordsOf(error)).join('\n'));
      const plan = planExample(good.config, good.profile);
      for (const [name, text] of Object.entries(plan)) {
        if (text !== '') process.stdout.write(`# ---- ${name}\n${text}\n`);
      }
    });
}

async function exportUci(file: string): Promise<Buffer> {
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Failure(`${file}: ${error.message}`);
  });
  return renderUciExport(parseUci(bytes, packageNameOf(file)));
}
