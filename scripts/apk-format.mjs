// What apk-tools 3 know of a package and of an index, as values in their containers (apk-tools, src/apk_adb.c).
import { createHash } from 'node:crypto';
import { packContainer, Values } from './adb.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

/**
 * What a package says of itself, by the names `apk mkpkg --info` knows. Dependencies are as in `node` or `node=22.1-r1`.
 *
 * @typedef {object} PackageInfo
 * @property {string} name
 * @property {string} version
 * @property {string} description
 * @property {string} arch
 * @property {string} license
 * @property {string} [origin]
 * @property {string} [maintainer]
 * @property {string} [url]
 * @property {string[]} depends
 * @property {string[]} [provides]
 * @property {string[]} [replaces]
 * @property {string[]} [tags]
 */

/**
 * @typedef {'pre-install' | 'post-install' | 'pre-deinstall' | 'post-deinstall' | 'pre-upgrade' | 'post-upgrade'} ScriptName
 * @typedef {Partial<Record<ScriptName, string>>} Scripts
 */

/** Places of a script in their object (src/apk_adb.h), from 1 on; the first is a trigger's. */
const scriptNames = /** @type {const} */ ([
  'trigger',
  'pre-install',
  'post-install',
  'pre-deinstall',
  'post-deinstall',
  'pre-upgrade',
  'post-upgrade',
]);

/** A package is told from others of its version by the beginning of a digest of itself. */
const UNIQUE_ID_BYTES = 20;

/**
 * @typedef {object} Package
 * @property {PackageInfo} info
 * @property {number} installedBytes
 * @property {Buffer} digest of all but the files' bytes; an index tells it
 * @property {Buffer} bytes of the file
 */

/**
 * A package as `apk mkpkg` of apk-tools 3.0 makes it of the same files: unpacked, the same bytes.
 *
 * @param {PackageInfo} info
 * @param {Scripts} scripts
 * @param {Entry[]} entries with every directory
 * @param {number} mtime unix seconds of every file
 * @returns {Package}
 */
export function packApk(info, scripts, entries, mtime) {
  const folders = foldersOf(entries);
  const installedBytes = sizeOf(entries) || 1; // apk knows none of 0
  const adb = packageValues(info, scripts, folders, installedBytes, mtime);
  const data = folders.flatMap(({ files }, folder) =>
    files.flatMap(({ data }, file) => {
      const bytes = Buffer.from(data ?? '');
      const place = Buffer.alloc(8);
      place.writeUInt32LE(folder + 1, 0);
      place.writeUInt32LE(file + 1, 4);
      return bytes.length > 0 ? [Buffer.concat([place, bytes])] : [];
    }),
  );
  return {
    info,
    installedBytes,
    digest: createHash('sha256').update(adb).digest(),
    bytes: packContainer('pckg', adb, { data }),
  };
}

/**
 * The index of a folder of packages, `packages.adb`.
 *
 * @param {Package[]} packages
 * @param {string} [keyText] a private key on the curve prime256v1, PEM, which signs it
 * @returns {Buffer}
 */
export function packIndex(packages, keyText) {
  const values = new Values();
  const list = [...packages]
    .sort((a, b) => compareBytes(a.info.name, b.info.name))
    .map((one) => indexedValues(values, one));
  const adb = values.finish(values.object([0, values.object(list)]));
  return packContainer('indx', adb, keyText === undefined ? {} : { keyText });
}

/** @param {PackageInfo} info @param {Scripts} scripts @param {Folder[]} folders @param {number} installedBytes @param {number} mtime */
function packageValues(info, scripts, folders, installedBytes, mtime) {
  const values = new Values();
  // In the order that apk-tools writes values in, so that both make the same bytes.
  const words = infoWords(values, info);
  const paths = folders.map(({ name, mode, files }) => {
    const list = files.map((file) => fileValues(values, file, mtime));
    const path = values.blob(name);
    const access = accessValues(values, mode);
    return values.object([path, access, values.object(list)]);
  });
  const installed = values.int(installedBytes);
  const unique = values.blob(Buffer.alloc(UNIQUE_ID_BYTES), true);
  const about = values.object(words({ unique, installed }));
  const tree = values.object(paths);
  const run = values.object(
    scriptNames.map((name) => values.blob(name === 'trigger' ? '' : scripts[name])),
  );
  const adb = values.finish(values.object([about, tree, run]));
  const digest = createHash('sha256').update(adb).digest();
  digest.copy(adb, (unique & 0x0fffffff) + 1, 0, UNIQUE_ID_BYTES);
  return adb;
}

/** @param {Values} values @param {Package} found */
function indexedValues(values, { info, installedBytes, digest, bytes }) {
  const words = infoWords(values, info);
  const installed = values.int(installedBytes);
  const fileBytes = values.int(bytes.length);
  return values.object(words({ unique: values.blob(digest), installed, fileBytes }));
}

/** @param {Values} values @param {PackageInfo} info */
function infoWords(values, info) {
  const name = values.blob(info.name);
  const version = values.blob(info.version);
  const texts = [
    info.description,
    info.arch,
    info.license,
    info.origin,
    info.maintainer,
    info.url,
  ].map((text) => values.blob(text));
  const [depends, provides, replaces] = [info.depends, info.provides, info.replaces].map((list) =>
    dependencyValues(values, list ?? []),
  );
  const tags = values.object((info.tags ?? []).map((tag) => values.blob(tag)));
  /** @param {{ unique: number, installed: number, fileBytes?: number }} found */
  return ({ unique, installed, fileBytes = 0 }) => [
    ...[name, version, unique, ...texts],
    ...[0, 0], // the commit and the time it was built at
    ...[installed, fileBytes],
    0, // before which other provider it comes
    ...[depends, provides, replaces].map((list) => /** @type {number} */ (list)),
    ...[0, 0, 0], // with what it comes along, what it recommends, its layer
    tags,
  ];
}

/** @param {Values} values @param {string[]} list */
function dependencyValues(values, list) {
  const words = [...new Set(list)].sort(compareBytes).map((text) => {
    const [name = '', version] = text.split('=');
    return values.object([values.blob(name), values.blob(version)]);
  });
  return values.object(words);
}

/** @param {Values} values @param {Entry} file named within its folder @param {number} mtime */
function fileValues(values, { path, mode, data }, mtime) {
  const bytes = Buffer.from(data ?? '');
  const name = values.blob(path);
  const digest = values.blob(createHash('sha256').update(bytes).digest());
  const time = values.int(mtime);
  const size = values.int(bytes.length);
  const access = accessValues(values, mode ?? 0o644);
  return values.object([name, access, size, time, digest]);
}

/** @param {Values} values @param {number} mode */
function accessValues(values, mode) {
  return values.object([values.int(mode), values.blob('root'), values.blob('root')]);
}

/**
 * @typedef {object} Folder
 * @property {string} name without slashes around; '' for the root
 * @property {number} mode
 * @property {Entry[]} files named within it
 */

/** @param {Entry[]} entries */
function sizeOf(entries) {
  return entries.reduce((sum, { data }) => sum + Buffer.byteLength(data ?? ''), 0);
}

/** @param {Entry[]} entries @returns {Folder[]} both in the order of their names' bytes */
function foldersOf(entries) {
  const sorted = [...entries].sort((a, b) => compareBytes(a.path, b.path));
  const folders = sorted.filter(({ path }) => path.endsWith('/'));
  return [{ path: '/', mode: 0o755 }, ...folders]
    .map(({ path, mode }) => ({ name: path.slice(0, -1), mode: mode ?? 0o755 }))
    .sort((a, b) => compareBytes(a.name, b.name))
    .map(({ name, mode }) => ({
      name,
      mode,
      files: sorted.flatMap((entry) => {
        const at = entry.path.lastIndexOf('/');
        const isHere = at < entry.path.length - 1 && entry.path.slice(0, Math.max(at, 0)) === name;
        return isHere ? [{ ...entry, path: entry.path.slice(at + 1) }] : [];
      }),
    }));
}

/** @param {string} a @param {string} b */
function compareBytes(a, b) {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
