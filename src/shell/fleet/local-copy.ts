// What the registry told last, as files that the service serves from: they stay in force while the registry is gone.
import { join } from 'node:path';
import {
  type LimitBook,
  NO_LIMITS,
  renderLimitBook,
} from '../../core/endpoint/admission/limits.ts';
import type { EndpointCopy } from '../../core/endpoint/keeping.ts';
import { isSame } from '../../core/equality/equality.ts';
import { authorityPathOf, writeAuthority } from '../endpoint/state/authority.ts';
import { limitsPathOf } from '../endpoint/state/limit-file.ts';
import { EndpointStore } from '../endpoint/store.ts';
import type { System } from '../system/system.ts';

type CopySystem = Pick<System, 'files' | 'processes' | 'randomBytes'>;

/**
 * Brings the files to this; leaves alone what they say already, so that whoever watches them hears of changes only.
 *
 * @returns whether anything was another one.
 */
export async function writeLocalCopy(
  system: CopySystem,
  dir: string,
  { identity, certificate, key, authority, homes }: EndpointCopy,
  limits: LimitBook,
): Promise<boolean> {
  const { files } = system;
  const store = new EndpointStore(system, dir);
  await files.makeFolder(dir, 0o700);
  const said = (path: string): Promise<string | null> => files.readText(path).catch(() => null);
  const write = async (path: string, text: string): Promise<boolean> => {
    if ((await said(path)) === text) return false;
    await files.replace(path, text);
    return true;
  };
  const isAuthorityNew =
    authority !== null && (await said(authorityPathOf(dir))) !== authority.certificate;
  if (isAuthorityNew) await writeAuthority(system, dir, authority);
  const changes = [
    isAuthorityNew,
    await write(store.keyPath, key),
    await write(store.certificatePath, certificate),
    // One without limits has no such file.
    (!isSame(limits, NO_LIMITS) || files.exists(limitsPathOf(dir))) &&
      (await write(limitsPathOf(dir), renderLimitBook(limits))),
    await write(store.homesPath, renderJson(homes)),
    // It comes last: with it, there is an endpoint.
    await write(join(dir, 'endpoint.json'), renderJson(identity)),
  ];
  return changes.includes(true);
}

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
