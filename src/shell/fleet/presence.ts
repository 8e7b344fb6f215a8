// Tells the registry which homes are connected here, and what was sent to each in a month.
import type { EndpointFigures } from '../../core/endpoint/fleet/figures.ts';
import type { Database } from './database.ts';

/** Others take this endpoint for gone once it has said nothing for so long. */
export const GONE_AFTER_S = 90;

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

  /** @throws {Error} where the registry can't be told; nothing is lost, and it is told the next time. */
  async tell(): Promise<void> {
    const online = new Set(
      this.#figures.homes.filter((home) => home.online).map(({ name }) => name),
    );
    const usage = this.#figures.takeUsage();
    const before = this.#written;
    const came = [...online].filter((name) => !before?.has(name));
    const here = [...online];
    try {
      await this.#database.write(async (ask) => {
        await ask('UPDATE endpoints SET seen_at = now() WHERE name = $1', [this.#endpoint]);
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
        for (const { home, month, bytes } of usage) {
          await ask(
            `INSERT INTO usage (home, month, endpoint, bytes) SELECT name, $2, $3, $4 FROM homes WHERE name = $1
             ON CONFLICT (home, month, endpoint) DO UPDATE SET bytes = usage.bytes + excluded.bytes`,
            [home, month, this.#endpoint, bytes],
          );
        }
      });
    } catch (error) {
      this.#figures.giveBack(usage);
      throw error;
    }
    this.#written = online;
  }
}
