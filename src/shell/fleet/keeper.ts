// Keeps this machine's copy of a fleet's registry what the registry says, for as long as it can be heard.
import type { Log } from '../system/log.ts';
import { type Cancel, pause, type System } from '../system/system.ts';
import type { Database } from './database.ts';
import { writeLocalCopy } from './local-copy.ts';
import { copyFor, readFleet } from './rows.ts';

/** Looked at so often besides, in case a change was not told. */
const LOOK_EVERY_MS = 60_000;
/** What could not be read is read again so soon. */
const AGAIN_MS = 1000;

export interface FleetKeeperOptions {
  system: System;
  database: Database;
  endpoint: string;
  /** Where the copy is. */
  dir: string;
  log: Log;
}

/** From {@link FleetKeeper.start} to {@link FleetKeeper.stop}. */
export class FleetKeeper {
  readonly #options: FleetKeeperOptions;
  readonly #cancels: Cancel[] = [];
  readonly #ended = new AbortController();
  #running: Promise<void> | null = null;
  #isDue = false;
  /** What was told last of what keeps it from being read; null while nothing does. */
  #trouble: string | null = null;

  constructor(options: FleetKeeperOptions) {
    this.#options = options;
  }

  /** Whether the copy is what the registry says, as far as that can be known. */
  get isCurrent(): boolean {
    return this.#trouble === null;
  }

  start(): void {
    const { database, system } = this.#options;
    this.#cancels.push(
      database.listen(
        system,
        () => void this.refresh(),
        (why) => this.#tell(why),
      ),
      system.timers.every(LOOK_EVERY_MS, () => void this.refresh()),
    );
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    for (const cancel of this.#cancels.splice(0)) cancel();
    await this.#running;
  }

  /** Reads the registry and brings the copy to it. @throws {Error} where that can't be done */
  async refreshOnce(): Promise<void> {
    const { database, endpoint, system, dir, log } = this.#options;
    const fleet = await database.read((ask) => readFleet(ask));
    const copy = fleet && copyFor(fleet, endpoint);
    if (!copy) {
      throw new Error(
        `the registry has no endpoint "${endpoint}"; run "iotshaper endpoint init --host HOST" here`,
      );
    }
    if (await writeLocalCopy(system, dir, copy, fleet.limits)) {
      log('info', `the registry has ${copy.homes.length} homes for this endpoint`);
    }
  }

  /** Reads it until it could be read; what changes meanwhile is read after that. */
  refresh(): Promise<void> {
    this.#isDue = true;
    this.#running ??= this.#refreshDue().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #refreshDue(): Promise<void> {
    while (this.#isDue && !this.#ended.signal.aborted) {
      this.#isDue = false;
      try {
        await this.refreshOnce();
        if (this.#trouble !== null) this.#options.log('notice', 'the registry is heard again');
        this.#trouble = null;
      } catch (error) {
        this.#tell((error as Error).message);
        this.#isDue = true;
        await pause(this.#options.system.timers, AGAIN_MS, this.#ended.signal);
      }
    }
  }

  /** Once for as long as it lasts. */
  #tell(why: string): void {
    if (this.#trouble === null) {
      this.#options.log(
        'warning',
        `${why}; what it told last stays in force, and it is asked again`,
      );
    }
    this.#trouble = why;
  }
}
