// `iotshaper tunnel`: puts the profile that the endpoint printed in its place and in force.
import type { Command } from 'commander';
import type { ProfileCheck } from '../../../core/home/api.ts';
import { platformOf } from '../../system/platform.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure, requireRoot } from '../failure.ts';
import { defaultRunDir } from '../paths.ts';
import { readTextFile } from '../text-file.ts';
import { askService } from './call.ts';

interface TunnelOptions {
  config: string;
  runDir: string;
}

export function registerTunnel(program: Command, { system, console }: Context): void {
  program
    .command('tunnel')
    .description('take the profile that "iotshaper endpoint add-home" printed')
    .argument('<file>', 'the profile')
    .option('--config <file>', 'UCI configuration', platformOf(system).configPath)
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async (file: string, { config, runDir }: TunnelOptions) => {
      requireRoot(system, 'iotshaper tunnel');
      const text = await readTextFile(system, 'profile', file);
      const answer = await askService(system, runDir, { method: 'profile_store', text });
      const verdict = (answer?.result ?? (await storeHere(system, config, text))) as ProfileCheck;
      if (!verdict.ok) {
        throw new Failure(
          verdict.errors
            .map(({ line, message }) => `${file}${line > 0 ? `, line ${line}` : ''}: ${message}`)
            .join('\n'),
        );
      }
      console.write(
        verdict.tried
          ? `The profile for ${verdict.endpoint} is tried; the one in use stays in use until it connects.\n`
          : `The profile for ${verdict.endpoint} is in its place.\n`,
      );
      if (!answer) {
        console.write('The service does not run; start it with: systemctl start iotshaper\n');
      }
    });
}

async function storeHere(system: System, config: string, text: string): Promise<ProfileCheck> {
  const { judgeProfile, profilePath, storeProfile } = await import('../home.ts');
  const verdict = judgeProfile(text);
  if (verdict.ok) await storeProfile(system, await profilePath(system, config), text);
  return verdict;
}
