// `iotshaper password` and `iotshaper page`: the page that the service serves itself, its password, where it is.
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../../core/config/types.ts';
import { findPasswordFault, PASSWORD_BYTES, wordPassword } from '../../../core/web/password.ts';
import { withFolderLock } from '../../endpoint/state/folder-lock.ts';
import { platformOf } from '../../system/platform.ts';
import type { System } from '../../system/system.ts';
import { hashPassword } from '../../web/password-hash.ts';
import {
  PASSWORD_FILE,
  pageUrls,
  readHouseSide,
  readIdentity,
  readPasswordHash,
} from '../../web/place.ts';
import type { Context } from '../context.ts';
import { Failure, requireRoot } from '../failure.ts';
import { readTextFile } from '../text-file.ts';

const SALT_BYTES = 16;

interface Options {
  config: string;
}

export function registerPage(program: Command, { system, console }: Context): void {
  const { configPath } = platformOf(system);
  program
    .command('password')
    .description(
      'set the password of the page that the service serves: one that is made up, or yours',
    )
    .argument('[file]', 'holds the password in its first line; - for standard input')
    .option('--config <file>', 'UCI configuration', configPath)
    .action(async (file: string | undefined, { config }: Options) => {
      requireRoot(system, 'iotshaper password');
      const password = file === undefined ? makeUp(system) : await readPassword(system, file);
      const salt = system.randomBytes(SALT_BYTES);
      const line = await hashPassword(password, salt);
      await withFolderLock(system, dirname(config), async () => {
        await system.files.replace(join(dirname(config), PASSWORD_FILE), `${line}\n`);
        await readIdentity(system, dirname(config));
      });
      console.write(
        file === undefined
          ? `The password of the page is ${password}\nIt is shown this once; "iotshaper password" makes another.\n`
          : 'The page has this password from now on.\n',
      );
      for (const text of await describePage(system, config)) console.write(`${text}\n`);
    });
  program
    .command('page')
    .description('print where the page is, and the fingerprint that a browser must show of it')
    .option('--config <file>', 'UCI configuration', configPath)
    .action(async ({ config }: Options) => {
      requireRoot(system, 'iotshaper page');
      for (const text of await describePage(system, config)) console.write(`${text}\n`);
    });
}

function makeUp(system: Pick<System, 'randomBytes'>): string {
  return wordPassword(system.randomBytes(PASSWORD_BYTES));
}

/** @throws {Failure} for one that is too weak */
async function readPassword(system: System, file: string): Promise<string> {
  const text = file === '-' ? await readInput(system) : await readTextFile(system, 'file', file);
  const password = text.split(/\r?\n/)[0]!;
  const fault = findPasswordFault(password);
  if (fault !== null) throw new Failure(`the password ${fault}`);
  return password;
}

async function readInput({ files }: Pick<System, 'files'>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of files.readPieces('-')) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes('\n')) break;
  }
  return text;
}

/** Where it is, or why it is nowhere. */
async function describePage(system: System, path: string): Promise<string[]> {
  const config = await readConfig(system, path);
  const folder = dirname(path);
  if (!config.main.page) return ['The page is off; "iotshaper set page=1" switches it on.'];
  if ((await readPasswordHash(system, folder)) === '') {
    return ['The page has no password yet and is not served; set one with: iotshaper password'];
  }
  const { addresses } = await readHouseSide(system, config);
  const { fingerprint } = await readIdentity(system, folder);
  if (addresses.length === 0) {
    return [
      'The page is served in your devices’ networks alone, and this machine has no address there yet; "iotshaper add network device=NETDEV" names one.',
    ];
  }
  return [
    ...pageUrls(addresses, config.main.pagePort),
    `Your browser will not know its certificate; accept it if its SHA-256 fingerprint is\n${fingerprint}`,
  ];
}

async function readConfig(system: System, path: string): Promise<Config> {
  const { readConfigFile } = await import('../home.ts');
  return (await readConfigFile(system, path)).config;
}
