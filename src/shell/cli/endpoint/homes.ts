// `iotshaper endpoint add-home`, `rotate`, `remove-home` and `list`: the homes that an endpoint serves.
import { join } from 'node:path';
import { renderTable } from '../../../core/plot/text-table.ts';
import { removeHome } from '../../endpoint/registry.ts';
import { askLocalApi, NotRunningError } from '../../machine/local-api.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { defaultRunDir } from '../paths.ts';
import type { AddCommand } from './command.ts';
import { parseHomeName } from './place-options.ts';
import { requireFreshFile, writeSecret } from './profile-file.ts';
import { openRegistry } from './registry.ts';

interface ProfileFlags {
  stateDir: string;
  out?: string;
}

/** As the service tells of a home. */
interface Served {
  name: string;
  online: boolean;
}

/** Adds them to the command `endpoint`. */
export function registerHomes(command: AddCommand, context: Context): void {
  const { system, console } = context;

  const issue = async (
    make: (deliver: (profile: string) => Promise<void>) => Promise<string>,
    out: string | undefined,
    done: string,
  ): Promise<void> => {
    if (out === undefined) {
      console.write(await make(async () => {}));
      return;
    }
    await requireFreshFile(context, out);
    await make((profile) => writeSecret(context, out, profile));
    console.writeError(
      `${done} Its profile is ${out}, a secret: upload it on the home's router under Services, IoT Privacy, Tunnel, then delete it here.\n`,
    );
  };

  command('add-home', 'add a home and print the profile to upload on its router')
    .argument('<name>', 'letters, digits, dots, dashes, underscores', parseHomeName)
    .option('--out <file>', 'write the profile to a new file that only you can read')
    .action(async (name: string, { stateDir, out }: ProfileFlags) => {
      const store = await openRegistry(system, stateDir);
      return issue((deliver) => store.addHome(name, deliver), out, `Home "${name}" is added.`);
    });

  command('rotate', "give a home new keys and print its new profile; the old one's no longer count")
    .argument('<name>', 'of the home')
    .option('--out <file>', 'write the profile to a new file that only you can read')
    .action(async (name: string, { stateDir, out }: ProfileFlags) => {
      const store = await openRegistry(system, stateDir);
      const done = `Home "${name}" has new keys, and is cut off until it has the new profile.`;
      return issue((deliver) => store.rotateHome(name, deliver), out, done);
    });

  command('remove-home', 'remove a home; its profile is worth nothing from then on')
    .argument('<name>', 'of the home')
    .action(async (name: string, { stateDir }: { stateDir: string }) => {
      const left = await removeHome(await openRegistry(system, stateDir), name);
      const others = left.map((home) => home.name).join(', ') || 'none';
      console.writeError(
        `Home "${name}" is removed: its profile is worth nothing any more, and its devices stay cut off until its router has another. Homes left: ${others}.\n`,
      );
    });

  command('list', 'list the homes, and whether each is connected')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .option('--json', 'for programs')
    .action(async (options: { stateDir: string; runDir: string; json?: boolean }) => {
      const store = await openRegistry(system, options.stateDir);
      const { tunnelNet } = await store.identity();
      const homes = await store.homes();
      const served = await askServed(system, options.runDir);
      const holders = await store.holders?.();
      const endpoints = await store.endpoints?.();
      const rows = homes.map(({ name, host, fingerprint, controlKey }) => ({
        name,
        address: `${tunnelNet}.${host}`,
        state: controlKey === '' ? 'without-key' : stateOf(name, served, holders),
        fingerprint,
        // Of a fleet, the one it is connected to.
        ...(holders ? { endpoint: holders.get(name) ?? null } : {}),
      }));
      if (options.json)
        console.write(
          `${JSON.stringify({ homes: rows, ...(endpoints ? { endpoints } : {}) }, null, 2)}\n`,
        );
      else if (rows.length === 0) {
        console.write('No homes yet; add one: iotshaper endpoint add-home NAME --out NAME.ovpn\n');
      } else {
        const titles = ['HOME', 'ADDRESS', 'STATE', 'FINGERPRINT'].map((title) => ({ title }));
        const cells = rows.map(({ name, address, state, fingerprint, endpoint }) => [
          ...[name, address, endpoint ? `connected to ${endpoint}` : words[state], fingerprint],
        ]);
        console.write(renderTable(titles, cells));
      }
      const drained = (endpoints ?? []).filter((one) => one.drained).map((one) => one.name);
      if (drained.length > 0 && !options.json)
        console.write(`Drained, so homes are sent on to others: ${drained.join(', ')}\n`);
      for (const { name, state } of rows) {
        if (state !== 'without-key') continue;
        console.writeError(
          `warning: home "${name}" is of an older version and can't be served; run "iotshaper endpoint rotate ${name}", then upload the new profile\n`,
        );
      }
    });
}

const words = {
  connected: 'connected',
  disconnected: 'disconnected',
  'not-served': 'not served: no service',
  'without-key': "can't be served",
} as const;

function stateOf(
  name: string,
  served: readonly Served[] | null,
  holders: ReadonlyMap<string, string> | undefined,
): keyof typeof words {
  if (holders) return holders.has(name) ? 'connected' : 'disconnected';
  if (served === null) return 'not-served';
  return served.find((home) => home.name === name)?.online ? 'connected' : 'disconnected';
}

/** What the running service says of its homes; null where none runs. */
async function askServed(
  system: Pick<System, 'sockets' | 'timers'>,
  runDir: string,
): Promise<readonly Served[] | null> {
  try {
    const status = await askLocalApi(system, join(runDir, 'api.sock'), { method: 'status' });
    const { homes = [] } = status as { homes?: Served[] };
    return homes;
  } catch (error) {
    if (error instanceof NotRunningError) return null;
    throw error;
  }
}
