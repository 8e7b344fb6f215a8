// The endpoint's state on disk: its identity and the homes it serves, in one directory of 0600 files.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import {
  type EndpointIdentity,
  findFreeNets,
  type StoredHome,
} from '../../core/endpoint/identity.ts';
import { CONTROL_KEY_BYTES, parseControlKey } from '../../core/openvpn/inside.ts';
import { isHost } from '../../core/openvpn/remote.ts';
import { CommandError } from '../system/command.ts';
import type { System, SystemError } from '../system/system.ts';
import { renderProfile } from './home-profile.ts';

/** Where the package keeps it. */
export const defaultStateDir = '/etc/iotshaper/endpoint';

const FIRST_HOST = 2;
const LAST_HOST = 254;
const CERTIFICATE_DAYS = 36_500;

/** A home as its file has it, which an older version may have written. */
type KeptHome = Omit<StoredHome, 'controlKey'> & { controlKey?: unknown };

type StoreSystem = Pick<System, 'files' | 'processes' | 'randomBytes'>;

/** One endpoint's state directory. */
export class EndpointStore {
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

  get homesPath(): string {
    return join(this.dir, 'homes.json');
  }

  /**
   * Makes the identity.
   *
   * @param taken networks this machine is in, of which none is used inside the tunnel.
   * @throws {Error} when there is one, or a value is impossible.
   */
  async init(host: string, port: number, taken: readonly string[] = []): Promise<EndpointIdentity> {
    if (!isHost(host)) {
      throw new Error(`--host: must be a host name or an address, got "${host}"`);
    }
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new Error(`--port: must be between 1 and 65535, got "${port}"`);
    }
    if (await this.#tryIdentity()) {
      throw new Error(
        `${this.dir}: there is an endpoint already; remove that directory to make another`,
      );
    }
    if (port === 53) throw new Error("--port: 53 is the resolver's; take 443 or 1194");
    const { files, randomBytes } = this.#system;
    await files.makeFolder(this.dir, 0o700);
    const { certificate, key } = await makeCertificate(this.#system, 'iotshaper endpoint');
    const global = Buffer.from(randomBytes(5)).toString('hex');
    const identity: EndpointIdentity = {
      host,
      port,
      ...findFreeNets(taken),
      innerNet6: `fd${global.slice(0, 2)}:${global.slice(2, 6)}:${global.slice(6, 10)}`,
    };
    await files.replace(this.certificatePath, certificate);
    await files.replace(this.keyPath, key);
    await files.replace(this.homesPath, '[]\n');
    await files.replace(join(this.dir, 'endpoint.json'), `${JSON.stringify(identity, null, 2)}\n`);
    return identity;
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
    const homes = await this.#read<KeptHome[]>(this.homesPath);
    if (!Array.isArray(homes) || !homes.every(isHome)) throw damaged(this.homesPath);
    return homes.map((home) => ({ ...home, controlKey: controlKeyOf(home) }));
  }

  /**
   * Adds a home and returns its profile, whose key is kept nowhere else.
   *
   * @throws {Error} when the name is taken or no name, or all addresses are.
   */
  async addHome(name: string): Promise<string> {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name)) {
      throw new Error(
        `NAME: must be 1 to 32 letters, digits, dots, dashes or underscores, got "${name}"`,
      );
    }
    const identity = await this.identity();
    const homes = await this.homes();
    // OpenVPN reads the file of that name for every home that has none of its own.
    if (name === 'DEFAULT') throw new Error('NAME: must not be DEFAULT, which OpenVPN keeps');
    if (homes.some((home) => home.name === name)) {
      throw new Error(`there is a home "${name}" already; remove it first or choose another name`);
    }
    const taken = new Set(homes.map(({ host }) => host));
    let host = FIRST_HOST;
    while (taken.has(host)) host++;
    if (host > LAST_HOST) {
      throw new Error(
        `there are ${LAST_HOST - FIRST_HOST + 1} homes already; that is all an endpoint holds`,
      );
    }
    const { certificate, key } = await makeCertificate(this.#system, name);
    const fingerprint = new X509Certificate(certificate).fingerprint256;
    const controlKey = Buffer.from(this.#system.randomBytes(CONTROL_KEY_BYTES)).toString('base64');
    await this.#writeHomes([...homes, { name, host, fingerprint, controlKey }]);
    const endpoint = new X509Certificate(await this.#system.files.readBytes(this.certificatePath));
    const secrets = { certificate, key, controlKey };
    return renderProfile(identity, name, endpoint.fingerprint256, secrets);
  }

  /** @throws {Error} when there is no such home. */
  async removeHome(name: string): Promise<void> {
    const homes = await this.homes();
    if (!homes.some((home) => home.name === name)) {
      const names = homes.map((home) => home.name).join(', ') || 'none';
      throw new Error(`there is no home "${name}"; there is: ${names}`);
    }
    await this.#writeHomes(homes.filter((home) => home.name !== name));
  }

  async #tryIdentity(): Promise<EndpointIdentity | null> {
    try {
      return await this.#read<EndpointIdentity>(join(this.dir, 'endpoint.json'));
    } catch (error) {
      if ((error as SystemError).code === 'ENOENT') return null;
      throw error;
    }
  }

  async #read<T>(path: string): Promise<T> {
    const text = await this.#system.files.readText(path);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw damaged(path);
    }
  }

  #writeHomes(homes: readonly StoredHome[]): Promise<void> {
    return this.#system.files.replace(this.homesPath, `${JSON.stringify(homes, null, 2)}\n`);
  }
}

function damaged(path: string): Error {
  return new Error(`${path}: is damaged; restore it from a backup`);
}

function isHome(home: Partial<KeptHome> | null): boolean {
  return typeof home?.name === 'string' && typeof home.host === 'number';
}

/** The key of a home as read from disk, '' where there is none that could be used. */
function controlKeyOf({ controlKey }: KeptHome): string {
  return typeof controlKey === 'string' && parseControlKey(controlKey) ? controlKey : '';
}

/** A self-signed certificate on P-256; it is known by its fingerprint, so nobody has to sign it. */
async function makeCertificate(
  { processes }: StoreSystem,
  name: string,
): Promise<{ certificate: string; key: string }> {
  const argv = [
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    `${CERTIFICATE_DAYS}`,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    '-',
    '-out',
    '-',
  ];
  let text: string;
  try {
    text = (await processes.run(argv)).stdout;
  } catch (error) {
    if (error instanceof CommandError && error.status === null) {
      throw new Error('openssl is not installed; run "apt install openssl"');
    }
    throw error;
  }
  const find = (label: string): string =>
    new RegExp(`-----BEGIN ${label}-----[\\s\\S]*?-----END ${label}-----`).exec(text)?.[0] ?? '';
  return { certificate: `${find('CERTIFICATE')}\n`, key: `${find('PRIVATE KEY')}\n` };
}
