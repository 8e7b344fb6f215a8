// `iotshaper endpoint limit`: what homes may have, each of them, usually, and all together.
import {
  type Capacity,
  capacityOf,
  type LimitBook,
  type Limits,
  type LimitTarget,
  limitsOf,
  MOST_SLOTS,
  machineRateBounds,
  monthBounds,
  SLOTS_A_CORE,
  slotBounds,
  withLimits,
} from '../../../core/endpoint/admission/limits.ts';
import { renderTable } from '../../../core/plot/text-table.ts';
import { type Bounds, isWithin, rateBounds } from '../../../core/stream/stream.ts';
import type { Registry } from '../../endpoint/registry.ts';
import { countCores } from '../../endpoint/state/limit-file.ts';
import type { Context } from '../context.ts';
import { InvalidValue, usageFailure } from '../failure.ts';
import type { AddCommand } from './command.ts';
import { openRegistry } from './registry.ts';

/** A figure; null for none, undefined for what is usual. */
interface Setting {
  to: number | null | undefined;
}

interface LimitFlags {
  stateDir: string;
  default?: boolean;
  machine?: boolean;
  rate?: Setting;
  down?: Setting;
  up?: Setting;
  slots?: Setting;
  monthGb?: Setting;
  json?: boolean;
}

function settingWithin(bounds: Bounds): (text: string) => Setting {
  const { least, most, unit } = bounds;
  return (text) => {
    if (text === 'none') return { to: null };
    if (text === 'default') return { to: undefined };
    const value = Number(text);
    if (text.trim() !== '' && isWithin(value, bounds)) return { to: value };
    throw new InvalidValue(
      `must be a number between ${least} and ${most} ${unit}, "none", or "default".`,
    );
  };
}

/** Rates of homes are kept within their own bounds once it is known whose it is. */
const parseRate = settingWithin({ ...machineRateBounds, least: rateBounds.least });

/** Adds it to the command `endpoint`. */
export function registerLimit(command: AddCommand, context: Context): void {
  const { system, console } = context;
  command('limit', 'list what homes may have, or set it for one, as a default, or for the server')
    .argument('[name]', 'of the home')
    .option('--default', 'for homes without figures of their own')
    .option('--machine', 'for all homes together')
    .option('--rate <KBps>', 'highest rate, down and up each', parseRate)
    .option('--down <KBps>', 'highest rate down', parseRate)
    .option('--up <KBps>', 'highest rate up', parseRate)
    .option('--slots <n>', 'packets a second, each way', settingWithin(slotBounds))
    .option('--month-gb <n>', 'data a month, both ways together', settingWithin(monthBounds))
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nEach takes a number, "none" for no limit, or "default" to forget its own.',
    )
    .action(async (name: string | undefined, flags: LimitFlags) => {
      const store = await openRegistry(system, flags.stateDir);
      const target = targetOf(name, flags);
      const changes = target && changesOf(target, flags);
      const homes = (await store.homes()).map((home) => home.name);
      if (target === null) {
        await list(context, store, flags, homes);
        return;
      }
      if (name !== undefined && !homes.includes(name))
        throw usageFailure(`there is no home "${name}"; there is: ${homes.join(', ') || 'none'}`);
      const hasChanges = Object.keys(changes!).length > 0;
      const book = hasChanges
        ? await store.changeLimits((before) => withLimits(before, target, changes!))
        : await store.limits();
      console.write(`${await describe(context, { book, target, homes: homes.length })}\n`);
      if (hasChanges)
        console.writeError('In force within seconds: who asks for more is refused, and told so.\n');
    });
}

/** Null where nobody is named: all are listed. */
function targetOf(name: string | undefined, flags: LimitFlags): LimitTarget | null {
  const named = [
    ...(name === undefined ? [] : [{ home: name }]),
    ...(flags.default ? (['usual'] as const) : []),
    ...(flags.machine ? (['machine'] as const) : []),
  ];
  if (named.length > 1)
    throw usageFailure('name a home, or give --default, or --machine: one of them');
  if (named.length === 1) return named[0]!;
  if ([flags.rate, flags.down, flags.up, flags.slots, flags.monthGb].some((one) => one))
    throw usageFailure('name the home that it is for, or give --default, or --machine');
  return null;
}

function changesOf(target: LimitTarget, flags: LimitFlags): Partial<Limits & Capacity> {
  const { rate, down = rate, up = rate, slots, monthGb } = flags;
  if (target === 'machine') {
    if (flags.down || flags.up || monthGb)
      throw usageFailure('--machine takes --rate and --slots, of all homes together each way');
    return { ...settingOf('kBps', rate), ...settingOf('slots', slots) };
  }
  for (const one of [down, up]) {
    if (typeof one?.to !== 'number' || isWithin(one.to, rateBounds)) continue;
    throw usageFailure(
      `--rate, --down, --up: must be between ${rateBounds.least} and ${rateBounds.most} KB/s for a home, got ${one.to}`,
    );
  }
  return {
    ...settingOf('downKBps', down),
    ...settingOf('upKBps', up),
    ...settingOf('slots', slots),
    ...settingOf('monthGB', monthGb),
  };
}

function settingOf(key: keyof (Limits & Capacity), setting: Setting | undefined) {
  return setting ? { [key]: setting.to } : {};
}

async function describe(
  { system }: Context,
  { book, target, homes }: { book: LimitBook; target: LimitTarget; homes: number },
): Promise<string> {
  if (target === 'machine')
    return describeMachine({ ...book, cores: await countCores(system) }, homes);
  if (target === 'usual')
    return `homes without figures of their own: ${inWords(limitsOf(book, ''))}`;
  return `home "${target.home}": ${inWords(limitsOf(book, target.home))}`;
}

function describeMachine(book: LimitBook, homes: number): string {
  const { kBps, slots } = capacityOf(book, homes);
  const figures = [
    ...(kBps === null ? [] : [`${kBps} KB/s`]),
    ...(slots === null ? [] : [`${slots} packets a second`]),
  ];
  const reckoned =
    book.machine.slots === undefined && slots !== null
      ? ` (reckoned: ${SLOTS_A_CORE} a processor core, at most ${MOST_SLOTS}; a home without --slots of its own has at most half of it)`
      : '';
  if (figures.length === 0) return 'all homes together: no limit';
  return `all homes together, each way: ${figures.join(', ')}${reckoned}`;
}

function inWords({ downKBps, upKBps, slots, monthGB }: Limits): string {
  const figures = [
    ...(downKBps === null ? [] : [`${downKBps} KB/s down`]),
    ...(upKBps === null ? [] : [`${upKBps} KB/s up`]),
    ...(slots === null ? [] : [`${slots} packets a second each way`]),
    ...(monthGB === null ? [] : [`${monthGB} GB a month`]),
  ];
  return figures.length === 0 ? 'no limit' : `at most ${figures.join(', ')}`;
}

async function list(
  { system, console }: Context,
  registry: Registry,
  { json }: LimitFlags,
  homes: readonly string[],
): Promise<void> {
  const book = { ...(await registry.limits()), cores: await countCores(system) };
  const rows = homes.map((name) => ({ name, ...limitsOf(book, name) }));
  if (json) {
    const told = {
      machine: capacityOf(book, homes.length),
      default: limitsOf(book, ''),
      homes: rows,
    };
    console.write(`${JSON.stringify(told, null, 2)}\n`);
    return;
  }
  const titles = ['HOME', 'DOWN', 'UP', 'PACKETS', 'MONTH'].map((title) => ({ title }));
  const cell = (figure: number | null, unit: string): string =>
    figure === null ? 'any' : `${figure} ${unit}`;
  const cells = [{ name: '(others)', ...limitsOf(book, '') }, ...rows].map(
    ({ name, downKBps, upKBps, slots, monthGB }) => [
      ...[name, cell(downKBps, 'KB/s'), cell(upKBps, 'KB/s')],
      ...[cell(slots, 'a second'), cell(monthGB, 'GB')],
    ],
  );
  console.write(`${describeMachine(book, homes.length)}\n\n${renderTable(titles, cells)}`);
}
