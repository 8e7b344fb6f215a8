// What an endpoint and its homes are kept in, as those who use it see it: one machine's files, or a fleet's database.
import { type LimitBook, withoutHome } from '../../core/endpoint/admission/limits.ts';
import type { TakingEndpoint } from '../../core/endpoint/fleet/room.ts';
import type { EndpointIdentity, StoredHome } from '../../core/endpoint/identity.ts';
import type { EndpointCopy } from '../../core/endpoint/keeping.ts';

/** Takes a profile before its home counts. */
export type Deliver = (profile: string) => Promise<void>;

/** An endpoint before and after a change. */
export interface Move {
  before: EndpointIdentity;
  after: EndpointIdentity;
}

/** What commands change. Each call is one change, whole or not at all, whoever else makes any. */
export interface Registry {
  /**
   * Makes the identity.
   *
   * @param taken networks this machine is in, of which none is used inside the tunnel.
   * @throws {Error} when there is one, or a value is impossible.
   */
  init(host: string, port: number, taken?: readonly string[]): Promise<EndpointIdentity>;
  /** Changes what it is to homes, whose profiles keep what was. */
  move(change: (before: EndpointIdentity) => EndpointIdentity): Promise<Move>;
  /** @throws {Error} before `endpoint init`. */
  identity(): Promise<EndpointIdentity>;
  homes(): Promise<StoredHome[]>;
  /**
   * Adds a home and returns its profile, whose key is kept nowhere else.
   *
   * @param deliver takes the profile before the home counts; where it throws, nothing has changed.
   * @throws {Error} when the name is taken or no name, or all addresses are.
   */
  addHome(name: string, deliver?: Deliver): Promise<string>;
  /** Gives a home new keys in the place of those it has, and returns its new profile. @throws {Error} when there is no such home. */
  rotateHome(name: string, deliver?: Deliver): Promise<string>;
  /** Returns the homes that are left. @throws {Error} when there is no such home. */
  removeHome(name: string): Promise<StoredHome[]>;
  /** What homes are allowed. */
  limits(): Promise<LimitBook>;
  changeLimits(change: (before: LimitBook) => LimitBook): Promise<LimitBook>;
  /** All there is but that, to move it elsewhere or to keep it: a secret. */
  export(): Promise<EndpointCopy>;
  /** Makes this the endpoint that was exported. @throws {Error} when there is one already. */
  import(copy: EndpointCopy): Promise<void>;
  /** Which endpoint of a fleet each home that is connected is connected to; not there for one machine. */
  holders?(): Promise<ReadonlyMap<string, string>>;
  /** The endpoints of a fleet; not there for one machine. */
  endpoints?(): Promise<readonly FleetEndpoint[]>;
}

/** One of several machines. */
export interface FleetEndpoint extends TakingEndpoint {
  /** Whether it sends its homes on to the others. */
  drained: boolean;
  /** Whether it has told the registry of itself lately. */
  heard: boolean;
}

/** What the service serves from: files of this machine, whatever they were copied from. */
export interface ServedState {
  /** Whatever changes in it may be a change of homes. */
  readonly dir: string;
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Of what signs homes' certificates; there once a home was added. */
  readonly authorityPath: string;
  homes(): Promise<StoredHome[]>;
  /** Changes when the endpoint was removed or made anew: a service that began with another one has to end. */
  stamp(): Promise<string>;
}

/** Removes a home with what it was allowed: another one of its name begins without. Returns the homes that are left. */
export async function removeHome(registry: Registry, name: string): Promise<StoredHome[]> {
  const left = await registry.removeHome(name);
  if (Object.hasOwn((await registry.limits()).homes, name)) {
    await registry.changeLimits((before) => withoutHome(before, name));
  }
  return left;
}
