// The block <iotshaper> of a profile: what both ends have to know of each other and OpenVPN has not.
import { ipVersion, isPrivate, networkOf } from '../ip/address.ts';
import { type Notice, notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { type Block, type ProfileProblem, splitWords } from './profile-text.ts';

/** Version of the block that this program writes and reads. */
const INSIDE_VERSION = 1;

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
    if (entries.has(name)) problems.push({ ...notice('entry-twice', { name }), line });
    else if (more.length > 0) problems.push({ ...notice('entry-of-words', { name }), line });
    entries.set(name, { line, value });
  }
  const take = <T>(name: string, rule: Notice, read: (value: string) => T | null): T | null => {
    const entry = entries.get(name);
    const value = entry ? read(entry.value) : null;
    if (value === null) {
      const said = entry
        ? notice('entry-refused', { name, rule })
        : notice('entry-missing', { name });
      problems.push({ ...said, line: entry?.line ?? first });
    }
    return value;
  };
  const version = take('version', notice('form-number'), (text) =>
    /^[1-9]\d{0,5}$/.test(text) ? +text : null,
  );
  if (version !== null && version > INSIDE_VERSION) {
    const { line } = entries.get('version')!;
    const said = notice('profile-newer', { version: `${version}` });
    return { ok: false, problems: [{ ...said, line }], isNewer: true };
  }
  const controlKey = take('control-key', notice('form-control-key'), parseControlKey);
  const prefix4 = (length: number) => notice('form-prefix4', { length });
  const tunnel = take('tunnel', prefix4(24), privatePrefix(24));
  const inner4 = take('inner', prefix4(16), privatePrefix(16));
  const inner6 = entries.has('inner6')
    ? take('inner6', notice('form-prefix6', { length: 48 }), privatePrefix(48))
    : null;
  if (tunnel && inner4 && networkOf(tunnel.split('/')[0]!, 16) === inner4) {
    problems.push({ ...notice('tunnel-within-inner'), line: entries.get('tunnel')!.line });
  }
  if (problems.length > 0 || !controlKey || !tunnel || !inner4) {
    return { ok: false, problems, isNewer: false };
  }
  return { ok: true, block: { controlKey, inside: { tunnel, inner4, inner6 } } };
}

const NAMES = ['version', 'control-key', 'tunnel', 'inner', 'inner6'];

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
