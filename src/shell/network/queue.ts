// The queue on the tunnel netdev, made from the plan's text.
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import {
  renderClassesAdd,
  renderClassRemove,
  renderQueue,
  type SharedQueue,
  type SlotClass,
} from '../../core/plan/tc.ts';
import { succeeds } from '../system/command.ts';
import type { System } from '../system/system.ts';
import { setLink } from './netdev.ts';

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
  const input = `${classes.map(renderClassRemove).join('\n')}\n`;
  await succeeds(system, ['tc', '-force', '-batch', '-'], { input });
}

/** Brings a queue there: classes that neither come nor go are not touched, unless leaves are made. */
export async function changeSharedQueue(
  system: Pick<System, 'files' | 'processes'>,
  { mtu, length, ring, rebuild, come, gone }: SharedQueue,
): Promise<void> {
  // Whatever waited for OpenVPN is too late by now: a ring of no length lets it go.
  if (rebuild) await setLink(system, TUNNEL_NETDEV, mtu, 0);
  // A leaf is as long as the netdev's queue is when it is made; OpenVPN's ring follows it. Each change empties all leaves.
  if (rebuild || come.length > 0) await setLink(system, TUNNEL_NETDEV, mtu, length);
  if (rebuild) await rebuildQueue(system, come);
  else {
    if (gone.length > 0) await removeClasses(system, gone);
    await changeQueue(system, renderClassesAdd(come));
  }
  await setLink(system, TUNNEL_NETDEV, mtu, ring);
}

/** Runs lines of tc one after another; stops at the first that fails. */
export async function changeQueue(
  { processes }: Pick<System, 'processes'>,
  lines: readonly string[],
): Promise<void> {
  if (lines.length === 0) return;
  await processes.run(['tc', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
