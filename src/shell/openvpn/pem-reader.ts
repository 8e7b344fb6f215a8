// Certificates and keys as OpenSSL reads them.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { PemReader } from '../../core/openvpn/pem.ts';

/** Curves that TLS 1.3 has signatures for (RFC 8446, 4.2.3). */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];

/** Smallest RSA key that OpenSSL and OpenVPN take in all their usual settings. */
const MIN_RSA_BITS = 2048;

function canSign(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec') return CURVES.includes(details?.namedCurve ?? '');
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  return type === 'ed25519' || type === 'ed448';
}

function tryTo<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null; // OpenSSL's words quote what they read
  }
}

/** Node's OpenSSL. Dates are not judged: a router's clock is not set when it starts. */
export const pemReader: PemReader = {
  readCertificate(pem) {
    return tryTo(() => new X509Certificate(pem).toString());
  },
  readKey(pem) {
    return tryTo(() => {
      const key = createPrivateKey(pem);
      return canSign(key) ? String(key.export({ type: 'pkcs8', format: 'pem' })) : null;
    });
  },
  isPair(certificate, key) {
    return (
      tryTo(() => new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) === true
    );
  },
};
