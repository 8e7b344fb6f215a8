// What the endpoint's OpenVPN reads: its configuration, and of each home a file that it can read when it is root no longer.
import { dirname, join, resolve } from 'node:path';
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { PlainUser } from '../../core/plan/facts.ts';
import { renderClientConfig, renderEndpointOpenVpn } from '../../core/plan/openvpn.ts';
import { managementSocketOf } from '../openvpn/openvpn.ts';
import type { Log } from '../system/log.ts';
import { readPlainUser } from '../system/plain-user.ts';
import type { System } from '../system/system.ts';
import type { EndpointIdentity, EndpointStore, StoredHome } from './store.ts';

/** A directory whose files others may open, but not list. */
const THROUGH = 0o711;
/** SHA-256 of no certificate. */
const NOBODY = Array(32).fill('00').join(':');

/** Makes a directory through which others get to files they may read; leaves one that is there as it is. */
export function makeRunDir({ files }: Pick<System, 'files'>, runDir: string): Promise<void> {
  return files.makeFolder(runDir, THROUGH);
}

export interface OpenVpnFilesOptions {
  system: Pick<System, 'files'>;
  store: EndpointStore;
  runDir: string;
  log: Log;
}

/** Writes the homes' files, for these homes alone, and returns the configuration. */
export async function prepareOpenVpn(
  { system, store, runDir, log }: OpenVpnFilesOptions,
  identity: EndpointIdentity,
  homes: readonly StoredHome[],
): Promise<string> {
  const clientConfigDir = clientConfigDirOf(runDir);
  await writeClientConfigs(system, clientConfigDir, identity.tunnelNet, homes);
  const fingerprints = homes.map(({ fingerprint }) => fingerprint);
  return renderEndpointOpenVpn({
    isDualStack: system.files.exists('/proc/net/if_inet6'),
    port: identity.port,
    certificatePath: store.certificatePath,
    keyPath: store.keyPath,
    // Without any home OpenVPN still wants a fingerprint; nobody has this one.
    fingerprints: fingerprints.length > 0 ? fingerprints : [NOBODY],
    clientConfigDir,
    tunnelNet: identity.tunnelNet,
    managementSocket: managementSocketOf(runDir),
    queuePackets: 1024,
    plainUser: await findReader(system, clientConfigDir, log),
  });
}

export function removeClientConfigs(
  { files }: Pick<System, 'files'>,
  runDir: string,
): Promise<void> {
  return files.remove(clientConfigDirOf(runDir));
}

/** The topmost directory on the way to `path` that is closed to others, or null. */
export async function findClosedDirectory(
  { files }: Pick<System, 'files'>,
  path: string,
): Promise<string | null> {
  let closed: string | null = null;
  for (let at = resolve(path); ; at = dirname(at)) {
    const mode = (await files.stat(at))?.mode ?? 0;
    if ((mode & 0o001) === 0) closed = at;
    if (at === dirname(at)) return closed;
  }
}

function clientConfigDirOf(runDir: string): string {
  return join(runDir, 'homes');
}

/** A home's file holds its tunnel address, which is no secret. */
async function writeClientConfigs(
  { files }: Pick<System, 'files'>,
  dir: string,
  tunnelNet: string,
  homes: readonly StoredHome[],
): Promise<void> {
  await files.remove(dir);
  await files.makeFolder(dir, THROUGH);
  for (const { name, host } of homes) {
    const path = join(dir, name);
    await files.write(path, renderClientConfig(tunnelNet, host));
    await files.setMode(path, 0o644);
  }
}

/** Whom OpenVPN may become and still read that directory. */
async function findReader(
  system: Pick<System, 'files'>,
  dir: string,
  log: Log,
): Promise<PlainUser | null> {
  const closed = await findClosedDirectory(system, dir);
  if (closed) {
    log('warning', wordsOf(notice('openvpn-stays-root', { folder: closed })));
    return null;
  }
  const user = await readPlainUser(system);
  if (!user) log('warning', wordsOf(notice('plain-user-missing')));
  return user;
}
