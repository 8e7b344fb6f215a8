// Stand-in for the `ubus` command, over our own client: list, call, subscribe, listen, send.

import { parseArgs } from 'node:util';
import { nodeSystem } from '../../../src/shell/system/node/node-system.ts';
import { UbusClient } from '../../../src/shell/ubus/client.ts';
import { UbusError } from '../../../src/shell/ubus/status.ts';
import { toBlobmsg } from '../../../src/shell/ubus/values.ts';
import { renderJson } from './json-text.ts';

const usage = `usage: ubus.js [-s SOCKET] [-t SECONDS] [-v] COMMAND
  list [PATH]   call PATH METHOD [JSON]   subscribe PATH   listen [PATTERN]   send EVENT [JSON]`;

const typeTexts: Record<string, string> = {
  int8: 'Boolean',
  int32: 'Integer',
  string: 'String',
  array: 'Array',
  table: 'Table',
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    socket: { type: 'string', short: 's' },
    timeout: { type: 'string', short: 't', default: '30' },
    verbose: { type: 'boolean', short: 'v', default: false },
  },
});
const [command, ...args] = positionals;
const client = new UbusClient(nodeSystem, {
  socketPath: options.socket ?? '/var/run/ubus/ubus.sock',
  requestTimeoutMs: Number(options.timeout) * 1000,
});

try {
  await client.whenConnected(2000);
  const stays = await run();
  if (!stays) client.close();
} catch (error) {
  client.close();
  console.error(`Command failed: ${(error as Error).message}`);
  process.exitCode = exitCode(error);
}

/** Does what was asked; true when it goes on until interrupted. */
async function run(): Promise<boolean> {
  const [first = '', second = '', third = '{}'] = args;
  const print = (name: string, data: object) =>
    console.log(`{ "${name}": ${renderJson(toBlobmsg(data), false)} }`);
  switch (command) {
    case 'list':
      await list(args[0]);
      return false;
    case 'call': {
      const reply = await client.call(first, second, JSON.parse(third) as object);
      if (Object.keys(reply).length > 0) console.log(renderJson(toBlobmsg(reply), true));
      return false;
    }
    case 'send':
      await client.sendEvent(first, JSON.parse(args[1] ?? '{}') as object);
      return false;
    case 'subscribe':
      await client.subscribe(first, print).whenPresent();
      return true;
    case 'listen':
      await client.listen(args[0] ?? '*', print).whenPresent();
      return true;
    default:
      console.error(usage);
      process.exitCode = 1;
      return false;
  }
}

async function list(path: string | undefined): Promise<void> {
  for (const object of await client.lookup(path)) {
    if (!options.verbose) {
      console.log(object.path);
      continue;
    }
    console.log(`'${object.path}' @${object.id.toString(16).padStart(8, '0')}`);
    for (const [method, types] of Object.entries(object.methods)) {
      const named = Object.entries(types).map(([name, type]) => [
        name,
        typeTexts[type] ?? '(unknown)',
      ]);
      console.log(`\t"${method}":${JSON.stringify(Object.fromEntries(named))}`);
    }
  }
}

/** As the real one: what ubusd does not find is its code, what a method answered is minus that. */
function exitCode(error: unknown): number {
  if (!(error instanceof UbusError)) return 1;
  return command === 'call' && error.status !== 'NOT_FOUND' ? 256 - error.code : error.code;
}
