// PostgreSQL as a fleet's registry: connections that come back by themselves, one transaction a change.
import pg from 'pg';
import { placeOfRegistry } from '../../core/endpoint/fleet/settings.ts';
import { type Cancel, pause, type System } from '../system/system.ts';
import { CHANGED, MIGRATIONS, NEWEST } from './migrations.ts';

/** A database that answers nothing is given up after so long, and tried again. */
const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;
/** Whoever listens asks so often whether it is still heard. */
const PULSE_MS = 10_000;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;
/** One at a time changes a registry: the number is iot-shaper's own, "iots". */
const LOCK = 0x696f7473;

/** Asks within a transaction. */
export type Ask = <Row extends pg.QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<Row[]>;

/** The registry's database; holds no connection while nobody asks. */
export class Database {
  readonly #url: string;
  readonly #pool: pg.Pool;
  #ready: Promise<void> | null = null;
  #changes: Promise<unknown> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 2,
      idleTimeoutMillis: ANSWER_MS,
      allowExitOnIdle: true,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      statement_timeout: ANSWER_MS,
      application_name: 'iotshaper',
    });
    // Of one that nobody uses: the next asker gets another.
    this.#pool.on('error', () => {});
  }

  /** Changes something, as a whole or not at all, and while nobody else does. */
  change<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    // Those of one process wait for each other here: nothing limits how long, and no connection is held meanwhile.
    const changed = this.#changes.then(() =>
      this.#transact('BEGIN', async (ask) => {
        await ask('SELECT pg_advisory_xact_lock($1)', [LOCK]);
        return work(ask);
      }),
    );
    this.#changes = changed.catch(() => {});
    return changed;
  }

  /** Writes what nobody else writes, beside whoever changes something. */
  write<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#transact('BEGIN', work);
  }

  /** Reads what was true at one moment. */
  read<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#transact('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', work);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /**
   * Calls back after every change, and whenever one may have been missed, from now on.
   *
   * @param onLoss told once it is heard no more, with why; it is tried again until it is.
   */
  listen(
    { timers }: Pick<System, 'timers'>,
    onChange: () => void,
    onLoss: (why: string) => void,
  ): Cancel {
    const ended = new AbortController();
    void this.#listenOn(timers, ended.signal, onChange, onLoss);
    return () => ended.abort();
  }

  async #listenOn(
    timers: System['timers'],
    signal: AbortSignal,
    onChange: () => void,
    onLoss: (why: string) => void,
  ): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    let isLost = false;
    while (!signal.aborted) {
      try {
        await this.#listenOnce(timers, signal, () => {
          retryMs = FIRST_RETRY_MS;
          isLost = false;
          onChange();
        });
      } catch (error) {
        if (!signal.aborted && !isLost) onLoss(this.#describe(error).message);
        isLost = true;
      }
      await pause(timers, retryMs, signal);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    }
  }

  /** Until the connection ends. */
  async #listenOnce(
    timers: System['timers'],
    signal: AbortSignal,
    onChange: () => void,
  ): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      application_name: 'iotshaper listening',
    });
    const over = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection has ended')));
      signal.addEventListener('abort', () => reject(new Error('stopped')));
    });
    over.catch(() => {});
    let cancelPulse: Cancel = () => {};
    try {
      await client.connect();
      client.on('notification', onChange);
      await client.query(`LISTEN ${CHANGED}`);
      onChange();
      const dead = new Promise<never>((_, reject) => {
        cancelPulse = timers.every(PULSE_MS, () => client.query('SELECT').catch(reject));
      });
      await Promise.race([over, dead]);
    } finally {
      cancelPulse();
      // One that answers nothing would not be left politely either.
      client.end().catch(() => {});
    }
  }

  async #transact<T>(begin: string, work: (ask: Ask) => Promise<T>): Promise<T> {
    this.#ready ??= this.#migrate().catch((error: unknown) => {
      this.#ready = null;
      throw error;
    });
    await this.#ready;
    return this.#within(begin, work);
  }

  async #within<T>(begin: string, work: (ask: Ask) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw this.#describe(error);
    });
    let isBroken = false;
    // A connection may end while nothing is asked of it.
    const onError = (): void => {
      isBroken = true;
    };
    client.on('error', onError);
    const ask: Ask = async (sql, values) => {
      try {
        return (await client.query(sql, values ? [...values] : undefined)).rows;
      } catch (error) {
        // What PostgreSQL itself refuses has a code; all else leaves the connection in an unknown state.
        if (!/^[0-9A-Z]{5}$/.test(`${(error as { code?: string }).code}`)) isBroken = true;
        throw this.#describe(error);
      }
    };
    try {
      await ask(begin);
      const result = await work(ask);
      await ask('COMMIT');
      return result;
    } catch (error) {
      if (!isBroken) await ask('ROLLBACK').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(isBroken);
    }
  }

  /** Brings the tables to what this program knows. */
  async #migrate(): Promise<void> {
    if ((await this.#within('BEGIN READ ONLY', standing)) === NEWEST) return;
    await this.#within('BEGIN', async (ask) => {
      await ask('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      const done = await standing(ask);
      if (done > NEWEST) {
        throw new Error(
          `${placeOfRegistry(this.#url)}: the registry was made by a newer iot-shaper (step ${done}, this one knows ${NEWEST}); upgrade this endpoint`,
        );
      }
      await ask(
        'CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
      );
      for (const { number, sql } of MIGRATIONS.filter((one) => one.number > done)) {
        await ask(sql);
        await ask('INSERT INTO migrations (number) VALUES ($1)', [number]);
      }
    });
  }

  /** In words, without what the registry's address holds of secrets. */
  #describe(error: unknown): Error {
    const { code = '', message, errors } = error as Error & { code?: string; errors?: Error[] };
    // Of a host with several addresses each has its own.
    const said = message || (errors ?? []).map((one) => one.message).join('; ') || code;
    return new RegistryError(`the registry at ${placeOfRegistry(this.#url)} says: ${said}`);
  }
}

/** The registry could not be asked, or has refused. */
export class RegistryError extends Error {
  override name = 'RegistryError';
}

/** The newest step that was applied; 0 for none. */
async function standing(ask: Ask): Promise<number> {
  // Not by to_regclass(), which after the wait for a lock may know the tables of before that.
  const there = await ask(
    "SELECT FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'migrations'",
  );
  if (there.length === 0) return 0;
  const [row] = await ask<{ newest: number | null }>(
    'SELECT max(number) AS newest FROM migrations',
  );
  return row?.newest ?? 0;
}
