// Tells the registry which homes are connected here, what they have together, and what was sent to each in a month.
import { elsewhereOf, NO_USAGE, type Usage } from '../../core/endpoint/admission/usage.ts';
import { type EndpointFigures, loadOfServed } from '../../core/endpoint/fleet/figures.ts';
import { sumOf } from '../../core/endpoint/fleet/room.ts';
import type { Ask, Database } from './database.ts';

/** Others take this endpoint for gone once it has said nothing for so long. */
export const GONE_AFTER_S = 90;

/** What an endpoint says of itself. */
export interface Told {
  /** Whether it sends its homes on. */
  drained?: boolean;
  /** Null where they could not be counted. */
  cores?: number | null;
}

/** Writes what has changed since it could be written last. */
export class Presence {
  readonly #database: Database;
  readonly #endpoint: string;
  readonly #figures: EndpointFigures;
  /** Homes that are written down as connected here; null before anything was written. */
  #written: ReadonlySet<string> | null = null;

  constructor(database: Database, endpoint: string, figures: EndpointFigures) {
    this.#database = database;
    this.#endpoint = endpoint;
    this.#figures = figures;
  }

  /**
   * @param usage as the service has counted it so far
   * @returns what other endpoints have counted in that month
   * @throws {Error} where the registry can't be told; nothing is lost, and it is told the next time.
   */
  async tell(usage: Usage, { drained = false, cores = null }: Told = {}): Promise<Usage> {
    const { month, homes } = usage;
    const loads = this.#figures.homes.map(loadOfServed);
    const online = new Set(
      this.#figures.homes.filter((home) => home.online).map(({ name }) => name),
    );
    const before = this.#written;
    const came = [...online].filter((name) => !before?.has(name));
    const here = [...online];
    const all = await this.#database.write(async (ask) => {
      await ask(
        'UPDATE endpoints SET seen_at = now(), drained = $2, cores = $3, slots = $4, kbps = $5 WHERE name = $1',
        [this.#endpoint, drained, cores, sumOf(loads, 'slots'), sumOf(loads, 'kBps')],
      );
      // One that has gone on to another endpoint is that one's, until it comes here again.
      await ask('DELETE FROM holdings WHERE endpoint = $1 AND home <> ALL($2)', [
        ...[this.#endpoint, here],
      ]);
      if (came.length > 0) {
        await ask(
          `INSERT INTO holdings (home, endpoint) SELECT name, $1 FROM homes WHERE name = ANY($2)
           ON CONFLICT (home) DO ${before ? 'UPDATE SET endpoint = excluded.endpoint, since = now()' : 'NOTHING'}`,
          [this.#endpoint, came],
        );
      }
      const counted = Object.entries(homes);
      if (counted.length === 0) return readAll(ask, month);
      // What was counted is not less for a file that was lost.
      await ask(
        `INSERT INTO usage (home, month, endpoint, bytes)
         SELECT name, $1::date, $2, told.bytes FROM unnest($3::text[], $4::bigint[]) AS told (home, bytes)
         JOIN homes ON name = told.home
         ON CONFLICT (home, month, endpoint) DO UPDATE SET bytes = greatest(usage.bytes, excluded.bytes)`,
        [
          ...[`${month}-01`, this.#endpoint, counted.map(([name]) => name)],
          counted.map(([, bytes]) => Math.round(bytes)),
        ],
      );
      return readAll(ask, month);
    });
    this.#written = online;
    return elsewhereOf(all, usage);
  }
}

/** What all endpoints have counted in a month. */
async function readAll(ask: Ask, month: string): Promise<Usage> {
  if (month === '') return NO_USAGE;
  const rows = await ask<{ home: string; bytes: string }>(
    'SELECT home, sum(bytes)::text AS bytes FROM usage WHERE month = $1::date GROUP BY home ORDER BY home',
    [`${month}-01`],
  );
  return { month, homes: Object.fromEntries(rows.map(({ home, bytes }) => [home, Number(bytes)])) };
}
