// Builds dist/iot-shaper-endpoint_VERSION_all.deb, byte for byte the same from the same commit; needs no Debian.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzip, packAr, packTar } from './archive.mjs';
import { endpointFiles, sourceDate, version } from './package-files.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

/**
 * The file's name and bytes (deb(5)).
 *
 * @returns {{ name: string, bytes: Buffer }}
 */
export function buildDeb() {
  const date = sourceDate();
  const files = endpointFiles();
  const members = [
    { name: 'debian-binary', data: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', data: gzip(packTar(underDot(controlFiles(files)), date)) },
    { name: 'data.tar.gz', data: gzip(packTar(underDot(files), date)) },
  ];
  return { name: `iot-shaper-endpoint_${version}_all.deb`, bytes: packAr(members, date) };
}

/** @param {Entry[]} files @returns {Entry[]} */
function controlFiles(files) {
  const plain = files.filter(({ data }) => data !== undefined);
  const kilobytes = plain.reduce(
    (sum, { data }) => sum + Math.ceil(Buffer.byteLength(data ?? '') / 1024),
    0,
  );
  const control = readFileSync('files/debian/control', 'utf8')
    .replace('INSTALLED-SIZE', `${kilobytes}`)
    .replace('VERSION', version);
  const sums = plain.map(
    ({ path, data }) =>
      `${createHash('md5')
        .update(data ?? '')
        .digest('hex')}  ${path}\n`,
  );
  const scripts = ['postinst', 'postrm', 'prerm'].map((name) => ({
    path: name,
    mode: 0o755,
    data: readFileSync(`files/debian/${name}`),
  }));
  return [{ path: 'control', data: control }, { path: 'md5sums', data: sums.join('') }, ...scripts];
}

/** @param {Entry[]} entries @returns {Entry[]} */
function underDot(entries) {
  return [{ path: './' }, ...entries.map((entry) => ({ ...entry, path: `./${entry.path}` }))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, bytes } = buildDeb();
  const target = `${process.argv[2] ?? 'dist'}/${name}`;
  writeFileSync(target, bytes);
  console.log(`${target}  ${(bytes.length / 1000).toFixed(0)} kB`);
}
