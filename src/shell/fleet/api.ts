// Adds and removes homes for other programs, over HTTP: what `endpoint add-home` and `remove-home` do, done twice is done once.
import { createHash, timingSafeEqual } from 'node:crypto';
import { findNameFault } from '../../core/endpoint/keeping.ts';
import { tunnelAddress } from '../../core/plan/nft/nft-endpoint.ts';
import { type Registry, removeHome } from '../endpoint/registry.ts';
import { requirePrivate } from '../endpoint/state/fleet-settings.ts';
import type { Log } from '../system/log.ts';
import type { System, WebAnswer, WebRequest } from '../system/system.ts';

/** Fewer can be tried out. */
const LEAST_TOKEN_LETTERS = 32;

export interface ApiOptions {
  system: Pick<System, 'files'>;
  registry: Registry;
  /** The file with the token; read at each request, so that it can be replaced. */
  tokenPath: string;
  log: Log;
}

/** As the API tells of a home. */
interface ToldHome {
  name: string;
  /** Inside the tunnel. */
  address: string;
  /** The endpoint it is connected to, where that is known. */
  endpoint: string | null;
}

/** Answers requests for `/v1/homes`. */
export class ProvisioningApi {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Never fails. */
  async answer(request: WebRequest): Promise<WebAnswer> {
    try {
      if (!(await this.#mayAsk(request))) {
        return {
          ...fault(401, 'say "Authorization: Bearer TOKEN" with the token of this endpoint'),
          headers: { ...JSON_HEADERS, 'www-authenticate': 'Bearer' },
        };
      }
      return await this.#route(request);
    } catch (error) {
      const { message } = error as Error;
      this.#options.log('warning', `API: ${message}`);
      return fault(503, message);
    }
  }

  async #route({ method, target }: WebRequest): Promise<WebAnswer> {
    const [path = ''] = target.split('?');
    if (path === '/v1/homes') {
      if (method !== 'GET') return notAllowed('GET');
      return say(200, { homes: await this.#tell() });
    }
    const [, encoded, what] = /^\/v1\/homes\/([^/]+)(\/profile)?$/.exec(path) ?? [];
    const name = encoded === undefined ? null : decode(encoded);
    if (name === null) return fault(404, 'there are /v1/homes, /v1/homes/NAME and …/profile');
    const wrong = findNameFault(name);
    if (wrong !== null) return fault(400, wrong);
    if (what !== undefined) {
      return method === 'POST' ? this.#rotate(name) : notAllowed('POST');
    }
    switch (method) {
      case 'GET': {
        const home = await this.#find(name);
        return home ? say(200, { home }) : unknown(name);
      }
      case 'PUT':
        return this.#add(name);
      case 'DELETE':
        return this.#remove(name);
      default:
        return notAllowed('GET, PUT, DELETE');
    }
  }

  /** A profile is told once, to whoever's request has made it. */
  async #add(name: string): Promise<WebAnswer> {
    const { registry, log } = this.#options;
    const known = await this.#find(name);
    if (known) return say(200, { home: known });
    try {
      const profile = await registry.addHome(name);
      log('notice', `API: home "${name}" is added`);
      return say(201, { home: await this.#find(name), profile });
    } catch (error) {
      // Somebody else was sooner.
      const home = await this.#find(name);
      if (home) return say(200, { home });
      throw error;
    }
  }

  async #rotate(name: string): Promise<WebAnswer> {
    const { registry, log } = this.#options;
    const home = await this.#find(name);
    if (!home) return unknown(name);
    const profile = await registry.rotateHome(name);
    log('notice', `API: home "${name}" has new keys`);
    return say(200, { home, profile });
  }

  async #remove(name: string): Promise<WebAnswer> {
    const { registry, log } = this.#options;
    if (await this.#find(name)) {
      try {
        await removeHome(registry, name);
        log('notice', `API: home "${name}" is removed`);
      } catch (error) {
        if (await this.#find(name)) throw error;
      }
    }
    return { status: 204, headers: {}, body: '' };
  }

  async #find(name: string): Promise<ToldHome | null> {
    return (await this.#tell()).find((home) => home.name === name) ?? null;
  }

  async #tell(): Promise<ToldHome[]> {
    const { registry } = this.#options;
    const { identity, homes } = await registry.export();
    const holders = await registry.holders?.();
    return homes.map(({ name, host }) => ({
      name,
      address: tunnelAddress(identity, host),
      endpoint: holders?.get(name) ?? null,
    }));
  }

  /** Takes as long for a token that is nearly right as for any other. */
  async #mayAsk({ headers }: WebRequest): Promise<boolean> {
    const token = await readToken(this.#options.system, this.#options.tokenPath);
    const [, said = ''] = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '') ?? [];
    return timingSafeEqual(digest(said), digest(token));
  }
}

/** @throws {Error} where there is none that could be a secret */
export async function readToken(system: Pick<System, 'files'>, path: string): Promise<string> {
  if ((await system.files.stat(path)) === null) {
    throw new Error(
      `${path}: there is no token for the API yet; run "(umask 077; openssl rand -hex 32 >${path})"`,
    );
  }
  await requirePrivate(system, path);
  const token = (await system.files.readText(path)).trim();
  if (token.length >= LEAST_TOKEN_LETTERS && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(
    `${path}: must be ${LEAST_TOKEN_LETTERS} or more letters and digits; run "(umask 077; openssl rand -hex 32 >${path})"`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Profiles are secrets. */
const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

function say(status: number, value: unknown): WebAnswer {
  return { status, headers: JSON_HEADERS, body: `${JSON.stringify(value)}\n` };
}

function fault(status: number, error: string): WebAnswer {
  return say(status, { error });
}

function unknown(name: string): WebAnswer {
  return fault(404, `there is no home "${name}"`);
}

function notAllowed(allow: string): WebAnswer {
  const answer = fault(405, `only ${allow} can be asked for here`);
  return { ...answer, headers: { ...answer.headers, allow } };
}
