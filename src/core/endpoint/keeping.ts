// What an endpoint keeps of itself and of its homes: read from what may be damaged, or another machine's. Pure.
import { parseControlKey } from '../openvpn/inside.ts';
import { type LimitBook, readLimitBook } from './admission/limits.ts';
import { findHostFault } from './host.ts';
import { type EndpointIdentity, isSigned, type KeyPair, type StoredHome } from './identity.ts';

/** Last bytes of the homes' tunnel addresses. */
export const FIRST_HOST = 2;
export const LAST_HOST = 254;

/** A whole endpoint, to be moved or kept. */
export interface EndpointCopy extends KeyPair {
  identity: EndpointIdentity;
  /** Which signs the homes' certificates; null for an endpoint that has signed none. */
  authority: KeyPair | null;
  homes: readonly StoredHome[];
  /** What they are allowed; left out where nothing was ever said. */
  limits?: LimitBook;
}

/** By which a copy is known, and which programs can read it. */
const COPY = 'iotshaper endpoint 1';

/** What keeps a home from having this name; null where it may. */
export function findNameFault(name: string): string | null {
  if (!isName(name)) {
    return `NAME: must be 1 to 32 letters, digits, dots, dashes or underscores, got "${name}"`;
  }
  // OpenVPN reads the file of that name for every home that has none of its own.
  return name === 'DEFAULT' ? 'NAME: must not be DEFAULT, which OpenVPN keeps' : null;
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name);
}

export function isIdentity(value: unknown): value is EndpointIdentity {
  if (!isRecord(value)) return false;
  const { host, port, tunnelNet, innerNet, innerNet6 } = value;
  return (
    typeof host === 'string' &&
    Number.isInteger(port) &&
    (port as number) >= 1 &&
    (port as number) <= 65_535 &&
    /^\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(String(tunnelNet)) &&
    /^\d{1,3}\.\d{1,3}$/.test(String(innerNet)) &&
    /^fd[0-9a-f]{2}(:[0-9a-f]{1,4}){2}$/.test(String(innerNet6))
  );
}

/** Homes as a file has them, which an older version may have written; null where it is damaged. */
export function readHomes(value: unknown): StoredHome[] | null {
  if (!Array.isArray(value) || !value.every(isHome)) return null;
  const homes = value.map((home) => ({
    ...home,
    commonName: home.commonName ?? home.name,
    controlKey: controlKeyOf(home),
  }));
  const isOnce = (key: 'name' | 'host' | 'commonName') =>
    new Set(homes.map((home) => home[key])).size === homes.length;
  return isOnce('name') && isOnce('host') && isOnce('commonName') ? homes : null;
}

interface KeptHome extends Omit<StoredHome, 'commonName' | 'controlKey'> {
  commonName?: string;
  controlKey: unknown;
}

function isHome(value: unknown): value is KeptHome {
  if (!isRecord(value)) return false;
  const { name, host, commonName, fingerprint } = value;
  const isPlace = Number.isInteger(host) && Number(host) >= FIRST_HOST && Number(host) <= LAST_HOST;
  const isCalled = commonName === undefined || isCommonName(commonName, name);
  return isName(name) && isPlace && isCalled && /^[0-9A-Za-z:]+$/.test(String(fingerprint));
}

/** What a home's certificate calls it: a later one of the same name, too, is another one. @param serial eight bytes that were drawn, in hexadecimal. */
export function commonNameOf(name: string, serial: string): string {
  return `${name}.${serial}`;
}

function isCommonName(value: unknown, name: unknown): value is string {
  if (value === name) return true;
  // It is a file's name, too.
  return (
    typeof value === 'string' &&
    /^\.[0-9a-f]{16}$/.test(value.slice(String(name).length)) &&
    value.startsWith(String(name))
  );
}

/** '' where there is none that could be used. */
function controlKeyOf({ controlKey }: { controlKey: unknown }): string {
  return typeof controlKey === 'string' && parseControlKey(controlKey) ? controlKey : '';
}

export function renderCopy(copy: EndpointCopy): string {
  return `${JSON.stringify({ format: COPY, ...copy }, null, 2)}\n`;
}

/** @throws {Error} which completes a sentence that begins with the file, where it is none. */
export function parseCopy(text: string): EndpointCopy {
  const value = parseJson(text);
  if (!isRecord(value) || value.format !== COPY) {
    throw new Error('is not what "iotshaper endpoint export" writes');
  }
  const { identity, certificate, key, authority = null } = value;
  const limits = value.limits === undefined ? undefined : readLimitBook(value.limits);
  const pair: unknown = { certificate, key };
  const homes = readHomes(value.homes);
  if (
    !homes ||
    limits === null ||
    !isIdentity(identity) ||
    findHostFault(identity.host) !== null ||
    !isKeyPair(pair) ||
    !(authority === null ? !homes.some(isSigned) : isKeyPair(authority))
  ) {
    throw new Error('is damaged; export the endpoint again');
  }
  const copy = { identity, ...pair, authority: authority as KeyPair | null, homes };
  return limits ? { ...copy, limits } : copy;
}

/** What the text says; null where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isKeyPair(value: unknown): value is KeyPair {
  if (!isRecord(value)) return false;
  return isPem(value.certificate, 'CERTIFICATE') && isPem(value.key, 'PRIVATE KEY');
}

function isPem(value: unknown, label: string): value is string {
  return (
    typeof value === 'string' &&
    new RegExp(`^-----BEGIN ${label}-----\n[A-Za-z0-9+/=\n]+-----END ${label}-----\n$`).test(value)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
