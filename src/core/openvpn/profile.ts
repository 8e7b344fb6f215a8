// Reads an OpenVPN profile into a value; whatever could run a program, leak or unshape is refused by name.
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
import { BLOCKS, isKnownName, quoteDirective, reasonAgainst } from './profile-names.ts';
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

const NO_CONTROL_KEY =
  'this profile has no control key: on the server, update iot-shaper-endpoint, run "iotshaper endpoint remove-home NAME" and "iotshaper endpoint add-home NAME", then upload the new profile';

/** Reads one profile. Never throws; every problem is listed, in the order of lines. */
export function checkProfile(text: string, pem: PemReader): ProfileVerdict {
  if (new TextEncoder().encode(text).length > MAX_PROFILE_BYTES) {
    return refuse([{ line: 0, message: `the profile is larger than ${MAX_PROFILE_BYTES} bytes` }]);
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
  const message = `and ${more} more faults; is this the profile the endpoint printed?`;
  return { ok: false, problems: [...sorted.slice(0, MAX_PROBLEMS), { line: 0, message }] };
}

class ProfileReader {
  readonly #pem: PemReader;
  readonly #problems: ProfileProblem[];
  readonly #said = new Directives();
  readonly #blocks = new Map<string, Block>();
  readonly #broken: ReadonlySet<string>;

  constructor(pem: PemReader, { problems, broken }: CutProfile) {
    this.#pem = pem;
    this.#problems = [...problems];
    this.#broken = broken;
  }

  readDirective(directive: Directive): void {
    const { line, name, values } = directive;
    const fault = readDirective(directive, this.#said);
    if (fault === null) return;
    this.#report(line, isKnownName(name) ? `${quoteDirective(name, values)}: ${fault}` : fault);
  }

  readBlock(block: Block): void {
    const { line, tag } = block;
    if (!BLOCKS.has(tag)) this.#report(line, `<${tag}>: ${reasonAgainst(tag)}`);
    else if (this.#blocks.has(tag)) this.#report(line, `<${tag}>: stands twice; keep one`);
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

  #report(line: number, message: string): void {
    this.#problems.push({ line, message });
  }

  /** Says that a block is not there, unless it is and something else is wrong with it. */
  #reportMissing(tag: string, message: string): void {
    if (!this.#broken.has(tag)) this.#report(0, message);
  }

  #readInside(): ReturnType<typeof readInside> | null {
    const block = this.#blocks.get('iotshaper');
    if (block) return readInside(block);
    this.#reportMissing('iotshaper', NO_CONTROL_KEY);
    return null;
  }

  #readRemotes(): Remote[] {
    const { remotes, port, proto } = this.#said;
    if (remotes.length === 0) this.#report(0, 'has no "remote" line that names the endpoint');
    if (remotes.length > MAX_REMOTES) {
      const message = `has more than ${MAX_REMOTES} "remote" lines; keep the first ones`;
      this.#report(remotes[MAX_REMOTES]!.line, message);
    }
    return remotes.map((remote) => {
      const { host } = remote;
      const whole = { host, port: remote.port ?? port, proto: remote.proto ?? proto };
      if (!suitsProto(whole.host, whole.proto)) {
        const message = `remote: an address of the other family than ${whole.proto}; use udp`;
        this.#report(remote.line, message);
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
      this.#report(line, "<cert>: holds more than one certificate; keep the home's own");
    } else if (!this.#pem.isPair(certificate, key)) {
      const message = 'are no pair; upload the profile as the endpoint printed it';
      this.#report(this.#blocks.get('key')!.line, `<key>: this key and the certificate ${message}`);
    }
    return { certificate, key };
  }

  #readTrust(): Trust {
    const { endpointName, fingerprints: named } = this.#said;
    const fingerprints = [...named];
    const pins = this.#blocks.get('peer-fingerprint');
    for (const { line, text } of pins?.body ?? []) {
      const print = parseFingerprint(text);
      if (print === null) this.#report(line, `<peer-fingerprint>: ${NOT_FINGERPRINT}`);
      else fingerprints.push(print);
    }
    if (pins?.body.length === 0) {
      this.#report(pins.line, `<peer-fingerprint>: is empty; it ${NOT_FINGERPRINT}`);
    }
    const hasCa = this.#blocks.has('ca') || this.#broken.has('ca');
    const ca = hasCa ? (this.#readCertificates('ca') ?? []) : [];
    if (ca.length > MAX_AUTHORITIES) {
      const message = `<ca>: holds more than ${MAX_AUTHORITIES} certificates`;
      this.#report(this.#blocks.get('ca')!.line, message);
    }
    if (!hasCa && !pins && fingerprints.length === 0) {
      this.#reportMissing('peer-fingerprint', NO_TRUST);
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
      else this.#report(line, `<${tag}>: holds something else than a certificate; ${COPY}`);
    }
    return found.length === objects.length ? found : null;
  }

  #readKey(): string | null {
    const objects = this.#readPem('key')?.filter(({ label }) => label !== 'EC PARAMETERS');
    if (!objects) return null;
    const { line } = this.#blocks.get('key')!;
    const [object] = objects;
    if (!object || objects.length > 1) this.#report(line, `<key>: must hold one key; ${COPY}`);
    else if (object.isEncrypted) this.#report(object.line, ENCRYPTED);
    else {
      const key = /^(EC |RSA )?PRIVATE KEY$/.test(object.label)
        ? this.#pem.readKey(object.pem)
        : null;
      if (key !== null) return key;
      this.#report(object.line, `<key>: holds no private key for TLS that can be read; ${COPY}`);
    }
    return null;
  }

  #readPem(
    tag: 'ca' | 'cert' | 'key',
  ): Exclude<ReturnType<typeof findPemObjects>, PemFault> | null {
    const block = this.#blocks.get(tag);
    const objects = block ? findPemObjects(block.body) : [];
    if (!block) this.#reportMissing(tag, `has no <${tag}> block; ${COPY}`);
    else if (objects instanceof PemFault) {
      this.#report(objects.line, `<${tag}>: ${objects.message}`);
    } else if (objects.length === 0) this.#report(block.line, `<${tag}>: is empty; ${COPY}`);
    else return objects;
    return null;
  }
}

const NO_TRUST = 'has neither <peer-fingerprint> nor <ca>: the endpoint could be anyone';
const COPY = 'upload the whole profile the endpoint printed';
const ENCRYPTED =
  '<key>: is locked with a password, which nobody can type on a router; add the home anew on the endpoint, or unlock it with "openssl pkey -in FILE"';
