// Certificates and keys by their form alone, where there is no OpenSSL to ask: signatures are OpenVPN's to judge.
import type { PemReader } from '../../../../core/openvpn/pem.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { bytesOfHex, type Der, hexOf, partsOf, tags, writeDer } from './der.ts';

const RSA = '2a864886f70d010101';
const EC = '2a8648ce3d0201';
const EDWARDS = ['2b6570', '2b6571'];
/** Curves that TLS 1.3 has signatures for: prime256v1, secp384r1, secp521r1. */
const CURVES = ['2a8648ce3d030107', '2b81040022', '2b81040023'];
const NULL = bytesOfHex('0500');
const MIN_RSA_BYTES = 2048 / 8;
/** Tags within SEC 1's key. */
const PARAMETERS = 0xa0;
const PUBLIC_KEY = 0xa1;

interface Key {
  /** Algorithm as it stands in PKCS #8. */
  algorithm: Uint8Array;
  oid: string;
  body: Uint8Array;
}

export const pemReader: PemReader = {
  readCertificate: (pem) =>
    tryTo(() => {
      const { label, bytes } = open(pem);
      publicKeyOf(bytes);
      return label === 'CERTIFICATE' ? render(label, bytes) : null;
    }),
  readKey: (pem) =>
    tryTo(() => {
      const key = readKey(pem);
      if (!canSign(key)) return null;
      const version = writeDer(tags.integer, new Uint8Array(1));
      const octets = writeDer(tags.octets, key.body);
      return render('PRIVATE KEY', writeDer(tags.sequence, version, key.algorithm, octets));
    }),
  isPair: (certificate, key) =>
    tryTo(() => {
      const theirs = publicKeyOf(open(certificate).bytes);
      const ours = publicPartOf(readKey(key));
      return ours === null || theirs.includes(hexOf(ours));
    }) === true,
};

function tryTo<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function open(pem: string): { label: string; bytes: Uint8Array } {
  const [, label, text] = /^-----BEGIN ([A-Z0-9 ]+)-----\n([^-]*)-----END \1-----\n?$/.exec(pem)!;
  return { label: label!, bytes: decodeBase64(text!) };
}

function render(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function readKey(pem: string): Key {
  const { label, bytes } = open(pem);
  if (label === 'PRIVATE KEY') {
    const [, algorithm, octets] = partsOf(bytes) as [Der, Der, Der];
    const [oid] = partsOf(algorithm.whole) as [Der];
    return { algorithm: algorithm.whole, oid: hexOf(oid.body), body: octets.body };
  }
  if (label === 'RSA PRIVATE KEY') return { ...algorithmOf(RSA, NULL), body: bytes };
  const parts = partsOf(bytes);
  const curve = parts.find(({ tag }) => tag === PARAMETERS)!;
  // They stand before it in PKCS #8, and not in it.
  const others = parts.filter((part) => part !== curve).map(({ whole }) => whole);
  return { ...algorithmOf(EC, curve.body), body: writeDer(tags.sequence, ...others) };
}

function algorithmOf(oid: string, parameters: Uint8Array): Omit<Key, 'body'> {
  const name = writeDer(tags.oid, bytesOfHex(oid));
  return { oid, algorithm: writeDer(tags.sequence, name, parameters) };
}

function canSign({ algorithm, oid, body }: Key): boolean {
  if (oid === RSA) return partsOf(body)[1]!.body.length >= MIN_RSA_BYTES;
  if (oid === EC) return CURVES.includes(hexOf(partsOf(algorithm)[1]!.body));
  return EDWARDS.includes(oid);
}

/** What of the public key stands in the private one; null where nothing of it does. */
function publicPartOf({ oid, body }: Key): Uint8Array | null {
  if (oid === RSA) return partsOf(body)[1]!.whole;
  if (oid !== EC) return null;
  const part = partsOf(body).find(({ tag }) => tag === PUBLIC_KEY);
  return part ? part.body.subarray(2) : null;
}

/** Hexadecimal. */
function publicKeyOf(certificate: Uint8Array): string {
  const [signed] = partsOf(certificate) as [Der];
  // Behind version, number, algorithm, issuer, times and subject (RFC 5280, 4.1); the version may be left out.
  const parts = partsOf(signed.whole).filter(({ tag }) => tag === tags.sequence);
  const key = parts[4]!;
  partsOf(key.whole);
  return hexOf(key.body);
}
