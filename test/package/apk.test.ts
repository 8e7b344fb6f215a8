// The router's package for apk, read back apart from what wrote it; real apk-tools have it in "make evaluate-apk".
import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { type ApkFile, readApk, readContainer, readIndex } from './adb-reader.ts';
import { build, DATE, listTar, readTar, temporaryFolder } from './archive.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const NAME = `iot-shaper-${version}-r1.apk`;
const LISTS = 'lib/apk/packages/iot-shaper';

const load = (name: string) => import(pathToFileURL(resolve(`scripts/${name}.mjs`)).href);
const { packApk, packIndex } = await load('apk-format');

/** Both packages, once. */
let folderOfBoth: string | undefined;
function both(): { apk: Buffer; ipk: Buffer } {
  if (folderOfBoth === undefined) {
    folderOfBoth = mkdtempSync(join(tmpdir(), 'iotshaper-apk-'));
    for (const script of ['apk', 'ipk']) build(script, folderOfBoth);
  }
  const [apk = '', ipk = ''] = readdirSync(folderOfBoth).sort();
  return { apk: readFileSync(join(folderOfBoth, apk)), ipk: readFileSync(join(folderOfBoth, ipk)) };
}
test.after.always(() => {
  if (folderOfBoth !== undefined) rmSync(folderOfBoth, { recursive: true });
});

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** One of every kind, for cases that need none of the program. */
function packSmall(files: { path: string; mode?: number; data?: string }[]): ApkFile {
  const info = {
    ...{ name: 'small', version: '1-r0', description: 'small', arch: 'noarch', license: 'MIT' },
    depends: ['tc', 'ip', 'tc', 'node=20.19-r1'],
  };
  return readApk(packApk(info, { 'post-install': '#!/bin/sh\n' }, files, 2 ** 31).bytes);
}

test('is small, the same bytes at every build, and holds what the .ipk holds', (t) => {
  const { apk: bytes, ipk } = both();
  const folder = temporaryFolder(t);
  build('apk', folder);
  t.true(readFileSync(join(folder, NAME)).equals(bytes));
  t.true(bytes.length < 252_000, `${bytes.length} bytes`);

  const apk = readApk(bytes);
  t.is(apk.schema, 'pckg');
  t.deepEqual(apk.signatures, [], 'the index is signed');
  for (const { path, size, sha256: told, bytes: data, seconds, owner } of apk.files) {
    t.is(data.length, size, path);
    t.is(sha256(data), told, path);
    t.deepEqual([owner, seconds], ['root:root', DATE], path);
  }
  const own = [`${LISTS}.conffiles`, `${LISTS}.conffiles_static`, `${LISTS}.list`];
  const modes = new Map(apk.files.map(({ path, mode }) => [path, mode]));
  for (const { path, mode } of apk.folders) if (path !== '') modes.set(`${path}/`, mode);
  for (const path of [...own, 'lib/apk/', 'lib/apk/packages/']) t.true(modes.delete(path), path);
  const inIpk = listTar(readTar(ipk, './data.tar.gz'));
  const shown = (mode: number) =>
    [256, 128, 64, 32, 16, 8, 4, 2, 1]
      .map((bit, at) => (mode & bit ? 'rwx'[at % 3] : '-'))
      .join('');
  t.deepEqual(
    [...modes].map(([path, mode]) => `${shown(mode)} ${path}`).sort(),
    inIpk
      .filter(({ path }) => path !== './')
      .map(({ path, mode }) => `${mode.slice(1)} ${path.slice(2)}`)
      .sort(),
  );

  const said = (path: string) => apk.files.find((one) => one.path === path)!.bytes.toString();
  const paths = apk.files.map(({ path }) => path).filter((path) => !own.includes(path));
  t.is(
    said(own[2]!),
    paths
      .map((path) => `/${path}\n`)
      .sort()
      .join(''),
  );
  t.is(said(own[0]!), '/etc/config/iotshaper\n');
  t.is(
    said(own[1]!),
    `/etc/config/iotshaper ${sha256(Buffer.from(said('etc/config/iotshaper')))}\n`,
  );
});

test('names itself as the .ipk does, and stands for the packages that the feeds have its page in', (t) => {
  const { apk, ipk } = both();
  const { info, scripts } = readApk(apk);
  const control = readTar(readTar(ipk, './control.tar.gz'), './control').toString();
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1] ?? '';
  t.is(info.get('name'), field('Package'));
  t.is(info.get('version'), field('Version'));
  t.is(info.get('license'), field('License'));
  t.is(info.get('arch'), 'noarch');
  t.deepEqual(info.get('depends'), field('Depends').split(', ').sort());
  t.deepEqual(info.get('tags'), ['openwrt:section=net']);
  t.notRegex(`${info.get('description')}`, /\n/);
  const pages = ['luci-app-iotshaper', 'luci-i18n-iotshaper-de'];
  t.deepEqual(info.get('replaces'), pages);
  t.deepEqual(
    info.get('provides'),
    pages.map((name) => `${name}=${version}-r1`),
  );
  for (const name of ['Conflicts', 'Provides', 'Replaces']) t.is(field(name), pages.join(', '));
  t.deepEqual(
    [...scripts.keys()],
    [
      ...['pre-install', 'post-install', 'pre-deinstall', 'post-deinstall'],
      ...['pre-upgrade', 'post-upgrade'],
    ],
  );
  for (const [name, text] of scripts) {
    const { status, stdout } = spawnSync('shellcheck', ['-s', 'dash', '-e', 'SC1091', '-'], {
      input: text,
      encoding: 'utf8',
    });
    t.is(status, 0, `${name}\n${stdout}`);
  }
  for (const name of ['pre-upgrade', 'post-upgrade'])
    t.regex(scripts.get(name)!, /^#!\/bin\/sh\nexport PKG_UPGRADE=1\n/, name);
  t.regex(scripts.get('post-install')!, /\ndefault_postinst\n(?:.*\n)*\treload_config\n/);
});

test('folders, files and dependencies stand in the order of their bytes, each once', (t) => {
  const long = 'x'.repeat(70_000);
  const { folders, files, info, scripts } = packSmall([
    { path: 'b/' },
    { path: 'b/z', data: long },
    { path: 'b/A', data: 'y'.repeat(300) },
    { path: 'b/é', data: '' },
    { path: 'b/a', mode: 0o4755, data: 'x' },
    { path: 'B/', mode: 0o700 },
    { path: 'b-c/' },
    { path: 'b-c/d', data: 'x' },
    { path: 'top', data: 'x' },
  ]);
  t.deepEqual(
    folders.map(({ path, mode }) => [path, mode]),
    [
      ['', 0o755],
      ['B', 0o700],
      ['b', 0o755],
      ['b-c', 0o755],
    ],
  );
  t.deepEqual(
    files.map(({ path }) => path),
    ['top', 'b/A', 'b/a', 'b/z', 'b/é', 'b-c/d'],
  );
  t.is(files.find(({ path }) => path === 'b/a')?.mode, 0o4755);
  t.is(files.find(({ path }) => path === 'b/z')?.bytes.toString(), long);
  t.is(files[0]?.seconds, 2 ** 31);
  t.deepEqual(info.get('depends'), ['ip', 'node=20.19-r1', 'tc']);
  t.deepEqual([...scripts], [['post-install', '#!/bin/sh\n']]);
});

test('the first bytes of its digest, taken without them, tell a package from others', (t) => {
  const { adb, info } = packSmall([{ path: 'a', data: 'x' }]);
  const id = Buffer.from(`${info.get('hashes')}`, 'hex');
  t.is(id.length, 20);
  const without = Buffer.from(adb);
  without.fill(0, adb.indexOf(id), adb.indexOf(id) + id.length);
  t.is(createHash('sha256').update(without).digest().subarray(0, 20).compare(id), 0);
});

test('the index tells size and digest of the package it stands beside, and is signed for apk', (t) => {
  const folder = temporaryFolder(t);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(folder, 'key'), privateKey.export({ type: 'sec1', format: 'pem' }));
  const feed = join(folder, 'feed');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('scripts/feed.mjs'), feed],
    { encoding: 'utf8', env: { ...process.env, APK_KEY: join(folder, 'key') } },
  );
  t.is(status, 0, stderr);
  t.regex(stdout, /packages\.adb" >> \/etc\/apk\/repositories\.d\/customfeeds\.list/);
  const index = readContainer(readFileSync(join(feed, 'packages.adb')));
  t.is(index.schema, 'indx');
  const bytes = readFileSync(join(feed, NAME));
  const apk = readApk(bytes);
  const [info, ...others] = readIndex(index);
  t.deepEqual(others, []);
  t.is(info?.get('file-size'), bytes.length);
  t.is(info?.get('hashes'), sha256(apk.adb));
  for (const [name, value] of apk.info) if (name !== 'hashes') t.deepEqual(info?.get(name), value);

  const [signature, ...more] = index.signatures;
  t.deepEqual(more, []);
  const publicKey = createPublicKey(readFileSync(join(feed, 'iot-shaper.pem')));
  // A key of this curve ends in its point, uncompressed.
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  const head = signature!.subarray(0, 18);
  t.deepEqual([...head.subarray(0, 2)], [0, 4], 'the first kind of signature, over SHA-512');
  t.is(head.toString('hex', 2), createHash('sha512').update(point).digest('hex').slice(0, 32));
  const signed = Buffer.concat([
    Buffer.from('indx'),
    head,
    createHash('sha512').update(index.adb).digest(),
  ]);
  t.true(verify('sha512', signed, publicKey, signature!.subarray(18)));
});

test('a key that is none for apk is refused by name', (t) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  for (const text of ['no key\n', privateKey.export({ type: 'pkcs8', format: 'pem' })]) {
    t.throws(() => packIndex([], text), {
      message: /must be a private key as "openssl ecparam -name prime256v1/,
    });
  }
});
