// A service in the foreground: what its signals do.
import type { Notice } from '../../../core/notices/notice.ts';
import { NoticeError } from '../../../core/notices/notice-error.ts';
import type { Context } from '../context.ts';

export interface Service {
  /** Whether nothing may get out once it has stopped. */
  staysShut?: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves with why it can't go on, if ever. */
  readonly lost?: Promise<Notice>;
}

/** What keeps the schedule comes before what does not; its children inherit it. */
const NICE = -10;

/** Starts a service, stops it on TERM or INT, reloads it on HUP. */
export async function runUntilSignal(
  { system, console }: Context,
  service: Service,
  reload: () => void,
): Promise<void> {
  console.keepFilesPrivate();
  system.processes.raisePriority(NICE);
  const signalled = new Promise<void>((resolve) => {
    console.onSignal('SIGTERM', resolve);
    console.onSignal('SIGINT', resolve);
  });
  console.onSignal('SIGHUP', reload);
  const failed = service.start().then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error),
  );
  const lost = service.lost?.then((why) => Promise.reject(new NoticeError(why)));
  try {
    await Promise.race([signalled, failed, ...(lost ? [lost] : [])]);
  } catch (error) {
    service.staysShut = true;
    throw error;
  } finally {
    await service.stop();
  }
  console.exit(0);
}
