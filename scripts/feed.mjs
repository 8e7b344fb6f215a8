// Makes dist/feed, which opkg and apk install from: a package for each, an index for each, signed with FEED_KEY and APK_KEY.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { publicKeyOf } from './adb.mjs';
import { buildApk } from './apk.mjs';
import { packIndex } from './apk-format.mjs';
import { gzip } from './archive.mjs';
import { buildIpk } from './ipk.mjs';
import { signUsign } from './usign.mjs';

/** Fields that OpenWrt leaves out of an index (package/Makefile): opkg knows none of them. */
const UNINDEXED = /^(Maintainer|LicenseFiles|Source|SourceName|Require|SourceDateEpoch):.*\n/gm;

/**
 * A package's paragraph in an index (OpenWrt, scripts/ipkg-make-index.sh).
 *
 * @param {string} name of the file
 * @param {Buffer} bytes of the file
 * @returns {string}
 */
export function indexEntry(name, bytes) {
  const control = readMember(
    gunzipSync(readMember(gunzipSync(bytes), './control.tar.gz')),
    './control',
  );
  const about = [
    `Filename: ${name}`,
    `Size: ${bytes.length}`,
    `SHA256sum: ${createHash('sha256').update(bytes).digest('hex')}`,
  ];
  const fields = control.toString('utf8').replace(UNINDEXED, '');
  return `${fields.replace(/^Description:/m, `${about.join('\n')}\nDescription:`)}\n`;
}

/** @param {Buffer} tar @param {string} path @returns {Buffer} */
function readMember(tar, path) {
  for (let at = 0; tar[at]; ) {
    const name = tar.toString('utf8', at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    if (name === path) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`${path}: not in the archive`);
}

/**
 * What a feed has: for opkg the package, its index, plain and packed, and with FEED_KEY the index's signature; for apk the
 * package, its index, with APK_KEY signed, and the public key that a router needs for it.
 *
 * @returns {{ name: string, bytes: Buffer }[]}
 */
export function feedFiles() {
  const { FEED_KEY: feedKey, APK_KEY: apkKey } = process.env;
  const ipk = buildIpk();
  const index = Buffer.from(indexEntry(ipk.name, ipk.bytes));
  const apk = buildApk();
  const key = apkKey ? readFileSync(apkKey, 'utf8') : undefined;
  return [
    ipk,
    { name: 'Packages', bytes: index },
    { name: 'Packages.gz', bytes: gzip(index) },
    ...(feedKey
      ? [
          {
            name: 'Packages.sig',
            bytes: Buffer.from(signUsign(readFileSync(feedKey, 'utf8'), index)),
          },
        ]
      : []),
    { name: apk.name, bytes: apk.bytes },
    { name: 'packages.adb', bytes: packIndex([apk], key) },
    ...(key ? [{ name: 'iot-shaper.pem', bytes: Buffer.from(publicKeyOf(key)) }] : []),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'dist/feed';
  const files = feedFiles();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, bytes } of files) writeFileSync(`${folder}/${name}`, bytes);
  const { FEED_KEY: feedKey, APK_KEY: apkKey } = process.env;
  const lines = [
    `${folder}  serve it; on the router, with opkg:`,
    '    echo "src/gz iotshaper http://HOST/feed" >> /etc/opkg/customfeeds.conf',
    ...(feedKey
      ? []
      : [
          '  It is not signed: set FEED_KEY to a key of "usign -G", or switch check_signature off in /etc/opkg.conf',
        ]),
    'with apk:',
    '    echo "http://HOST/feed/packages.adb" >> /etc/apk/repositories.d/customfeeds.list',
    apkKey
      ? '    wget -P /etc/apk/keys http://HOST/feed/iot-shaper.pem'
      : '  It is not signed: set APK_KEY to a key of "openssl ecparam -name prime256v1 -genkey -noout", or add --allow-untrusted',
  ];
  console.log(lines.join('\n'));
}
