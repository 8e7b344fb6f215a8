// A profile handed in by the user: judged before it replaces the old one.
import { dirname } from 'node:path';
import { renderMessage } from '../../core/home/answers.ts';
import type { ProfileCheck } from '../../core/home/api.ts';
import { checkProfile } from '../../core/openvpn/profile.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import { pemReader } from '../openvpn/pem-reader.ts';
import type { System } from '../system/system.ts';

/** What is wrong with a profile, by line, or the endpoint it names. */
export function judgeProfile(text: string): ProfileCheck {
  const verdict = checkProfile(text, pemReader);
  if (!verdict.ok) {
    const errors = verdict.problems.map(({ line, ...said }) => ({ line, ...renderMessage(said) }));
    return { ok: false, errors };
  }
  return { ok: true, errors: [], endpoint: formatRemote(verdict.profile.remotes[0]!) };
}

/** Puts a profile in its place (0600); the old one is there until the new one is whole. */
export async function storeProfile(
  { files }: Pick<System, 'files'>,
  path: string,
  text: string,
): Promise<void> {
  await files.makeFolder(dirname(path), 0o700);
  await files.replace(path, text);
}
