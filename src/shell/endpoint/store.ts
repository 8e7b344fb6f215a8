// The endpoint's state on disk: its identity and the homes it serves, in one directory of 0600 files.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { LimitBook } from '../../core/endpoint/admission/limits.ts';
import { findHostFault } from '../../core/endpoint/host.ts';
import type { EndpointIdentity, StoredHome } from '../../core/endpoint/identity.ts';
import {
  commonNameOf,
  type EndpointCopy,
  FIRST_HOST,
  findNameFault,
  isIdentity,
  LAST_HOST,
  readHomes,
} from '../../core/endpoint/keeping.ts';
import { findFreeNets, findPortFault } from '../../core/endpoint/place.ts';
import { CONTROL_KEY_BYTES } from '../../core/openvpn/inside.ts';
import type { System, SystemError } from '../system/system.ts';
import { renderProfile } from './home-profile.ts';
import type { Deliver, Move, Registry, ServedState } from './registry.ts';
import { authorityPathOf, readAuthority, signHome, writeAuthority } from './state/authority.ts';
import { makeCertificate } from './state/certificate.ts';
import { withFolderLock } from './state/folder-lock.ts';
import { changeLimits, readLimits } from './state/limit-file.ts';

const nowhere: Deliver = async () => {};

/** Bytes that tell a home's certificate from any other of its name. */
const SERIAL_BYTES = 8;

type StoreSystem = Pick<System, 'files' | 'processes' | 'randomBytes'>;

/** One endpoint's state directory. */
export class EndpointStore implements Registry, ServedState {
  readonly #system: StoreSystem;
  readonly dir: string;

  constructor(system: StoreSystem, dir: string) {
    this.#system = system;
    this.dir = dir;
  }

  get certificatePath(): string {
    return join(this.dir, 'endpoint.crt');
  }

  get keyPath(): string {
    return join(this.dir, 'endpoint.key');
  }

  /** Of what signs homes' certificates; there once a home was added. */
  get authorityPath(): string {
    return authorityPathOf(this.dir);
  }

  get homesPath(): string {
    return join(this.dir, 'homes.json');
  }

  get #identityPath(): string {
    return join(this.dir, 'endpoint.json');
  }

  /**
   * Makes the identity.
   *
   * @param taken networks this machine is in, of which none is used inside the tunnel.
   * @throws {Error} when there is one, or a value is impossible.
   */
  async init(host: string, port: number, taken: readonly string[] = []): Promise<EndpointIdentity> {
    const hostFault = findHostFault(host);
    if (hostFault !== null) throw new Error(`--host: ${hostFault}`);
    const portFault = findPortFault(port);
    if (portFault !== null) throw new Error(`--port: ${portFault}`);
    const global = Buffer.from(this.#system.randomBytes(5)).toString('hex');
    const identity: EndpointIdentity = {
      host,
      port,
      ...findFreeNets(taken),
      innerNet6: `fd${global.slice(0, 2)}:${global.slice(2, 6)}:${global.slice(6, 10)}`,
    };
    const made = await this.#whereNone(() =>
      makeCertificate(this.#system, 'iotshaper endpoint').then((pair) => ({
        ...{ identity, ...pair, authority: null, homes: [] },
      })),
    );
    return made.identity;
  }

  /** Changes what it is to homes, whose profiles keep what was; a service that runs ends unless it is the host alone. */
  async move(change: (before: EndpointIdentity) => EndpointIdentity): Promise<Move> {
    await this.identity();
    return this.#alone(async () => {
      const before = await this.identity();
      const after = change(before);
      await this.#writeIdentity(after);
      return { before, after };
    });
  }

  /** @throws {Error} before `endpoint init`. */
  async identity(): Promise<EndpointIdentity> {
    const identity = await this.#tryIdentity();
    if (!identity) {
      throw new Error(
        `${this.dir}: there is no endpoint yet; run "iotshaper endpoint init --host HOST" first`,
      );
    }
    return identity;
  }

  async homes(): Promise<StoredHome[]> {
    await this.identity();
    const homes = readHomes(await this.#read(this.homesPath));
    if (!homes) throw damaged(this.homesPath);
    return homes;
  }

  /**
   * Adds a home and returns its profile, whose key is kept nowhere else.
   *
   * @param deliver takes the profile before the home counts; where it throws, nothing has changed.
   * @throws {Error} when the name is taken or no name, or all addresses are.
   */
  async addHome(name: string, deliver: Deliver = nowhere): Promise<string> {
    const fault = findNameFault(name);
    if (fault !== null) throw new Error(fault);
    return this.#change(async (homes) => {
      if (homes.some((home) => home.name === name)) {
        throw new Error(
          `there is a home "${name}" already, and its key is kept nowhere but in its profile; run "iotshaper endpoint rotate ${name}" for a new profile, which ends the one before it, or choose another name`,
        );
      }
      const taken = new Set(homes.map(({ host }) => host));
      let host = FIRST_HOST;
      while (taken.has(host)) host++;
      if (host > LAST_HOST) {
        throw new Error(
          `there are ${LAST_HOST - FIRST_HOST + 1} homes already; that is all an endpoint holds`,
        );
      }
      const { home, profile } = await this.#makeHome(name, host);
      await deliver(profile);
      return { homes: [...homes, home], result: profile };
    });
  }

  async rotateHome(name: string, deliver: Deliver = nowhere): Promise<string> {
    return this.#change(async (homes) => {
      const { host } = find(homes, name);
      const { home, profile } = await this.#makeHome(name, host);
      await deliver(profile);
      return {
        homes: homes.map((other) => (other.name === name ? home : other)),
        result: profile,
      };
    });
  }

  async removeHome(name: string): Promise<StoredHome[]> {
    return this.#change(async (homes) => {
      find(homes, name);
      const left = homes.filter((home) => home.name !== name);
      return { homes: left, result: left };
    });
  }

  limits(): Promise<LimitBook> {
    return readLimits(this.#system, this.dir);
  }

  changeLimits(change: (before: LimitBook) => LimitBook): Promise<LimitBook> {
    return changeLimits(this.#system, this.dir, change);
  }

  async export(): Promise<EndpointCopy> {
    const identity = await this.identity();
    return this.#alone(async () => ({
      identity,
      certificate: await this.#system.files.readText(this.certificatePath),
      key: await this.#system.files.readText(this.keyPath),
      authority: await readAuthority(this.#system, this.dir),
      homes: await this.homes(),
    }));
  }

  /** Makes this machine the endpoint that was exported. @throws {Error} when it is one already. */
  async import(copy: EndpointCopy): Promise<void> {
    await this.#whereNone(async () => copy);
  }

  /** Changes when the endpoint was removed or made anew: a service that began with another one has to end. */
  async stamp(): Promise<string> {
    const identity = await this.#tryIdentity();
    if (!identity) return 'none';
    const { host: _, ...kept } = identity;
    const secrets = [this.certificatePath, this.keyPath].map((path) =>
      this.#system.files.readText(path).catch((error: SystemError) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      }),
    );
    return JSON.stringify([kept, ...(await Promise.all(secrets))]);
  }

  /** New keys of a home, and the profile that holds them. */
  async #makeHome(name: string, host: number): Promise<{ home: StoredHome; profile: string }> {
    const identity = await this.identity();
    const serial = Buffer.from(this.#system.randomBytes(SERIAL_BYTES)).toString('hex');
    const commonName = commonNameOf(name, serial);
    const { certificate, key } = await signHome(this.#system, this.dir, commonName);
    const { fingerprint256: fingerprint } = new X509Certificate(certificate);
    const controlKey = Buffer.from(this.#system.randomBytes(CONTROL_KEY_BYTES)).toString('base64');
    const endpoint = new X509Certificate(await this.#system.files.readBytes(this.certificatePath));
    const secrets = { certificate, key, controlKey };
    return {
      home: { name, host, commonName, fingerprint, controlKey },
      profile: renderProfile(identity, name, endpoint.fingerprint256, secrets),
    };
  }

  /** One change of the homes, in one replacement of their file, whoever else changes them. */
  async #change<T>(
    work: (homes: StoredHome[]) => Promise<{ homes: readonly StoredHome[]; result: T }>,
  ): Promise<T> {
    await this.identity();
    return this.#alone(async () => {
      const { homes, result } = await work(await this.homes());
      await this.#system.files.replace(this.homesPath, renderJson(homes));
      return result;
    });
  }

  /** Writes an endpoint where there is none; its identity comes last, and until then there is none. */
  async #whereNone(make: () => Promise<EndpointCopy>): Promise<EndpointCopy> {
    const refuse = async (): Promise<void> => {
      if (!(await this.#tryIdentity())) return;
      throw new Error(
        `${this.dir}: there is an endpoint already; remove that directory to make another`,
      );
    };
    await refuse();
    const { files } = this.#system;
    await files.makeFolder(this.dir, 0o700);
    return this.#alone(async () => {
      await refuse();
      const copy = await make();
      await files.replace(this.certificatePath, copy.certificate);
      await files.replace(this.keyPath, copy.key);
      if (copy.authority) await writeAuthority(this.#system, this.dir, copy.authority);
      await files.replace(this.homesPath, renderJson(copy.homes));
      await this.#writeIdentity(copy.identity);
      return copy;
    });
  }

  #writeIdentity(identity: EndpointIdentity): Promise<void> {
    return this.#system.files.replace(this.#identityPath, renderJson(identity));
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return withFolderLock(this.#system, this.dir, work);
  }

  async #tryIdentity(): Promise<EndpointIdentity | null> {
    let identity: unknown;
    try {
      identity = await this.#read(this.#identityPath);
    } catch (error) {
      if ((error as SystemError).code === 'ENOENT') return null;
      throw error;
    }
    if (!isIdentity(identity)) throw damaged(this.#identityPath);
    return identity;
  }

  async #read(path: string): Promise<unknown> {
    const text = await this.#system.files.readText(path);
    try {
      return JSON.parse(text);
    } catch {
      throw damaged(path);
    }
  }
}

function find(homes: readonly StoredHome[], name: string): StoredHome {
  const home = homes.find((one) => one.name === name);
  if (home) return home;
  const names = homes.map((one) => one.name).join(', ') || 'none';
  throw new Error(`there is no home "${name}"; there is: ${names}`);
}

function damaged(path: string): Error {
  return new Error(`${path}: is damaged; restore it from a backup`);
}

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
