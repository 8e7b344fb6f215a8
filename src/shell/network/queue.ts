// The queue on the tunnel netdev, made from the plan's text.
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { renderClassRemove, renderQueue, type SlotClass } from '../../core/plan/tc.ts';
import { succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';

/** Replaces whatever queue the netdev has by the planned one. What waited there is dropped. */
export async function rebuildQueue(
  system: Pick<System, 'processes'>,
  classes: readonly SlotClass[],
): Promise<void> {
  await succeeds(system, ['tc', 'qdisc', 'del', 'dev', TUNNEL_NETDEV, 'root']);
  await changeQueue(system, renderQueue(classes));
}

/** Removes what there is of these classes; what stays is found when the queue is looked at, or another takes its place. */
export async function removeClasses(
  system: Pick<System, 'processes'>,
  classes: readonly SlotClass[],
): Promise<void> {
  const input = `${classes.flatMap(renderClassRemove).join('\n')}\n`;
  await succeeds(system, ['tc', '-force', '-batch', '-'], { input });
}

/** Runs lines of tc one after another; stops at the first that fails. */
export async function changeQueue(
  { processes }: Pick<System, 'processes'>,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  await processes.run(['tc', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
