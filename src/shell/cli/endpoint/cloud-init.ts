// `iotshaper endpoint cloud-init`: what to paste when ordering a server.
import {
  type CloudConfigInput,
  findSourceFault,
  renderCloudConfig,
} from '../../../core/endpoint/cloud-config.ts';
import type { Context } from '../context.ts';
import { InvalidValue } from '../failure.ts';
import { parsePort } from '../number-options.ts';
import type { AddCommand } from './command.ts';
import { parseHomeName, parseHost } from './place-options.ts';

/** Adds it to the command `endpoint`. */
export function registerCloudInit(command: AddCommand, { console }: Context): void {
  command('cloud-init', 'print what to paste as user data when ordering a server')
    .requiredOption(
      '--from <address>',
      'where the server gets iot-shaper-endpoint_VERSION_all.deb, with iot-shaper-common beside it: https://… or a path of its own',
      parseSource,
    )
    .option(
      '--host <host>',
      'name or address by which homes reach it (default: its own address)',
      parseHost,
    )
    .option('--port <port>', 'UDP port', parsePort, 1194)
    .option('--home <name>', 'the first home', parseHomeName, 'myhome')
    .action((flags: Omit<CloudConfigInput, 'host'> & { host?: string }) => {
      const input = { ...flags, host: flags.host ?? null };
      console.write(renderCloudConfig(input));
    });
}

function parseSource(text: string): string {
  const fault = findSourceFault(text);
  if (fault !== null) throw new InvalidValue(`${fault}.`);
  return text;
}
