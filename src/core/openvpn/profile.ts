// Reads an OpenVPN profile into a value; whatever could run a program, leak or unshape is refused by name.
import { type Notice, notice } from '../notices/notice.ts';
import type { InsideRanges } from '../plan/facts.ts';
import { readInside } from './inside.ts';
import { findPemObjects, PemFault, type PemReader } from './pem.ts';
import {
  type DataCipher,
  Directives,
  NOT_FINGERPRINT,
  parseFingerprint,
  readDirective,
  type TlsVersion,
} from './profile-directives.ts';
import { BLOCKS, isForeign, isKnownName, quoteDirective, reasonAgainst } from './profile-names.ts';
import {
  type Block,
  type CutProfile,
  cutProfile,
  type Directive,
  findControlCharacter,
  type ProfileProblem,
} from './profile-text.ts';
import { type Remote, suitsProto } from './remote.ts';

export type { ProfileProblem, Remote };

/** Everything a profile says. OpenVPN's configuration is written from this, never from the text. */
export interface Profile {
  /** Ways to the endpoint in order of preference, 1 to 16. */
  remotes: Remote[];
  /** What the home shows: one certificate and its key, unencrypted, in canonical PEM. */
  identity: { certificate: string; key: string };
  trust: Trust;
  /** In order of preference, at least one. */
  dataCiphers: DataCipher[];
  tlsVersionMin: TlsVersion;
  /** Secret of this home and its endpoint, 32 bytes. */
  controlKey: Uint8Array;
  inside: InsideRanges;
}

/** How the endpoint is known; where there are fingerprints and authorities, by both. */
export interface Trust {
  /** SHA-256 of the endpoint's certificates, upper-case hexadecimal with colons. */
  fingerprints: string[];
  /**
   * Certificates of authorities in canonical PEM. What they vouch for is taken for an endpoint if it is a TLS server's
   * (`remote-cert-tls server`: key usage digitalSignature, extended key usage serverAuth).
   */
  ca: string[];
  /** Common name the endpoint's certificate must have, where an authority vouches for it. */
  name: string | null;
}

export type ProfileVerdict =
  | { ok: true; profile: Profile }
  | { ok: false; problems: ProfileProblem[] };

/** Larger than any profile `add-home` prints by a factor of ten. */
const MAX_PROFILE_BYTES = 100_000;
const MAX_REMOTES = 16;
const MAX_AUTHORITIES = 16;
/** More would not be read; a file that is no profile has thousands. */
const MAX_PROBLEMS = 50;

/** Reads one profile. Never throws; every problem is listed, in the order of lines. */
export function checkProfile(text: string, pem: PemReader): ProfileVerdict {
  if (new TextEncoder().encode(text).length > MAX_PROFILE_BYTES) {
    return refuse([{ ...notice('profile-too-large', { most: MAX_PROFILE_BYTES }), line: 0 }]);
  }
  const binary = findControlCharacter(text);
  if (binary) return refuse([binary]);
  const cut = cutProfile(text);
  const reader = new ProfileReader(pem, cut);
  for (const directive of cut.directives) reader.readDirective(directive);
  for (const block of cut.blocks) reader.readBlock(block);
  return reader.verdict();
}

function refuse(problems: readonly ProfileProblem[]): ProfileVerdict {
  // Those of the file as a whole come last.
  const place = ({ line }: ProfileProblem) => line || Number.POSITIVE_INFINITY;
  const sorted = [...problems].sort((a, b) => (place(a) < place(b) ? -1 : +(place(a) > place(b))));
  const more = sorted.length - MAX_PROBLEMS;
  if (more <= 0) return { ok: false, problems: sorted };
  const rest = { ...notice('profile-faults-more', { count: more }), line: 0 };
  return { ok: false, problems: [...sorted.slice(0, MAX_PROBLEMS), rest] };
}

class ProfileReader {
  readonly #pem: PemReader;
  readonly #problems: ProfileProblem[];
  readonly #said = new Directives();
  readonly #blocks = new Map<string, Block>();
  readonly #broken: ReadonlySet<string>;
  /** Whether there is what only another VPN's profile has. */
  readonly #isForeign: boolean;

  constructor(pem: PemReader, { problems, broken, directives, blocks }: CutProfile) {
    this.#pem = pem;
    this.#problems = [...problems];
    this.#broken = broken;
    this.#isForeign =
      directives.some(({ name }) => isForeign(name)) || blocks.some(({ tag }) => isForeign(tag));
  }

  readDirective(directive: Directive): void {
    const { line, name, values } = directive;
    const why = readDirective(directive, this.#said);
    if (why === null) return;
    const quoted = quoteDirective(name, values);
    this.#report(
      line,
      isKnownName(name) ? notice('directive-refused', { directive: quoted, why }) : why,
    );
  }

  readBlock(block: Block): void {
    const { line, tag } = block;
    if (!BLOCKS.has(tag)) this.#refuseBlock(line, tag, reasonAgainst(tag));
    else if (this.#blocks.has(tag)) this.#report(line, notice('block-twice', { tag }));
    else this.#blocks.set(tag, block);
  }

  verdict(): ProfileVerdict {
    // A profile of a later version may differ in everything else.
    const inside = this.#readInside();
    if (inside?.ok === false && inside.isNewer) return refuse(inside.problems);
    if (inside?.ok === false) this.#problems.push(...inside.problems);
    const remotes = this.#readRemotes();
    const identity = this.#readIdentity();
    const trust = this.#readTrust();
    const { dataCiphers, tlsVersionMin } = this.#said;
    if (this.#problems.length > 0 || !inside?.ok || !identity) return refuse(this.#problems);
    const { block } = inside;
    return {
      ok: true,
      profile: { remotes, identity, trust, dataCiphers, tlsVersionMin, ...block },
    };
  }

  #report(line: number, said: Notice): void {
    this.#problems.push({ ...said, line });
  }

  #refuseBlock(line: number, tag: string, why: Notice): void {
    this.#report(line, notice('block-refused', { tag, why }));
  }

  /** Says that a block is not there, unless it is and something else is wrong with it. */
  #reportMissing(tag: string, said: Notice): void {
    if (!this.#broken.has(tag)) this.#report(0, said);
  }

  #readInside(): ReturnType<typeof readInside> | null {
    const block = this.#blocks.get('iotshaper');
    if (block) return readInside(block);
    this.#reportMissing(
      'iotshaper',
      notice(this.#isForeign ? 'profile-of-other-vpn' : 'control-key-missing'),
    );
    return null;
  }

  #readRemotes(): Remote[] {
    const { remotes, port, proto } = this.#said;
    if (remotes.length === 0) this.#report(0, notice('remote-missing'));
    if (remotes.length > MAX_REMOTES) {
      const { line } = remotes[MAX_REMOTES]!;
      this.#report(line, notice('remotes-too-many', { most: MAX_REMOTES }));
    }
    return remotes.map((remote) => {
      const { host } = remote;
      const whole = { host, port: remote.port ?? port, proto: remote.proto ?? proto };
      if (!suitsProto(whole.host, whole.proto)) {
        this.#report(remote.line, notice('remote-of-other-family', { proto: whole.proto }));
      }
      return whole;
    });
  }

  #readIdentity(): Profile['identity'] | null {
    const certificates = this.#readCertificates('cert');
    const key = this.#readKey();
    if (certificates === null || key === null) return null;
    const certificate = certificates[0]!;
    const { line } = this.#blocks.get('cert')!;
    if (certificates.length > 1) {
      this.#report(line, notice('certificates-too-many'));
    } else if (!this.#pem.isPair(certificate, key)) {
      this.#report(this.#blocks.get('key')!.line, notice('key-of-other'));
    }
    return { certificate, key };
  }

  #readTrust(): Trust {
    const { endpointName, fingerprints: named } = this.#said;
    const fingerprints = [...named];
    const pins = this.#blocks.get('peer-fingerprint');
    for (const { line, text } of pins?.body ?? []) {
      const print = parseFingerprint(text);
      if (print === null) this.#refuseBlock(line, 'peer-fingerprint', NOT_FINGERPRINT);
      else fingerprints.push(print);
    }
    if (pins?.body.length === 0) {
      this.#report(pins.line, notice('fingerprints-empty', { rule: NOT_FINGERPRINT }));
    }
    const hasCa = this.#blocks.has('ca') || this.#broken.has('ca');
    const ca = hasCa ? (this.#readCertificates('ca') ?? []) : [];
    if (ca.length > MAX_AUTHORITIES) {
      const { line } = this.#blocks.get('ca')!;
      this.#report(line, notice('authorities-too-many', { most: MAX_AUTHORITIES }));
    }
    if (!hasCa && !pins && fingerprints.length === 0) {
      this.#reportMissing('peer-fingerprint', notice('trust-missing'));
    }
    return {
      fingerprints: [...new Set(fingerprints)],
      ca: [...new Set(ca)],
      // A fingerprint says more than a name.
      name: ca.length > 0 ? endpointName : null,
    };
  }

  /** The certificates of a block, at least one; null when something is wrong. */
  #readCertificates(tag: 'ca' | 'cert'): string[] | null {
    const objects = this.#readPem(tag);
    if (objects === null) return null;
    const found: string[] = [];
    for (const { line, label, pem } of objects) {
      const certificate = label === 'CERTIFICATE' ? this.#pem.readCertificate(pem) : null;
      if (certificate !== null) found.push(certificate);
      else this.#report(line, notice('not-certificate', { tag }));
    }
    return found.length === objects.length ? found : null;
  }

  #readKey(): string | null {
    const objects = this.#readPem('key')?.filter(({ label }) => label !== 'EC PARAMETERS');
    if (!objects) return null;
    const { line } = this.#blocks.get('key')!;
    const [object] = objects;
    if (!object || objects.length > 1) this.#report(line, notice('key-not-one'));
    else if (object.isEncrypted) this.#report(object.line, notice('key-locked'));
    else {
      const key = /^(EC |RSA )?PRIVATE KEY$/.test(object.label)
        ? this.#pem.readKey(object.pem)
        : null;
      if (key !== null) return key;
      this.#report(object.line, notice('key-unread'));
    }
    return null;
  }

  #readPem(
    tag: 'ca' | 'cert' | 'key',
  ): Exclude<ReturnType<typeof findPemObjects>, PemFault> | null {
    const block = this.#blocks.get(tag);
    const objects = block ? findPemObjects(block.body) : [];
    if (!block) this.#reportMissing(tag, notice('block-missing', { tag }));
    else if (objects instanceof PemFault) {
      this.#refuseBlock(objects.line, tag, objects.notice);
    } else if (objects.length === 0) this.#report(block.line, notice('block-empty', { tag }));
    else return objects;
    return null;
  }
}
