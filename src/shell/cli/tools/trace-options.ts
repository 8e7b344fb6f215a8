// The options that say which packets of captures a simulation runs on.
import type { Command } from 'commander';
import { parseMac } from '../../../core/capture/addresses.ts';
import type { DeviceSelection } from '../../../core/capture/trace.ts';
import { ipVersion } from '../../../core/ip/address.ts';
import type { TraceOptions } from '../../simulation/trace.ts';
import type { Console } from '../../system/console.ts';
import { InvalidValue, usageFailure } from '../failure.ts';
import { numberBetween } from '../number-options.ts';

export interface TraceFlags {
  device?: DeviceSelection;
  lan?: boolean;
  shift?: boolean;
  hours?: number;
}

/** Adds them to a command. */
export function addTraceOptions(command: Command): void {
  command
    .option(
      '--device <mac|ip>',
      'only this device (default: all that talk to the Internet)',
      parseDevice,
    )
    .option('--lan', 'with --device: what stays in the home too, as if it went to the Internet')
    .option('--shift', 'let all files begin at the same moment')
    .option(
      '--hours <n>',
      'repeat every file until so many hours are full',
      numberBetween(0.001, 8760, 'hours'),
    );
}

/** @throws Failure where options do not go together. */
export function traceOptionsOf(
  console: Pick<Console, 'writeError'>,
  flags: TraceFlags,
  files: readonly string[],
): TraceOptions {
  if (flags.lan && !flags.device) throw usageFailure('--lan needs --device: say whose packets');
  if (flags.hours !== undefined && files.includes('-')) {
    throw usageFailure('--hours cannot repeat the standard input: name a file');
  }
  const warned = new Set<string>();
  const warn = (message: string) => {
    if (warned.has(message)) return;
    warned.add(message);
    console.writeError(`warning: ${message}\n`);
  };
  return {
    ...flags,
    onNote: warn,
    onDamage: (message) => warn(`${message}; the packets before it are used`),
  };
}

function parseDevice(text: string): DeviceSelection {
  const mac = parseMac(text);
  if (mac !== null) return { mac };
  if (ipVersion(text) !== 0) return { ip: text.toLowerCase() };
  throw new InvalidValue('must be a MAC or IP address.');
}
