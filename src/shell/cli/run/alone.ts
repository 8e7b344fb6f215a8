// One service in a network namespace: the second one is told so before it has touched what the first one made.
import { type Listener, pause, type System, SystemError } from '../../system/system.ts';
import { Failure } from '../failure.ts';

/** An abstract socket (unix(7)): known to this network namespace alone, and gone with the process that has it. */
const NAME = '\0iotshaper-service';
/** One that is being stopped needs some time. */
const PATIENCE_MS = 3000;
const POLL_MS = 100;

/** @throws {Failure} where another service keeps running */
export async function runAlone(
  system: Pick<System, 'sockets' | 'timers' | 'clock'>,
  work: () => Promise<void>,
): Promise<void> {
  const held = await hold(system);
  try {
    await work();
  } finally {
    await held.close();
  }
}

async function hold({
  sockets,
  timers,
  clock,
}: Pick<System, 'sockets' | 'timers' | 'clock'>): Promise<Listener> {
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await sockets.listen(NAME, (connection) => connection.close());
    } catch (error) {
      if (!(error instanceof SystemError && error.code === 'EADDRINUSE')) throw error;
    }
    if (clock.monotonicMs() >= untilMs) {
      throw new Failure(
        'another iotshaper service runs on this machine, and is left alone; see "iotshaper status", and stop it first ("service iotshaper stop" on a router, "systemctl stop iotshaper-endpoint" on a server)',
      );
    }
    await pause(timers, POLL_MS); // whoever has it is not ours: there is no event
  }
}
