// Where the page is: its addresses and port, its password and certificate, from the machine's files alone.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../../core/config/types.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { findHouseSide, type HouseSide, parseDefaultRoutes } from '../../core/web/house-side.ts';
import { makeCertificate } from '../endpoint/state/certificate.ts';
import type { System } from '../system/system.ts';
import { isPasswordHash } from './password-hash.ts';

/** Beside the configuration, root's alone. */
export const PASSWORD_FILE = 'page-password';
const CERTIFICATE_FILE = 'page-certificate.pem';

/** Where the page is to be seen from this configuration. */
export async function readHouseSide(
  { files, sockets }: Pick<System, 'files' | 'sockets'>,
  { networks, tunnel }: Config,
): Promise<HouseSide> {
  const read = (path: string): Promise<string> => files.readText(path).catch(() => '');
  const outside = parseDefaultRoutes(
    await read('/proc/net/route'),
    await read('/proc/net/ipv6_route'),
  );
  for (const own of [tunnel.interface, TUNNEL_NETDEV]) outside.add(own);
  const names = networks.map(({ device }) => device);
  return findHouseSide(sockets.netdevAddresses(), names, outside);
}

/** The hash of the password; '' while there is none, and so no page. */
export async function readPasswordHash(
  { files }: Pick<System, 'files'>,
  folder: string,
): Promise<string> {
  const text = await files.readText(join(folder, PASSWORD_FILE)).catch(() => '');
  return isPasswordHash(text) ? text.trim() : '';
}

export interface Identity {
  certificate: string;
  key: string;
  /** SHA-256, as browsers show it. */
  fingerprint: string;
}

/** The certificate with its key, made where there is none yet. */
export async function readIdentity(
  system: Pick<System, 'files' | 'processes'>,
  folder: string,
): Promise<Identity> {
  const path = join(folder, CERTIFICATE_FILE);
  const kept = parseIdentity(await system.files.readText(path).catch(() => ''));
  if (kept) return kept;
  const { certificate, key } = await makeCertificate(system, 'iotshaper');
  const made = parseIdentity(certificate + key);
  if (!made) throw new Error('openssl made no certificate; run "apt install openssl"');
  await system.files.replace(path, certificate + key);
  return made;
}

function parseIdentity(text: string): Identity | null {
  const find = (label: string): string =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`).exec(text)?.[0] ?? '';
  const [certificate, key] = [find('CERTIFICATE'), find('PRIVATE KEY')];
  if (certificate === '' || key === '') return null;
  try {
    const { fingerprint256: fingerprint } = new X509Certificate(certificate);
    return { certificate, key, fingerprint };
  } catch {
    return null;
  }
}

/** As a person types them into a browser. */
export function pageUrls(addresses: readonly string[], port: number): string[] {
  return addresses.map(
    (address) => `https://${address.includes(':') ? `[${address}]` : address}:${port}/`,
  );
}
