// Ends a lab command in order: interrupted or failed, everything made is removed and the reason told.
import { CaptureError } from '../../core/capture/error.ts';
import { CommandError } from '../../shell/system/command.ts';
import { LabError } from '../lab/error.ts';

/** Runs `action` with a signal that SIGINT and SIGTERM abort, so that everything made is removed before the end. */
export async function withInterrupts(
  action: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  let interruptedBy: NodeJS.Signals | null = null;
  const interrupt = (name: NodeJS.Signals) => {
    if (!interruptedBy) process.stderr.write(`\n${name}: removing what the lab made\n`);
    interruptedBy ??= name;
    controller.abort(new LabError(`interrupted by ${name}`));
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, interrupt);
  try {
    await action(controller.signal);
  } catch (error) {
    process.exitCode = interruptedBy === 'SIGINT' ? 130 : interruptedBy ? 143 : 1;
    if (interruptedBy) return;
    if (
      error instanceof LabError ||
      error instanceof CommandError ||
      error instanceof CaptureError
    ) {
      process.stderr.write(`iotshaper lab: ${error.message}\n`);
      return;
    }
    throw error;
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
}
