// `iotshaper check`: is this configuration one the service would put in force?
import type { Command } from 'commander';
import type { ConfigVerdict } from '../../core/home/answers.ts';
import { notice } from '../../core/notices/notice.ts';
import type { GoodConfig } from '../home/config-source.ts';
import { succeeds } from '../system/command.ts';
import { platformOf } from '../system/platform.ts';
import type { System } from '../system/system.ts';
import type { Context } from './context.ts';

export function registerCheck(program: Command, { system, console }: Context): void {
  const { configPath, ubusSocket } = platformOf(system);
  program
    .command('check')
    .description('say what is wrong with the configuration; exit status 1 when something is')
    .argument('[file]', 'UCI configuration', configPath)
    .option('--json', 'as the bus has it')
    .option('--ubus <socket>', "ubusd's socket, where there is one", ubusSocket)
    .action(async (file: string, { json, ubus }: { json?: boolean; ubus: string }) => {
      const { renderConfigStatus } = await import('./home.ts');
      const { verdict } = await judgeConfig(system, file, ubus);
      const result = renderConfigStatus(verdict);
      if (json) console.write(`${JSON.stringify(result, null, 2)}\n`);
      else {
        for (const { message } of result.errors) console.writeError(`${message}\n`);
        for (const warning of result.warnings) console.writeError(`warning: ${warning}\n`);
        if (result.ok) console.write(`${[`${file}: valid`, ...(result.notes ?? [])].join('\n')}\n`);
      }
      console.setExitStatus(result.ok ? 0 : 1);
    });
}

/** Whether the service would put this configuration in force, and whether nftables takes its rules where it can be asked. */
export async function judgeConfig(
  system: System,
  file: string,
  ubus: string,
): Promise<{ good: GoodConfig | null; verdict: ConfigVerdict }> {
  const { checkNft, interfaceReader, measureLateness, planExample, readGoodConfig } = await import(
    './home.ts'
  );
  const { good, status } = await readGoodConfig(system, file, interfaceReader(system, ubus), {
    lateMs: measureLateness(system),
  });
  const verdict = { ...status, errors: [...status.errors] };
  if (good && system.processes.uid === 0 && (await succeeds(system, ['nft', '--version']))) {
    const complaint = await checkNft(system, planExample(good.config, good.profile).nft);
    if (complaint) {
      verdict.ok = false;
      const said = notice('rules-refused', { error: complaint });
      verdict.errors.push({ ...said, path: '', value: '' });
    }
  }
  return { good, verdict };
}
