// Signs an index as OpenWrt's usign does, so that opkg takes the feed with check_signature on.
import { createPrivateKey, sign } from 'node:crypto';

/** What makes 32 bytes a PKCS #8 private key of Ed25519 (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * @param {string} keyText a secret key file of `usign -G`: a comment line, then base64 of
 *   "Ed", "BK", rounds, salt, checksum (4, 16, 8 bytes), fingerprint (8), secret and public key (32 each)
 * @param {Buffer} bytes
 * @returns {string} the signature file
 */
export function signUsign(keyText, bytes) {
  const key = Buffer.from(keyText.split('\n')[1] ?? '', 'base64');
  if (key.length !== 104 || key.toString('latin1', 0, 4) !== 'EdBK' || key.readUInt32BE(4) !== 0) {
    throw new Error(
      'the key must be a secret key as "usign -G -s FILE" makes it, without a password',
    );
  }
  const fingerprint = key.subarray(32, 40);
  const seed = key.subarray(40, 72);
  const secret = createPrivateKey({
    key: Buffer.concat([PKCS8, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const signature = Buffer.concat([Buffer.from('Ed'), fingerprint, sign(null, bytes, secret)]);
  return `untrusted comment: signed by key ${fingerprint.toString('hex')}\n${signature.toString('base64')}\n`;
}
