// `iotshaper endpoint init`, `set-host`, `set-port`, `set-ranges`, `export` and `import`: what this machine is to homes, and how that moves to another one.

import { NO_LIMITS } from '../../../core/endpoint/admission/limits.ts';
import { parseCopy, renderCopy } from '../../../core/endpoint/keeping.ts';
import { findFreePort, toFreeNets, toHost, toPort } from '../../../core/endpoint/place.ts';
import { isSame } from '../../../core/equality/equality.ts';
import { wordsOf } from '../../../core/notices/words.ts';
import { formatRemote } from '../../../core/openvpn/remote.ts';
import { insideRanges } from '../../../core/plan/nft/nft-endpoint.ts';
import { listPrefixes } from '../../endpoint/examine.ts';
import { seeHost } from '../../endpoint/host-sight.ts';
import type { Registry } from '../../endpoint/registry.ts';
import { readTakenPorts } from '../../endpoint/resolver.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { parsePort } from '../number-options.ts';
import type { AddCommand } from './command.ts';
import { findFaults } from './doctor.ts';
import { parseHost, parsePrefixes } from './place-options.ts';
import { requireFreshFile, writeSecret } from './profile-file.ts';
import { openRegistry } from './registry.ts';

interface InitOptions {
  host: string;
  port: number;
  stateDir: string;
  avoid?: string[];
}

/** Adds them to the command `endpoint`. */
export function registerPlace(command: AddCommand, context: Context): void {
  const { system, console } = context;

  command('init', 'make this machine an endpoint')
    .requiredOption('--host <host>', 'name or address by which homes reach it', parseHost)
    .option('--port <port>', 'UDP port', parsePort, 1194)
    .option(
      '--avoid <prefixes>',
      "homes' networks that the tunnel's inside must stay clear of, with commas",
      parsePrefixes,
    )
    .action(async ({ host, port, stateDir, avoid = [] }: InitOptions) => {
      const here = (await listPrefixes(system)).map(({ prefix }) => prefix);
      const taken = [...here, ...avoid];
      const identity = await (await openRegistry(system, stateDir)).init(host, port, taken);
      console.writeError(
        `Endpoint ${formatRemote({ host, port, proto: 'udp' })} (UDP) is made. Next: iotshaper endpoint add-home NAME --out NAME.ovpn\n`,
      );
      await warnOfHost(context, host);
      if (system.processes.uid !== 0) return;
      const { faults } = await findFaults(system, identity, stateDir);
      for (const fault of faults) console.writeError(`warning: ${wordsOf(fault)}\n`);
    });

  command('set-host', 'change the name or address by which homes reach this endpoint')
    .argument('<host>', 'name or address', parseHost)
    .action(async (host: string, { stateDir }: { stateDir: string }) => {
      const store = await openRegistry(system, stateDir);
      const { before, after } = await store.move(toHost(host));
      const homes = await store.homes();
      console.writeError(`New profiles name ${after.host} from now on.\n`);
      if (homes.length > 0 && before.host !== after.host) {
        console.writeError(
          `Profiles made before name ${before.host}. Where that does not lead here any more, change their line "remote ${before.host} ${before.port}" to "remote ${after.host} ${after.port}" and upload them again, or make new ones: iotshaper endpoint rotate NAME (${homes.map(({ name }) => name).join(', ')})\n`,
        );
      }
      await warnOfHost(context, host, true);
    });

  command('set-port', 'change the UDP port by which homes reach this endpoint')
    .argument('[port]', 'UDP port; the next that is free unless given', parsePort)
    .action(async (given: number | undefined, { stateDir }: { stateDir: string }) => {
      const store = await openRegistry(system, stateDir);
      const current = (await store.identity()).port;
      const port = given ?? findFreePort([...(await readTakenPorts(system)), current]);
      const { before, after } = await store.move(toPort(port));
      console.writeError(
        `Homes come to UDP port ${after.port} from now on. Let it in where ${before.port} was let in: "iotshaper endpoint doctor" says how, and the firewall that the hosting provider has in front of this server is in its control panel.\n`,
      );
      if (before.port === after.port) return;
      await tellHomes(context, store);
    });

  command(
    'set-ranges',
    'move the inside of the tunnel to ranges that no network of this server is in',
  )
    .option(
      '--avoid <prefixes>',
      "homes' networks that the tunnel's inside must stay clear of, with commas",
      parsePrefixes,
    )
    .action(async ({ stateDir, avoid = [] }: { stateDir: string; avoid?: string[] }) => {
      const store = await openRegistry(system, stateDir);
      const here = (await listPrefixes(system)).map(({ prefix }) => prefix);
      const { before, after } = await store.move(toFreeNets([...here, ...avoid]));
      const { tunnel, inner4 } = insideRanges(after);
      if (before.innerNet === after.innerNet) {
        console.writeError(`${tunnel} and ${inner4} are free, and stay as they are.\n`);
        return;
      }
      console.writeError(`The inside of the tunnel is ${tunnel} and ${inner4} from now on.\n`);
      await tellHomes(context, store);
    });

  command('export', 'print all of this endpoint, as a backup or to move it: a secret')
    .option('--out <file>', 'write it to a new file that only you can read')
    .action(async ({ stateDir, out }: { stateDir: string; out?: string }) => {
      if (out !== undefined) await requireFreshFile(context, out);
      const registry = await openRegistry(system, stateDir);
      const copy = await registry.export();
      const limits = await registry.limits();
      const text = renderCopy(isSame(limits, NO_LIMITS) ? copy : { ...copy, limits });
      if (out === undefined) {
        console.write(text);
        return;
      }
      await writeSecret(context, out, text);
      console.writeError(
        `All of this endpoint is in ${out}, a secret. On another server: iotshaper endpoint import ${out}\n`,
      );
    });

  command('import', 'make this machine the endpoint that another one exported')
    .argument('<file>', 'what "iotshaper endpoint export" wrote; - for the standard input')
    .option(
      '--host <host>',
      'name or address by which homes reach it, where it is another one',
      parseHost,
    )
    .action(async (file: string, { stateDir, host }: { stateDir: string; host?: string }) => {
      const copy = await readCopy(context, file);
      const store = await openRegistry(system, stateDir);
      await store.import(copy);
      const { limits } = copy;
      if (limits) await store.changeLimits(() => limits);
      if (host !== undefined) await store.move(toHost(host));
      const place = { ...copy.identity, host: host ?? copy.identity.host };
      console.writeError(
        `This machine is the endpoint ${formatRemote({ ...place, proto: 'udp' })} (UDP) with ${copy.homes.length} homes now. Stop the other one: systemctl disable --now iotshaper-endpoint\n`,
      );
      await warnOfHost(context, place.host);
    });
}

/** Says which homes need new profiles, once those they have lead nowhere. */
async function tellHomes({ console }: Context, store: Registry): Promise<void> {
  const homes = await store.homes();
  if (homes.length === 0) return;
  console.writeError(
    `Profiles made before do not fit any more. Make new ones, and upload each on its router: iotshaper endpoint rotate NAME --out NAME.ovpn (${homes.map(({ name }) => name).join(', ')})\n`,
  );
}

async function readCopy({ system }: Context, file: string): Promise<ReturnType<typeof parseCopy>> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const piece of system.files.readPieces(file)) {
      text += decoder.decode(piece, { stream: true });
    }
    return parseCopy(text);
  } catch (error) {
    throw new Failure(`${file}: ${(error as Error).message}`);
  }
}

/** Says where a host does not lead here, or with `always` where it leads. */
async function warnOfHost(
  { system, console }: Context,
  host: string,
  always = false,
): Promise<void> {
  try {
    const { isHere, said } = await seeHost(system, host);
    if (!isHere) console.writeError(`warning: ${said}\n`);
    else if (always) console.writeError(`Checked: ${said}.\n`);
  } catch (error) {
    console.writeError(`warning: ${host} can't be looked up: ${(error as Error).message}\n`);
  }
}
