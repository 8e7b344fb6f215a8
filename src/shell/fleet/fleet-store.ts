// A fleet's homes, kept in PostgreSQL. What a change is, the store of one machine knows: it is made there, in a folder of its own.
import { join } from 'node:path';
import { type LimitBook, renderLimitBook } from '../../core/endpoint/admission/limits.ts';
import type { EndpointIdentity, StoredHome } from '../../core/endpoint/identity.ts';
import type { EndpointCopy } from '../../core/endpoint/keeping.ts';
import type { Deliver, FleetEndpoint, Move, Registry } from '../endpoint/registry.ts';
import { EndpointStore } from '../endpoint/store.ts';
import type { System } from '../system/system.ts';
import type { Ask, Database } from './database.ts';
import { GONE_AFTER_S } from './presence.ts';
import { copyFor, type Fleet, readFleet, readMembers, remotesFor, writeChanges } from './rows.ts';

type StoreSystem = Pick<System, 'files' | 'processes' | 'randomBytes'>;

export interface FleetStoreOptions {
  system: StoreSystem;
  database: Database;
  /** The name of this endpoint. */
  endpoint: string;
  /** Where a change is made before it is written: a folder of this machine's. */
  workDir: string;
}

/** As one endpoint of the fleet sees it. */
export class FleetStore implements Registry {
  readonly #options: FleetStoreOptions;

  constructor(options: FleetStoreOptions) {
    this.#options = options;
  }

  /** Joins the fleet, which begins with the first; the ranges inside the tunnel are those of all. Done again it changes nothing. */
  async init(host: string, port: number, taken: readonly string[] = []): Promise<EndpointIdentity> {
    const { endpoint, database } = this.#options;
    return database.change(async (ask) => {
      const fleet = await readFleet(ask);
      const own = fleet && copyFor(fleet, endpoint)?.identity;
      if (own?.host === host && own.port === port) return own;
      if (own) {
        throw new Error(
          `the fleet has an endpoint "${endpoint}" already, at ${own.host} port ${own.port}; name this one otherwise, or change that one: iotshaper endpoint set-host, set-port`,
        );
      }
      this.#requireFreePlace(fleet, { host, port });
      return this.#inFolder(null, async (store) => {
        const drawn = await store.init(host, port, taken);
        const made = await store.export();
        if (!fleet) {
          await writeChanges(ask, endpoint, null, made);
          return drawn;
        }
        const { nets, certificate, key, authority, homes } = fleet;
        const identity = { host, port, ...nets };
        await ask('INSERT INTO endpoints (name, host, port) VALUES ($1, $2, $3)', [
          ...[endpoint, host, port],
        ]);
        return { identity, certificate, key, authority, homes }.identity;
      });
    });
  }

  move(change: (before: EndpointIdentity) => EndpointIdentity): Promise<Move> {
    return this.#change(
      (store) => store.move(change),
      (fleet, { after }) => this.#requireFreePlace(fleet, after),
    );
  }

  async identity(): Promise<EndpointIdentity> {
    return (await this.export()).identity;
  }

  async homes(): Promise<StoredHome[]> {
    return [...(await this.export()).homes];
  }

  addHome(name: string, deliver?: Deliver): Promise<string> {
    return this.#change((store) => store.addHome(name, deliver), undefined, name);
  }

  rotateHome(name: string, deliver?: Deliver): Promise<string> {
    return this.#change((store) => store.rotateHome(name, deliver), undefined, name);
  }

  removeHome(name: string): Promise<StoredHome[]> {
    return this.#change((store) => store.removeHome(name));
  }

  limits(): Promise<LimitBook> {
    return this.#options.database.read(
      async (ask) => this.#requireFleet(await readFleet(ask)).limits,
    );
  }

  changeLimits(change: (before: LimitBook) => LimitBook): Promise<LimitBook> {
    return this.#options.database.change(async (ask) => {
      const after = change(this.#requireFleet(await readFleet(ask)).limits);
      await ask('UPDATE fleet SET limits = $1', [renderLimitBook(after)]);
      return after;
    });
  }

  export(): Promise<EndpointCopy> {
    const { database } = this.#options;
    return database.read(async (ask) => this.#copyOf(await readFleet(ask)));
  }

  /** Begins a fleet with what one machine was, of which this one is the first endpoint. */
  async import(copy: EndpointCopy): Promise<void> {
    const { database, endpoint } = this.#options;
    await database.change(async (ask) => {
      if (await readFleet(ask)) {
        throw new Error('the registry has a fleet already; begin another one in an empty database');
      }
      await writeChanges(ask, endpoint, null, copy);
    });
  }

  endpoints(): Promise<FleetEndpoint[]> {
    return this.#options.database.read(readMembers);
  }

  holders(): Promise<ReadonlyMap<string, string>> {
    return this.#options.database.read(async (ask) => {
      const rows = await ask<{ home: string; endpoint: string }>(
        `SELECT home, endpoint FROM holdings JOIN endpoints ON endpoints.name = endpoint
         WHERE seen_at > now() - make_interval(secs => $1)`,
        [GONE_AFTER_S],
      );
      return new Map(rows.map(({ home, endpoint }) => [home, endpoint]));
    });
  }

  /** One change, made as one machine makes it. @param check may refuse what came of it */
  #change<T>(
    work: (store: EndpointStore) => Promise<T>,
    check: (fleet: Fleet, result: T) => void = () => {},
    home = '',
  ): Promise<T> {
    const { database, endpoint } = this.#options;
    return database.change(async (ask: Ask) => {
      const fleet = await readFleet(ask);
      const before = this.#copyOf(fleet);
      const remotes = remotesFor(fleet!.members, home);
      const copy = { ...before, identity: { ...before.identity, remotes } };
      return this.#inFolder(copy, async (store) => {
        const result = await work(store);
        check(fleet!, result);
        await writeChanges(ask, endpoint, before, await store.export());
        return result;
      });
    });
  }

  #copyOf(fleet: Fleet | null): EndpointCopy {
    return copyFor(this.#requireFleet(fleet), this.#options.endpoint)!;
  }

  #requireFleet(fleet: Fleet | null): Fleet {
    const { endpoint } = this.#options;
    if (fleet?.members.some(({ name }) => name === endpoint)) return fleet;
    throw new Error(
      `the fleet has no endpoint "${endpoint}" yet; run "iotshaper endpoint init --host HOST" first`,
    );
  }

  #requireFreePlace(
    fleet: Fleet | null,
    { host, port }: Pick<EndpointIdentity, 'host' | 'port'>,
  ): void {
    const other = fleet?.members.find(
      (member) =>
        member.name !== this.#options.endpoint && member.host === host && member.port === port,
    );
    if (!other) return;
    throw new Error(
      `endpoint "${other.name}" of the fleet is reached by ${host} port ${port} already; give each one of its own`,
    );
  }

  /** In files that are gone afterwards, whatever happens; another process never sees them. */
  async #inFolder<T>(
    copy: EndpointCopy | null,
    work: (store: EndpointStore) => Promise<T>,
  ): Promise<T> {
    const { system, workDir } = this.#options;
    const name = Buffer.from(system.randomBytes(8)).toString('hex');
    // Left by one that was killed: no other change is being made.
    await system.files.remove(workDir);
    await system.files.makeFolder(workDir, 0o700);
    const dir = join(workDir, `change-${name}`);
    const store = new EndpointStore(system, dir);
    try {
      if (copy) await store.import(copy);
      return await work(store);
    } finally {
      await system.files.remove(dir);
    }
  }
}
