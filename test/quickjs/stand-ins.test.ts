// What stands in for Node.js's modules on QuickJS, beside the originals.
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import posix from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { pemReader as original } from '../../src/shell/openvpn/pem-reader.ts';
import { decodeBase64, encodeBase64 } from '../../src/shell/system/quickjs/stand-ins/base64.ts';
import { hmacSha256, sha256 } from '../../src/shell/system/quickjs/stand-ins/crypto.ts';
import * as path from '../../src/shell/system/quickjs/stand-ins/path.ts';
import { pemReader } from '../../src/shell/system/quickjs/stand-ins/pem-reader.ts';
import { material } from '../openvpn/material.ts';
import { refusals, running } from '../openvpn/spellings.ts';

const bytes = fc.uint8Array({ maxLength: 200 });

test('hashes and proofs are those of OpenSSL', (t) => {
  fc.assert(
    fc.property(bytes, bytes, (key, data) => {
      t.deepEqual([...sha256(data)], [...createHash('sha256').update(data).digest()]);
      t.deepEqual([...hmacSha256(key, data)], [...createHmac('sha256', key).update(data).digest()]);
    }),
    { numRuns: 30 },
  );
});

test('Base64 is Node.js’s', (t) => {
  fc.assert(
    fc.property(bytes, (data) => {
      const text = Buffer.from(data).toString('base64');
      t.is(encodeBase64(data), text);
      t.deepEqual([...decodeBase64(text)], [...data]);
      t.deepEqual([...decodeBase64(Buffer.from(data).toString('base64url'))], [...data]);
    }),
    { numRuns: 50 },
  );
});

test('paths are Node.js’s', (t) => {
  const pieces = ['a', 'b.c', '..', '.', '', '/', '/d', 'e/', '//'];
  const pairs = pieces.flatMap((one) => pieces.map((other) => [one, other]));
  for (const words of pairs.flatMap((one) => pairs.map((other) => [...one, ...other]))) {
    const whole = words.join('/');
    const ours = [path.join(...words), path.dirname(whole), path.basename(whole)];
    const theirs = [posix.join(...words), posix.dirname(whole), posix.basename(whole)];
    if (ours.join('\n') !== theirs.join('\n')) t.deepEqual(ours, theirs, whole);
  }
  t.is(path.join('', ''), posix.join('', ''));
  t.is(path.join('/etc', '..', 'a'), '/a');
});

const kinds = {
  'RSA of 2048 bits': ['rsa', { modulusLength: 2048 }],
  'RSA of 1024 bits': ['rsa', { modulusLength: 1024 }],
  'P-256': ['ec', { namedCurve: 'prime256v1' }],
  'P-384': ['ec', { namedCurve: 'secp384r1' }],
  'a curve TLS has no signatures for': ['ec', { namedCurve: 'secp256k1' }],
  Ed25519: ['ed25519', {}],
  X25519: ['x25519', {}],
} as const;

for (const [name, [kind, options]] of Object.entries(kinds)) {
  test(`a key is read as OpenSSL reads it: ${name}`, (t) => {
    const { privateKey } = generateKeyPairSync(kind as 'rsa', options as { modulusLength: number });
    const types =
      kind === 'rsa' ? ['pkcs8', 'pkcs1'] : kind === 'ec' ? ['pkcs8', 'sec1'] : ['pkcs8'];
    for (const type of types) {
      const pem = privateKey.export({ type: type as 'pkcs8', format: 'pem' }).toString();
      t.is(pemReader.readKey(pem), original.readKey(pem), type);
      t.is(pemReader.readKey(pem.replace(/\n.{8}/, '\nAAAAAAAA')), null);
    }
  });
}

for (const { name, spell } of [...running, ...refusals]) {
  test(`a profile is judged as with OpenSSL: ${name}`, (t) => {
    const text = spell(material);
    t.deepEqual(checkProfile(text, pemReader), checkProfile(text, original));
  });
}

test('a certificate is told from what is none, and from another key’s', (t) => {
  const [cert, key] = ['cert', 'key'].map(
    (tag) => `${new RegExp(`<${tag}>\n([^<]*)`).exec(material.text)![1]}`,
  ) as [string, string];
  const certificates = [cert, material.authority].map((pem) => original.readCertificate(pem)!);
  const keys = [key, material.otherKey].map((pem) => original.readKey(pem)!);
  for (const certificate of certificates) {
    t.is(pemReader.readCertificate(certificate), certificate);
    t.is(pemReader.readCertificate(certificate.replaceAll('CERTIFICATE', 'PRIVATE KEY')), null);
    t.is(pemReader.readCertificate(certificate.replace(/\n.{8}/, '\nAAAAAAAA')), null);
    for (const one of keys)
      t.is(pemReader.isPair(certificate, one), original.isPair(certificate, one));
  }
  t.true(pemReader.isPair(certificates[0]!, keys[0]!));
});
