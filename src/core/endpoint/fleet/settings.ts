// What an endpoint has beside its own files: a registry that a fleet shares, and who may look and add homes. Pure.
import { ipVersion } from '../../ip/address.ts';

/** Beside the endpoint's own files, its owner's alone. */
export const SETTINGS_FILE = 'fleet.conf';

/** Where something listens. */
export interface ListenPlace {
  address: string;
  port: number;
}

export interface FleetSettings {
  /** PostgreSQL's address, with its password: a secret; null where homes are kept in files. */
  registry: string | null;
  /** By which the others know this endpoint. */
  endpoint: string;
  /** Where the last state that the registry told is kept. */
  copy: string;
  metrics: ListenPlace | null;
  api: ListenPlace | null;
  /** The file with what whoever asks the API has to say; null: `api-token` beside the settings. */
  token: string | null;
}

const DEFAULTS: FleetSettings = {
  registry: null,
  endpoint: '',
  copy: '/var/lib/iotshaper-endpoint/fleet',
  metrics: null,
  api: null,
  token: null,
};

/** @throws {Error} with what is wrong in which line, never with what stands in the line of the registry. */
export function parseFleetSettings(text: string): FleetSettings {
  let settings = DEFAULTS;
  const seen = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, name = '', value = ''] = /^\s*([^\s#]\S*)(?:\s+(\S.*?))?\s*$/.exec(line) ?? [];
    if (name === '') continue;
    try {
      if (seen.has(name)) throw new Error(`${name}: stands twice`);
      settings = { ...settings, ...readSetting(name, value) };
      seen.add(name);
    } catch (error) {
      throw new Error(`line ${index + 1}: ${(error as Error).message}`);
    }
  }
  if (settings.registry !== null && settings.endpoint === '') {
    throw new Error(
      'endpoint: is missing; add a line "endpoint NAME", by which the others of the fleet know this one',
    );
  }
  return settings;
}

function readSetting(name: string, value: string): Partial<FleetSettings> {
  switch (name) {
    case 'registry':
      return { registry: readRegistry(value) };
    case 'endpoint':
      return { endpoint: readName(value) };
    case 'copy':
    case 'token':
      return { [name]: readPath(name, value) };
    case 'metrics':
    case 'api':
      return { [name]: readPlace(name, value) };
    default:
      throw new Error(
        `"${name}" is no setting; there are registry, endpoint, copy, metrics, api and token`,
      );
  }
}

function readRegistry(value: string): string {
  if (/^postgres(?:ql)?:\/\/\S+$/.test(value)) return value;
  throw new Error('registry: must be postgresql://USER:PASSWORD@HOST/DATABASE');
}

function readName(value: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(value)) return value;
  throw new Error(
    `endpoint: must be 1 to 63 letters, digits, dots, dashes or underscores, got "${value}"`,
  );
}

function readPath(name: string, value: string): string {
  if (value.startsWith('/')) return value;
  throw new Error(`${name}: must be a path that begins with /, got "${value}"`);
}

function readPlace(name: string, value: string): ListenPlace {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  const version = bracketed === undefined ? 4 : 6;
  if (ipVersion(address) !== version || port < 1 || port > 65_535) {
    throw new Error(
      `${name}: must be an address and a port, such as 127.0.0.1:9464 or [::1]:9464, got "${value}"`,
    );
  }
  return { address, port };
}

/**
 * Says why nothing of a fleet's may listen at an address; null where it may: where only this machine's own programs, or what is
 * inside the tunnel, can come.
 *
 * @param tunnelNet first three bytes of the tunnel's addresses
 */
export function findListenFault(name: string, address: string, tunnelNet: string): string | null {
  if (/^127\./.test(address) || address === '::1' || address === `${tunnelNet}.1`) return null;
  return `${name}: must listen on this machine alone (127.0.0.1 or [::1]) or inside the tunnel (${tunnelNet}.1), got "${address}"; to reach it from elsewhere, lead there by SSH or a VPN of your own, or put a proxy with TLS in front`;
}

/** Where the registry is, without user or password; for log and errors. */
export function placeOfRegistry(registry: string): string {
  try {
    const { hostname, port, searchParams, pathname } = new URL(registry);
    const host = searchParams.get('host') ?? decodeURIComponent(hostname);
    return `${host || 'localhost'}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return 'PostgreSQL';
  }
}
