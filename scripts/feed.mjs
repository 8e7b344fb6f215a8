// Makes dist/feed, which opkg installs from: the package, its index and, with FEED_KEY, the index's signature.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
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
 * What makes a folder with the package a feed: its index, plain and packed, and with FEED_KEY the index's signature.
 *
 * @param {string} name of the package's file
 * @param {Buffer} bytes of it
 * @returns {{ name: string, bytes: Buffer }[]}
 */
export function indexFiles(name, bytes) {
  const index = Buffer.from(indexEntry(name, bytes));
  const key = process.env.FEED_KEY;
  return [
    { name: 'Packages', bytes: index },
    { name: 'Packages.gz', bytes: gzip(index) },
    ...(key
      ? [{ name: 'Packages.sig', bytes: Buffer.from(signUsign(readFileSync(key, 'utf8'), index)) }]
      : []),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'dist/feed';
  const { name, bytes } = buildIpk();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of [{ name, bytes }, ...indexFiles(name, bytes)]) {
    writeFileSync(`${folder}/${file.name}`, file.bytes);
  }
  console.log(
    `${folder}  serve it; on the router: echo "src/gz iotshaper http://HOST/feed" >> /etc/opkg/customfeeds.conf`,
  );
  if (!process.env.FEED_KEY) {
    console.log(
      '  It is not signed: set FEED_KEY to a key of "usign -G", or switch check_signature off in /etc/opkg.conf',
    );
  }
}
