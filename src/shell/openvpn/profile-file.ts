// A profile handed in by the user: judged, and where another one works tried, before it replaces that.
import { dirname } from 'node:path';
import { renderMessage } from '../../core/home/answers.ts';
import type { ProfileCheck } from '../../core/home/api.ts';
import { checkProfile, type Profile } from '../../core/openvpn/profile.ts';
import { formatRemote } from '../../core/openvpn/remote.ts';
import type { System } from '../system/system.ts';
import { pemReader } from './pem-reader.ts';

/** What is wrong with a profile, by line, or the endpoint it names. */
export function judgeProfile(text: string): ProfileCheck {
  const verdict = checkProfile(text, pemReader);
  if (!verdict.ok) {
    const errors = verdict.problems.map(({ line, ...said }) => ({ line, ...renderMessage(said) }));
    return { ok: false, errors };
  }
  return { ok: true, errors: [], endpoint: formatRemote(verdict.profile.remotes[0]!) };
}

/** The profile in a text, or null where it is none that is taken. */
export function readProfileText(text: string): Profile | null {
  const verdict = checkProfile(text, pemReader);
  return verdict.ok ? verdict.profile : null;
}

/** Where an uploaded profile waits until it was seen to connect. */
export function waitingPathOf(path: string): string {
  return `${path}.new`;
}

/** Puts a profile in its place (0600); the old one is there until the new one is whole. */
export async function storeProfile(
  { files }: Pick<System, 'files'>,
  path: string,
  text: string,
): Promise<void> {
  await files.makeFolder(dirname(path), 0o700);
  await files.replace(path, text);
  await files.remove(waitingPathOf(path));
}

/** Puts a profile beside the one in use (0600), to be tried. */
export async function keepWaiting(
  { files }: Pick<System, 'files'>,
  path: string,
  text: string,
): Promise<void> {
  await files.replace(waitingPathOf(path), text);
}

/**
 * Ends the waiting once a profile has come into force.
 *
 * @param isInForce whether a profile is the one that has; one that waits and is not has lost to what stands in its place
 */
export async function adoptProfile(
  { files }: Pick<System, 'files'>,
  path: string,
  isInForce: (profile: Profile) => boolean,
): Promise<void> {
  const text = await files.readText(waitingPathOf(path)).catch(() => null);
  if (text === null) return;
  const profile = readProfileText(text);
  if (profile && isInForce(profile)) await files.replace(path, text);
  await files.remove(waitingPathOf(path));
}

/**
 * Keeps a copy (0600) of the profile that works.
 *
 * @param isInForce whether a profile is that one
 */
export async function keepProved(
  { files }: Pick<System, 'files'>,
  path: string,
  provedPath: string,
  isInForce: (profile: Profile) => boolean,
): Promise<void> {
  const read = (from: string) => files.readText(from).catch(() => '');
  const kept = await read(provedPath);
  if (isThat(kept, isInForce)) return; // flash wears
  for (const place of [path, waitingPathOf(path)]) {
    const text = await read(place);
    if (isThat(text, isInForce)) return files.replace(provedPath, text);
  }
}

function isThat(text: string, isInForce: (profile: Profile) => boolean): boolean {
  const profile = readProfileText(text);
  return profile !== null && isInForce(profile);
}
