// The queue on the tunnel netdev, made from the plan's text.
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { renderQueue, type SlotClass } from '../../core/plan/tc.ts';
import { run, succeeds } from '../system/command.ts';

/** Replaces whatever queue the netdev has by the planned one. What waited there is dropped. */
export async function rebuildQueue(classes: readonly SlotClass[]): Promise<void> {
  await succeeds(['tc', 'qdisc', 'del', 'dev', TUNNEL_NETDEV, 'root']);
  await changeQueue(renderQueue(classes));
}

/** Runs lines of tc in order; stops at the first that fails. */
export async function changeQueue(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run(['tc', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
