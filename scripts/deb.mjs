// Builds packages for Debian, byte for byte the same from the same commit; needs no Debian: deb.mjs [FOLDER [PACKAGE…]]
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzip, packAr, packTar } from './archive.mjs';
import {
  commonFiles,
  endpointFiles,
  homeFiles,
  nodeVersion,
  researchFiles,
  sourceDate,
  version,
} from './package-files.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

/** Each package's files, its own folder and the scripts in there. */
const packages = {
  common: { listFiles: commonFiles, folder: 'files/debian-common', scripts: [] },
  endpoint: {
    listFiles: endpointFiles,
    folder: 'files/debian',
    scripts: ['postinst', 'postrm', 'preinst', 'prerm'],
  },
  home: {
    listFiles: homeFiles,
    folder: 'files/debian-home',
    scripts: ['postinst', 'postrm', 'preinst', 'prerm'],
  },
  research: { listFiles: researchFiles, folder: 'files/debian-research', scripts: [] },
};

export const debKinds = /** @type {(keyof typeof packages)[]} */ (Object.keys(packages));

/**
 * The file's name and bytes (deb(5)).
 *
 * @param {keyof typeof packages} kind
 * @returns {{ name: string, bytes: Buffer }}
 */
export function buildDeb(kind) {
  const date = sourceDate();
  const files = packages[kind].listFiles();
  const members = [
    { name: 'debian-binary', data: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', data: gzip(packTar(underDot(controlFiles(kind, files)), date)) },
    { name: 'data.tar.gz', data: gzip(packTar(underDot(files), date)) },
  ];
  return { name: `iot-shaper-${kind}_${version}_all.deb`, bytes: packAr(members, date) };
}

/** @param {keyof typeof packages} kind @param {Entry[]} files @returns {Entry[]} */
function controlFiles(kind, files) {
  const { folder, scripts } = packages[kind];
  const plain = files.filter(({ data }) => data !== undefined);
  const kilobytes = plain.reduce(
    (sum, { data }) => sum + Math.ceil(Buffer.byteLength(data ?? '') / 1024),
    0,
  );
  const control = readFileSync(`${folder}/control`, 'utf8')
    .replace('INSTALLED-SIZE', `${kilobytes}`)
    .replaceAll('NODE-VERSION', nodeVersion)
    .replaceAll('VERSION', version);
  const sums = plain.map(
    ({ path, data }) =>
      `${createHash('md5')
        .update(data ?? '')
        .digest('hex')}  ${path}\n`,
  );
  return [
    { path: 'control', data: control },
    { path: 'md5sums', data: sums.join('') },
    ...scripts.map((name) => ({
      path: name,
      mode: 0o755,
      data: readFileSync(`${folder}/${name}`),
    })),
  ];
}

/** @param {Entry[]} entries @returns {Entry[]} */
function underDot(entries) {
  return [{ path: './' }, ...entries.map((entry) => ({ ...entry, path: `./${entry.path}` }))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = 'dist', ...asked] = process.argv.slice(2);
  for (const kind of asked.length > 0 ? asked : ['common', 'endpoint', 'home']) {
    if (!Object.hasOwn(packages, kind)) throw new Error(`${kind}: no such package`);
    const { name, bytes } = buildDeb(/** @type {keyof typeof packages} */ (kind));
    const target = `${folder}/${name}`;
    writeFileSync(target, bytes);
    console.log(`${target}  ${(bytes.length / 1000).toFixed(0)} kB`);
  }
}
