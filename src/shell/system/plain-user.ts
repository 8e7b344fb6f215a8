// Whom a program becomes that needs root's rights at its start only.
import type { PlainUser } from '../../core/plan/facts.ts';
import type { System } from './system.ts';

/** The group has another name in some systems; the user has not. */
const GROUPS = ['nogroup', 'nobody'];

/** Finds `nobody` and its group in the text of passwd(5) and group(5); null where there is no such user. */
export function findPlainUser(passwd: string, groups: string): PlainUser | null {
  const group = GROUPS.find((name) => hasPlainEntry(groups, name));
  return hasPlainEntry(passwd, 'nobody') && group ? { user: 'nobody', group } : null;
}

/** Both files are `name:password:id:…`, one entry a line. */
function hasPlainEntry(text: string, name: string): boolean {
  const entry = text.split('\n').find((line) => line.startsWith(`${name}:`));
  return entry !== undefined && Number(entry.split(':')[2]) > 0;
}

/** Finds them on this machine. */
export async function readPlainUser({ files }: Pick<System, 'files'>): Promise<PlainUser | null> {
  try {
    return findPlainUser(await files.readText('/etc/passwd'), await files.readText('/etc/group'));
  } catch {
    return null; // no such file, so no such user
  }
}
