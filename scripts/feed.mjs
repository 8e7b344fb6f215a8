// Makes dist/feed, which opkg installs from: the package, Packages and Packages.gz.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { gzip } from './archive.mjs';
import { buildIpk } from './ipk.mjs';

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
  return `${control.toString('utf8').replace(/^Description:/m, `${about.join('\n')}\nDescription:`)}\n`;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, bytes } = buildIpk();
  const index = indexEntry(name, bytes);
  rmSync('dist/feed', { recursive: true, force: true });
  mkdirSync('dist/feed', { recursive: true });
  writeFileSync(`dist/feed/${name}`, bytes);
  writeFileSync('dist/feed/Packages', index);
  writeFileSync('dist/feed/Packages.gz', gzip(Buffer.from(index)));
  console.log(
    `dist/feed  serve it, then on the router: echo "src/gz iotshaper http://HOST/feed" >> /etc/opkg/customfeeds.conf`,
  );
}
