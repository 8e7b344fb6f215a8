// The clock behind OpenVPN, made from the plan's text and taken away.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { CLOCK_NETDEV, CLOCK_PREFERENCE } from '../../core/plan/names.ts';
import { type ClockedWay, renderClock, renderClockFilter } from '../../core/plan/outer-clock.ts';
import type { Shape } from '../../core/stream/stream.ts';
import { netdevExists, writeSysctl } from '../network/netdev.ts';
import { changeQueue } from '../network/queue.ts';
import { CommandError, succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';

type Door = Pick<System, 'processes' | 'files'>;

/** Where this is, downloads are limited by a qdisc that takes the place of ours, and fails to start where ours is first. */
const SQM = '/etc/init.d/sqm';

/**
 * Puts the clock on a way, in the place of whatever there is of it; takes that away alone where `way` is null.
 *
 * @returns why it can't stand there; nothing is left of it then.
 */
export async function placeClock(
  system: Door,
  { way, minor, shape }: { way: ClockedWay | null; minor: number; shape: Shape },
): Promise<Notice | null> {
  await removeClock(system);
  if (!way) return null;
  const { netdev } = way;
  if (system.files.exists(SQM)) return notice('outer-clock-hook-taken', { netdev });
  const refused = await make(system, way, [minor, shape]);
  if (refused) await removeClock(system);
  return refused;
}

async function make(system: Door, way: ClockedWay, queue: [number, Shape]): Promise<Notice | null> {
  const { netdev } = way;
  try {
    await system.processes.run(['ip', 'link', 'add', CLOCK_NETDEV, 'type', 'ifb']);
  } catch (error) {
    if (isMissing(error)) return notice('outer-clock-no-ifb');
    throw error;
  }
  // What it would say of its own accord takes slots.
  await writeSysctl(system, `net/ipv6/conf/${CLOCK_NETDEV}/disable_ipv6`, '1');
  await system.processes.run(['ip', 'link', 'set', 'dev', CLOCK_NETDEV, 'up']);
  await changeQueue(system, renderClock(...queue));
  const { stdout: standing } = await system.processes.run(['tc', 'qdisc', 'show', 'dev', netdev]);
  if (/^qdisc ingress /m.test(standing)) return notice('outer-clock-hook-taken', { netdev });
  const hasHook = /^qdisc clsact /m.test(standing);
  try {
    if (!hasHook) await changeQueue(system, [`qdisc add dev ${netdev} clsact`]);
    await changeQueue(system, [renderClockFilter(way)]);
    return null;
  } catch (error) {
    if (!hasHook) await succeeds(system, ['tc', 'qdisc', 'del', 'dev', netdev, 'clsact']);
    if (isMissing(error)) return notice('outer-clock-no-filter', { error: firstLine(error) });
    throw error;
  }
}

/** What `ip` and `tc` answer where the kernel has no such part. */
const MISSING = /unknown|not found|no such file|not supported|failed to load/i;

function isMissing(error: unknown): error is CommandError {
  return error instanceof CommandError && MISSING.test(error.stderr);
}

function firstLine({ stderr }: CommandError): string {
  return stderr.trim().split('\n')[0] ?? '';
}

/** Takes away what there is of the clock on any netdev, and the hook where nobody else has filters there. */
export async function removeClock(system: Door): Promise<void> {
  const { stdout } = await system.processes.run(['tc', 'qdisc', 'show']);
  const netdevs = [...stdout.matchAll(/^qdisc clsact \S+ dev (\S+) /gm)].map(([, name]) => name!);
  for (const netdev of netdevs) await clear(system, netdev);
  if (!netdevExists(system, CLOCK_NETDEV)) return;
  await system.processes.run(['ip', 'link', 'del', CLOCK_NETDEV]);
}

async function clear(system: Door, netdev: string): Promise<void> {
  const filters = async (way: string): Promise<string> => {
    const { stdout } = await system.processes.run(['tc', 'filter', 'show', 'dev', netdev, way]);
    return stdout;
  };
  const leaving = preferencesOf(await filters('egress'));
  if (!leaving.has(`${CLOCK_PREFERENCE}`)) return;
  const others = leaving.size - 1 + preferencesOf(await filters('ingress')).size;
  const words =
    others === 0
      ? ['qdisc', 'del', 'dev', netdev, 'clsact']
      : ['filter', 'del', 'dev', netdev, 'egress', 'pref', `${CLOCK_PREFERENCE}`];
  await system.processes.run(['tc', ...words]);
}

function preferencesOf(filters: string): Set<string> {
  return new Set([...filters.matchAll(/^filter .*?pref (\d+) /gm)].map(([, number]) => number!));
}
