// The feed, as opkg reads it; apk.test.ts has what apk reads.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { build, readTar, temporaryFolder } from './archive.ts';

test('the index tells name, size and digest of the package it stands beside', (t) => {
  const feed = join(temporaryFolder(t), 'feed');
  t.regex(build('feed', feed), /not signed/);
  const files = readdirSync(feed).sort();
  t.deepEqual(files.slice(0, 2), ['Packages', 'Packages.gz']);
  const index = readFileSync(join(feed, 'Packages'), 'utf8');
  t.is(gunzipSync(readFileSync(join(feed, 'Packages.gz'))).toString(), index);
  const name = /^Filename: (.*)$/m.exec(index)?.[1] ?? '';
  t.deepEqual(files.slice(2), [`iot-shaper-${version}-r1.apk`, name, 'packages.adb']);
  const bytes = readFileSync(join(feed, name));
  t.is(/^Size: (.*)$/m.exec(index)?.[1], `${bytes.length}`);
  t.is(/^SHA256sum: (.*)$/m.exec(index)?.[1], createHash('sha256').update(bytes).digest('hex'));
  const control = readTar(readTar(bytes, './control.tar.gz'), './control').toString();
  const left = /^(Maintainer|Source|SourceName|SourceDateEpoch): .*\n/gm;
  t.is([...control.matchAll(left)].length, 4);
  t.is(index.replace(/^(Filename|Size|SHA256sum): .*\n/gm, ''), `${control.replace(left, '')}\n`);
});

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** A key as `usign -G` writes it. */
function usignKey(fingerprint: Buffer): {
  text: string;
  publicKey: import('node:crypto').KeyObject;
} {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const open = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const bytes = Buffer.concat([
    Buffer.from('EdBK'),
    Buffer.alloc(4 + 16 + 8),
    fingerprint,
    seed,
    open,
  ]);
  return { text: `untrusted comment: private key\n${bytes.toString('base64')}\n`, publicKey };
}

test('with a key the index is signed as usign signs', (t) => {
  const folder = temporaryFolder(t);
  const fingerprint = Buffer.from('0123456789abcdef', 'hex');
  const { text, publicKey } = usignKey(fingerprint);
  writeFileSync(join(folder, 'key'), text);
  const feed = join(folder, 'feed');
  execFileSync(process.execPath, [resolve('scripts/feed.mjs'), feed], {
    env: { ...process.env, FEED_KEY: join(folder, 'key') },
  });
  const [comment, line] = readFileSync(join(feed, 'Packages.sig'), 'utf8').split('\n') as [
    string,
    string,
  ];
  t.is(comment, 'untrusted comment: signed by key 0123456789abcdef');
  const signature = Buffer.from(line, 'base64');
  t.is(signature.toString('latin1', 0, 2), 'Ed');
  t.deepEqual(signature.subarray(2, 10), fingerprint);
  t.true(verify(null, readFileSync(join(feed, 'Packages')), publicKey, signature.subarray(10)));
});

test('a key that is none is refused by name', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'key'), 'untrusted comment: public key\nRWQ=\n');
  const { status, stderr } = spawnSync(
    process.execPath,
    [resolve('scripts/feed.mjs'), join(folder, 'feed')],
    {
      env: { ...process.env, FEED_KEY: join(folder, 'key') },
      encoding: 'utf8',
    },
  );
  t.not(status, 0);
  t.regex(stderr, /must be a secret key as "usign -G/);
});
