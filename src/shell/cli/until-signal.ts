// A service in the foreground: what its signals do.
import { nodeSystem } from '../system/node/node-system.ts';

export interface Service {
  /** Whether nothing may get out once it has stopped. */
  staysShut?: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a service, stops it on TERM or INT, reloads it on HUP. */
export async function runUntilSignal(service: Service, reload: () => void): Promise<void> {
  process.umask(0o077);
  nodeSystem.processes.raisePriority(-10);
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  process.on('SIGHUP', reload);
  const failed = service.start().then(
    () => new Promise<never>(() => {}),
    (error: unknown) => Promise.reject(error),
  );
  try {
    await Promise.race([signalled, failed]);
  } catch (error) {
    service.staysShut = true;
    throw error;
  } finally {
    await service.stop();
  }
  process.exit(0);
}
