// The block <iotshaper> of a profile: what both ends have to know of each other and OpenVPN has not.
import { ipVersion, isPrivate, networkOf } from '../ip/address.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { type Block, type ProfileProblem, splitWords } from './profile-text.ts';

/** Version of the block that this program writes and reads. */
export const INSIDE_VERSION = 1;

/** Length of the secret that a home shares with its endpoint. */
export const CONTROL_KEY_BYTES = 32;

export interface InsideBlock {
  /** Secret of this home and its endpoint, 32 bytes. */
  controlKey: Uint8Array;
  inside: InsideRanges;
}

/** What came of reading: the block, or what is wrong; `isNewer` when nothing else can be judged. */
export type InsideVerdict =
  | { ok: true; block: InsideBlock }
  | { ok: false; problems: ProfileProblem[]; isNewer: boolean };

/** The secret of a home from its base64, or null where it is none. */
export function parseControlKey(base64: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(base64)) return null;
  const letters = atob(base64);
  if (letters.length !== CONTROL_KEY_BYTES || btoa(letters) !== base64) return null;
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

/** The block's lines, for the profile that an endpoint prints. */
export function renderInside(
  controlKey: string,
  { tunnel, inner4, inner6 }: InsideRanges,
): string[] {
  return [
    '<iotshaper>',
    `version ${INSIDE_VERSION}`,
    `control-key ${controlKey}`,
    `tunnel ${tunnel}`,
    `inner ${inner4}`,
    ...(inner6 === null ? [] : [`inner6 ${inner6}`]),
    '</iotshaper>',
  ];
}

/** Reads a block. Names it does not know are left for later programs. */
export function readInside({ line: first, body }: Block): InsideVerdict {
  const problems: ProfileProblem[] = [];
  const entries = new Map<string, { line: number; value: string }>();
  for (const { line, text } of body) {
    const [name = '', value = '', ...more] = splitWords(text)?.words ?? [];
    if (!NAMES.includes(name)) continue;
    if (entries.has(name)) problems.push({ line, message: `${name}: stands twice; keep one` });
    else if (more.length > 0) problems.push({ line, message: `${name}: must be one word` });
    entries.set(name, { line, value });
  }
  const take = <T>(name: string, rule: string, read: (value: string) => T | null): T | null => {
    const entry = entries.get(name);
    const value = entry ? read(entry.value) : null;
    if (value === null) {
      const message = entry ? `${name}: must be ${rule}` : `<iotshaper>: has no ${name}`;
      problems.push({ line: entry?.line ?? first, message: `${message}; ${AS_PRINTED}` });
    }
    return value;
  };
  const version = take('version', 'a number', (text) =>
    /^[1-9]\d{0,5}$/.test(text) ? +text : null,
  );
  if (version !== null && version > INSIDE_VERSION) {
    const message = `version ${version}: is newer than this program; update iot-shaper on the router`;
    return {
      ok: false,
      problems: [{ line: entries.get('version')!.line, message }],
      isNewer: true,
    };
  }
  const controlKey = take('control-key', '32 bytes in base64', parseControlKey);
  const tunnel = take('tunnel', 'a private IPv4 prefix of length 24', privatePrefix(24));
  const inner4 = take('inner', 'a private IPv4 prefix of length 16', privatePrefix(16));
  const inner6 = entries.has('inner6')
    ? take('inner6', 'an IPv6 prefix of length 48 within fc00::/7', privatePrefix(48))
    : null;
  if (tunnel && inner4 && networkOf(tunnel.split('/')[0]!, 16) === inner4) {
    const message = `tunnel: must lie outside of inner; ${AS_PRINTED}`;
    problems.push({ line: entries.get('tunnel')!.line, message });
  }
  if (problems.length > 0 || !controlKey || !tunnel || !inner4) {
    return { ok: false, problems, isNewer: false };
  }
  return { ok: true, block: { controlKey, inside: { tunnel, inner4, inner6 } } };
}

const NAMES = ['version', 'control-key', 'tunnel', 'inner', 'inner6'];
const AS_PRINTED = 'upload the profile as the endpoint printed it';

/** Reads a private prefix of this length in its shortest form; 48 is IPv6's. */
function privatePrefix(length: 16 | 24 | 48): (text: string) => string | null {
  const family = length === 48 ? 6 : 4;
  return (text) => {
    const [address = '', given, ...more] = text.split('/');
    if (given !== `${length}` || more.length > 0) return null;
    if (/%|:.*\./.test(address) || ipVersion(address) !== family || !isPrivate(address))
      return null;
    const network = networkOf(address, length);
    const alone = networkOf(address, family === 4 ? 32 : 128);
    return alone.split('/')[0] === network.split('/')[0] ? network : null;
  };
}
