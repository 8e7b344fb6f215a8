// PEM (RFC 7468) found in a block's lines and written anew; what it holds is judged by the reader that is handed in.
import { type Notice, notice } from '../notices/notice.ts';
import type { BodyLine } from './profile-text.ts';

/** Reads what only a cryptographic library can; {@link ../openvpn/pem-reader.ts} has the real one. */
export interface PemReader {
  /** The certificate in canonical PEM, or null where it is none. */
  readCertificate(pem: string): string | null;
  /** The private key as PKCS #8 in canonical PEM, or null where it is none that TLS can use. */
  readKey(pem: string): string | null;
  /** Whether the certificate is this key's; both as read. */
  isPair(certificate: string, key: string): boolean;
}

/** One PEM object, whole by its form alone. */
export interface PemObject {
  /** Line of its beginning. */
  line: number;
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  label: string;
  pem: string;
  /** Whether its headers say that a password is needed. */
  isEncrypted: boolean;
}

/** What is wrong with PEM text, and where. */
export class PemFault {
  readonly line: number;
  readonly notice: Notice;

  constructor(line: number, said: Notice) {
    this.line = line;
    this.notice = said;
  }
}

const BEGIN = /^-----BEGIN ([A-Z0-9 ]+)-----$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** RFC 1421, 4.6; OpenSSL writes two of them before an encrypted key. */
const HEADER = /^(Proc-Type|DEK-Info):/;

/** Every PEM object in these lines; text around them, which `openssl x509 -text` writes, is passed over. */
export function findPemObjects(lines: readonly BodyLine[]): PemObject[] | PemFault {
  const objects: PemObject[] = [];
  for (let index = 0; index < lines.length; index++) {
    const { line, text } = lines[index]!;
    const label = BEGIN.exec(text)?.[1];
    if (label === undefined) {
      if (text.startsWith('-----')) return new PemFault(line, notice('pem-stray-end'));
      continue;
    }
    const end = `-----END ${label}-----`;
    const last = lines.findIndex((one, at) => at > index && one.text.startsWith('-----'));
    if (lines[last]?.text !== end) return new PemFault(line, notice('pem-cut-short'));
    const body = lines.slice(index + 1, last);
    const data = body.filter((one) => !HEADER.test(one.text));
    const odd = data.find((one) => !BASE64.test(one.text));
    if (odd) return new PemFault(odd.line, notice('pem-odd-line'));
    objects.push({
      line,
      label,
      pem: renderPem(label, data.map((one) => one.text).join('')),
      isEncrypted: label === 'ENCRYPTED PRIVATE KEY' || body.length > data.length,
    });
    index = last;
  }
  return objects;
}

function renderPem(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
