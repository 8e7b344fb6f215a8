// The clock behind OpenVPN, made from the plan's text and taken away.
import { type Notice, notice } from '../../core/notices/notice.ts';
import { CLOCK_NETDEV, CLOCK_PREFERENCE } from '../../core/plan/names.ts';
import { type ClockedWay, renderClock, renderClockFilter } from '../../core/plan/outer-clock.ts';
import type { Shape } from '../../core/stream/stream.ts';
import { CommandError, succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';
import { netdevExists, writeSysctl } from './netdev.ts';
import { changeQueue } from './queue.ts';

type Door = Pick<System, 'processes' | 'files'>;

/** Where this is, downloads are limited by a qdisc that takes the place of ours, and fails to start where ours is first. */
const SQM = '/etc/init.d/sqm';

/**
 * Puts the clock on a way, in the place of whatever there is of it.
 *
 * @returns why it can't stand there; nothing is left of it then.
 */
export async function placeClock(
  system: Door,
  way: ClockedWay,
  minor: number,
  shape: Shape,
): Promise<Notice | null> {
  await removeClock(system);
  const { netdev } = way;
  if (system.files.exists(SQM)) return notice('outer-clock-hook-taken', { netdev });
  const refused = await make(system, way, [minor, shape]);
  if (refused) await removeClock(system);
  return refused;
}

async function make(system: Door, way: ClockedWay, queue: [number, Shape]): Promise<Notice | null> {
  const { netdev } = way;
  const isThere = await succeeds(system, ['ip', 'link', 'add', CLOCK_NETDEV, 'type', 'ifb']);
  if (!isThere) return notice('outer-clock-no-ifb');
  // What it would say of its own accord takes slots.
  await writeSysctl(system, `net/ipv6/conf/${CLOCK_NETDEV}/disable_ipv6`, '1');
  await system.processes.run(['ip', 'link', 'set', 'dev', CLOCK_NETDEV, 'up']);
  await changeQueue(system, renderClock(...queue));
  const { stdout: standing } = await system.processes.run(['tc', 'qdisc', 'show', 'dev', netdev]);
  if (/^qdisc ingress /m.test(standing)) return notice('outer-clock-hook-taken', { netdev });
  const lines = [
    ...(hasHook(standing) ? [] : [`qdisc add dev ${netdev} clsact`]),
    renderClockFilter(way),
  ];
  try {
    await changeQueue(system, lines);
    return null;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return notice('outer-clock-no-filter', { error: error.stderr.trim().split('\n')[0] ?? '' });
  }
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
  const ours = new RegExp(`^filter .*pref ${CLOCK_PREFERENCE} `, 'm');
  if (!ours.test(await filters('egress'))) return;
  const words = ['dev', netdev, 'egress', 'pref', `${CLOCK_PREFERENCE}`];
  await system.processes.run(['tc', 'filter', 'del', ...words]);
  const others = `${await filters('egress')}${await filters('ingress')}`;
  if (others.trim() !== '') return;
  await system.processes.run(['tc', 'qdisc', 'del', 'dev', netdev, 'clsact']);
}

function hasHook(standing: string): boolean {
  return /^qdisc clsact /m.test(standing);
}
