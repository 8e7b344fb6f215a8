// `iotshaper set`, `get`, `show`, `add`, `delete`, `on` and `off`: the configuration by hand, where there is no uci.
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { EditError, parseChange, UciEdit } from '../../../core/config/uci/uci-edit.ts';
import type { ConfigStatus, Status } from '../../../core/home/api.ts';
import { withFolderLock } from '../../endpoint/state/folder-lock.ts';
import { platformOf } from '../../system/platform.ts';
import { type System, SystemError } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure, requireRoot, usageFailure } from '../failure.ts';
import { defaultRunDir } from '../paths.ts';
import { askService } from './call.ts';

interface Options {
  config: string;
  runDir: string;
}

export function registerSettings(program: Command, context: Context): void {
  const { system, console } = context;
  const command = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--config <file>', 'UCI configuration', platformOf(system).configPath);
  const changing = (name: string, description: string): Command =>
    command(name, description).option(
      '--run-dir <dir>',
      'sockets and temporary files',
      defaultRunDir,
    );

  changing('set', 'change options and put them in force: "iotshaper set rate=40"')
    .argument(
      '<changes...>',
      'OPTION=VALUE: rate=40, tunnel.profile=FILE, @device[0].policy=block; of a list, house+=NETDEV and house-=NETDEV',
    )
    .action((changes: string[], options: Options) =>
      change(context, options, (edit) => {
        for (const one of changes) edit.apply(parseChange(one));
      }),
    );
  changing('add', 'add a network, device or schedule: "iotshaper add network device=eth1"')
    .argument('<type>', 'network, device or schedule')
    .argument('[options...]', 'OPTION=VALUE')
    .action((type: string, words: string[], options: Options) =>
      change(context, options, (edit) => edit.add(type, words.map(parseChange))),
    );
  changing('delete', 'take an option or a section away: "iotshaper delete @network[0]"')
    .argument('<place>', 'main.data_cap, @device[1], @device[-1].name')
    .action((place: string, options: Options) =>
      change(context, options, (edit) => edit.delete(place)),
    );
  for (const [name, value, what] of [
    ['on', '1', 'shape, and hide what the chosen devices do'],
    ['off', '0', 'stop shaping: devices use the Internet directly then'],
  ] as const) {
    changing(name, what).action((options: Options) =>
      change(context, options, (edit) => edit.apply({ place: 'enabled', how: 'set', value })),
    );
  }
  command('get', 'print what an option is set to, or its default; exit status 1 for neither')
    .argument('<option>', 'rate, @network[0].device')
    .action(async (place: string, { config }: Options) => {
      const edit = await open(system, config);
      const value = asUsage(() => edit.get(place));
      if (value === null) console.setExitStatus(1);
      else console.write(`${value}\n`);
    });
  command('show', 'print what is set, a line for each option')
    .argument('[section]', 'main, @device[0]')
    .action(async (section: string | undefined, { config }: Options) => {
      const edit = await open(system, config);
      for (const line of asUsage(() => edit.show(section ?? null))) console.write(`${line}\n`);
    });
}

/** The configuration to be looked at, or changed. @throws {Failure} where it can't be read */
async function open({ files }: Pick<System, 'files'>, path: string): Promise<UciEdit> {
  const { parseUci, sections } = await import('../home.ts');
  const bytes = await files.readBytes(path).catch((error: unknown) => {
    if (!(error instanceof SystemError && error.code === 'ENOENT')) throw error;
    throw new Failure(`${path}: is not there; is iot-shaper-home installed?`);
  });
  return new UciEdit(parseUci(bytes, 'iotshaper'), sections);
}

/** Changes the configuration, unless it were wrong then, and has the service take it. */
async function change(
  { system, console }: Context,
  { config: path, runDir }: Options,
  work: (edit: UciEdit) => void,
): Promise<void> {
  requireRoot(system, 'changing the configuration');
  const { parseConfig } = await import('../home.ts');
  await withFolderLock(system, dirname(path), async () => {
    const edit = await open(system, path);
    asUsage(() => work(edit));
    const bytes = edit.render();
    parseConfig(bytes); // says what is wrong
    await system.files.replace(path, bytes);
  });
  const answer = await askService(system, runDir, { method: 'reload' });
  if (!answer) {
    console.write('Kept. The service does not run; start it with: systemctl start iotshaper\n');
    return;
  }
  const { ok, errors, warnings } = answer.result as ConfigStatus;
  if (!ok) {
    const why = errors.map(({ message }) => message).join('\n');
    throw new Failure(`kept, but the service can't use it, and goes on as before:\n${why}`);
  }
  for (const warning of warnings) console.writeError(`warning: ${warning}\n`);
  const status = await askService(system, runDir, { method: 'status' });
  if (status) console.write(`${(status.result as Status).reason}\n`);
}

/** What can't be done as typed is a command line that is wrong. */
function asUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof EditError ? usageFailure(error.message) : error;
  }
}
