// `iotshaper call`: what OpenWrt asks on the bus, asked of the service itself.
import { join } from 'node:path';
import type { Command } from 'commander';
import { askLocalApi, NotRunningError } from '../../machine/local-api.ts';
import type { System } from '../../system/system.ts';
import type { Context } from '../context.ts';
import { Failure, usageFailure } from '../failure.ts';
import { defaultRunDir } from '../paths.ts';

/** What a service does at once, and what takes it some tens of seconds: a reload, a recommendation. */
const PATIENCE_MS = 60_000;

export function registerCall(program: Command, { system, console }: Context): void {
  program
    .command('call')
    .description(
      'ask the service and print its answer as JSON: status, history, check, audit, audit_result, recommend',
    )
    .argument('<method>', 'what to ask for')
    .argument('[values...]', 'NAME=VALUE, such as seconds=600')
    .option('--run-dir <dir>', 'sockets and temporary files', defaultRunDir)
    .action(async (method: string, values: string[], { runDir }: { runDir: string }) => {
      const request = Object.fromEntries(values.map(readValue));
      const answer = await askService(system, runDir, { ...request, method });
      if (answer === null) throw new Failure(new NotRunningError().message, 3);
      console.write(`${JSON.stringify(answer.result, null, 2)}\n`);
    });
}

/** The service's answer; null where none runs. */
export async function askService(
  system: Pick<System, 'sockets' | 'timers'>,
  runDir: string,
  request: { method: string; [name: string]: unknown },
): Promise<{ result: unknown } | null> {
  try {
    const path = join(runDir, 'api.sock');
    return { result: await askLocalApi(system, path, request, PATIENCE_MS) };
  } catch (error) {
    if (error instanceof NotRunningError) return null;
    throw error;
  }
}

function readValue(text: string): [string, string | number] {
  const [, name, value = ''] = /^(\w+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw usageFailure(`"${text}": write NAME=VALUE, such as seconds=600`);
  return [name, /^\d+$/.test(value) ? Number(value) : value];
}
