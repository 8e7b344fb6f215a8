// What stands in for Node.js's modules on QuickJS, beside the originals.
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import posix, { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { pemReader as original } from '../../src/shell/openvpn/pem-reader.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { decodeBase64, encodeBase64 } from '../../src/shell/system/quickjs/stand-ins/base64.ts';
import { hmacSha256, sha256 } from '../../src/shell/system/quickjs/stand-ins/crypto.ts';
import * as path from '../../src/shell/system/quickjs/stand-ins/path.ts';
import { pemReader } from '../../src/shell/system/quickjs/stand-ins/pem-reader.ts';

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
  const piece = fc.constantFrom('a', 'b.c', '..', '.', '', '/', '/d', 'e/', '//');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), (pieces) => {
      const whole = pieces.join('/');
      t.is(path.join(...pieces), posix.join(...pieces));
      t.is(path.dirname(whole), posix.dirname(whole), whole);
      t.is(path.basename(whole), posix.basename(whole), whole);
    }),
    { numRuns: 200 },
  );
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

test('a certificate is read, and told from another key’s', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-pem-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const make = async (name: string, ...how: string[]): Promise<{ cert: string; key: string }> => {
    const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
    await run(['openssl', 'req', '-x509', '-nodes', '-subj', '/CN=x', ...how, ...files]);
    return {
      cert: original.readCertificate(readFileSync(join(folder, `${name}.crt`), 'utf8'))!,
      key: original.readKey(readFileSync(join(folder, `${name}.key`), 'utf8'))!,
    };
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const made = [
    await make('one', ...curve),
    await make('two', ...curve),
    await make('rsa', '-newkey', 'rsa:2048'),
  ];
  for (const { cert } of made) {
    t.is(pemReader.readCertificate(cert), cert);
    t.is(pemReader.readCertificate(cert.replaceAll('CERTIFICATE', 'PRIVATE KEY')), null);
    t.is(pemReader.readCertificate(cert.replace(/\n.{8}/, '\nAAAAAAAA')), null);
    for (const { key } of made) t.is(pemReader.isPair(cert, key), original.isPair(cert, key));
  }
});
