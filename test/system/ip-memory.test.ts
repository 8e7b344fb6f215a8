// What ip listed is answered from memory, and from nothing that may have changed since.
import test from 'ava';
import { IpMemory } from '../../src/shell/network/kernel/ip-memory.ts';
import { CommandError } from '../../src/shell/system/command.ts';
import type { System } from '../../src/shell/system/system.ts';

function remember() {
  const ran: string[] = [];
  let nowMs = 0;
  const system = {
    clock: { monotonicMs: () => nowMs, unixMs: () => 0 },
    processes: {
      run: async (argv: readonly string[]) => {
        ran.push(argv.join(' '));
        if (argv.includes('7214')) throw new CommandError(argv, 2, 'table does not exist');
        return { stdout: `${ran.length}`, stderr: '' };
      },
    },
  } as unknown as System;
  const memory = new IpMemory(system);
  const ask = async (words: string): Promise<string> => {
    const { stdout } = await memory.system.processes.run(words.split(' '));
    return stdout;
  };
  return {
    ...{ memory, ask, ran },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const ADDRESSES = 'ip -j addr show';
const NEIGHBOURS = 'ip -j neigh show';
const HEARD = '[NEIGH]10.0.0.9 dev va lladdr 02:00:00:00:00:09 REACHABLE ';

test('nothing is remembered before the monitor has said a word', async (t) => {
  const { ask } = remember();
  t.not(await ask(ADDRESSES), await ask(ADDRESSES));
});

test('what nobody has touched is asked once', async (t) => {
  const { memory, ask } = remember();
  memory.hear(HEARD, true);
  t.is(await ask(ADDRESSES), await ask(ADDRESSES));
  t.not(await ask(ADDRESSES), await ask(NEIGHBOURS));
});

for (const [what, change] of [
  ['a change that is told', ({ memory }) => memory.hear('[ADDR]3: va    inet 10.0.0.1/24', true)],
  ['words that say nothing known', ({ memory }) => memory.hear('No buffer space', true)],
  ['a command of our own', ({ ask }) => ask('ip link set dev va up')],
  ['the end of the monitor', ({ memory }) => memory.distrust()],
  ['a minute', ({ pass }) => pass(60_000)],
] as [string, (on: ReturnType<typeof remember>) => unknown][]) {
  test(`${what} has it asked again`, async (t) => {
    const on = remember();
    on.memory.hear(HEARD, true);
    const before = await on.ask(ADDRESSES);
    await change(on);
    t.not(await on.ask(ADDRESSES), before);
  });
}

test('a neighbour that comes changes what is listed of neighbours alone, and one that is known nothing', async (t) => {
  const { memory, ask } = remember();
  memory.hear(HEARD, true);
  const [addresses, neighbours] = [await ask(ADDRESSES), await ask(NEIGHBOURS)];
  memory.hear(HEARD, false);
  t.is(await ask(NEIGHBOURS), neighbours);
  memory.hear(HEARD, true);
  t.not(await ask(NEIGHBOURS), neighbours);
  t.is(await ask(ADDRESSES), addresses);
});

test('what changes while it is listed is not kept', async (t) => {
  const { memory, ask } = remember();
  memory.hear(HEARD, true);
  const asked = ask(ADDRESSES);
  memory.hear('[LINK]3: va', true);
  t.not(await ask(ADDRESSES), await asked);
});

test('a refusal is remembered as one', async (t) => {
  const { memory, ask, ran } = remember();
  memory.hear(HEARD, true);
  for (let count = 0; count < 2; count++) {
    await t.throwsAsync(ask('ip -j route show table 7214'), { instanceOf: CommandError });
  }
  t.is(ran.length, 1);
});

test('other commands are always run', async (t) => {
  const { memory, ask } = remember();
  memory.hear(HEARD, true);
  t.not(await ask('nft list ruleset'), await ask('nft list ruleset'));
});
