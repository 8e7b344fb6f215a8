// Reads the containers of apk-tools 3, for the tests: written apart from what writes them, from apk-tools' adb.h and apk_adb.h.
import { inflateRawSync } from 'node:zlib';

/** A value's fields by their place, from 1 on; 0 is their number. */
type Value = null | number | Buffer | Value[];

export interface Container {
  schema: string;
  /** The block that all but the files' bytes is in. */
  adb: Buffer;
  root: Value[];
  signatures: Buffer[];
  /** Of a package: the bytes of a file, with its folder's place and its own. */
  data: { folder: number; file: number; bytes: Buffer }[];
}

export interface PackedFile {
  path: string;
  mode: number;
  owner: string;
  size: number;
  seconds: number;
  sha256: string;
  bytes: Buffer;
}

export interface ApkFile extends Container {
  info: Map<string, string | string[] | number>;
  folders: { path: string; mode: number }[];
  files: PackedFile[];
  scripts: Map<string, string>;
}

const infoFields = [
  ...['', 'name', 'version', 'hashes', 'description', 'arch', 'license', 'origin', 'maintainer'],
  ...['url', 'repo-commit', 'build-time', 'installed-size', 'file-size', 'provider-priority'],
  ...['depends', 'provides', 'replaces', 'install-if', 'recommends', 'layer', 'tags'],
];
const scriptFields = [
  ...['', 'trigger', 'pre-install', 'post-install', 'pre-deinstall', 'post-deinstall'],
  ...['pre-upgrade', 'post-upgrade'],
];

export function readContainer(file: Buffer): Container {
  if (file.toString('latin1', 0, 4) !== 'ADBd') throw new Error('not packed with deflate');
  const bytes = inflateRawSync(file.subarray(4));
  if (bytes.toString('latin1', 0, 4) !== 'ADB.') throw new Error('no container');
  const found: Container = {
    schema: bytes.toString('latin1', 4, 8),
    adb: Buffer.alloc(0),
    root: [],
    signatures: [],
    data: [],
  };
  let last = -1;
  for (let at = 8; at < bytes.length; ) {
    const head = bytes.readUInt32LE(at);
    const [kind, size] = [head >>> 30, head & 0x3fffffff];
    const payload = bytes.subarray(at + 4, at + size);
    if (kind < last || (kind === 0 && last === 0)) throw new Error(`block ${kind} after ${last}`);
    if (kind === 0) found.adb = payload;
    else if (kind === 1) found.signatures.push(payload);
    else {
      const [folder, file] = [payload.readUInt32LE(0), payload.readUInt32LE(4)];
      found.data.push({ folder, file, bytes: payload.subarray(8) });
    }
    last = kind;
    at += size;
    for (; at % 8 !== 0; at++) if (bytes[at] !== 0) throw new Error('padding that is none');
  }
  if (found.adb[0] !== 0) throw new Error('a version that readers of today refuse');
  const root = readValue(found.adb, found.adb.readUInt32LE(4));
  if (!Array.isArray(root)) throw new Error('no root');
  return { ...found, root };
}

export function readApk(file: Buffer): ApkFile {
  const container = readContainer(file);
  const [, info, paths, scripts] = container.root;
  const folders: ApkFile['folders'] = [];
  const files: PackedFile[] = [];
  for (const [folder, path] of listOf(paths).entries()) {
    const [, name, access, inside] = path as Value[];
    const prefix = text(name);
    folders.push({ path: prefix, mode: modeOf(access) });
    for (const [place, entry] of listOf(inside).entries()) {
      const [, own, ownAccess, size, seconds, sha256] = entry as Value[];
      const block = container.data.find(
        (one) => one.folder === folder + 1 && one.file === place + 1,
      );
      const [, , user, group] = ownAccess as Value[];
      files.push({
        path: prefix === '' ? text(own) : `${prefix}/${text(own)}`,
        mode: modeOf(ownAccess),
        owner: `${text(user)}:${text(group)}`,
        size: Number(size),
        seconds: Number(seconds),
        sha256: (sha256 as Buffer).toString('hex'),
        bytes: block?.bytes ?? Buffer.alloc(0),
      });
    }
  }
  return {
    ...container,
    info: readInfo(info),
    folders,
    files,
    scripts: named(scripts, scriptFields, (value) => text(value)),
  };
}

/** What an index says of each of its packages. */
export function readIndex({ root }: Container): ApkFile['info'][] {
  return listOf(root[2]).map((info) => readInfo(info));
}

function readInfo(info: Value | undefined): ApkFile['info'] {
  return named(info, infoFields, (value, field) => {
    if (typeof value === 'number') return value;
    if (field === 'hashes') return (value as Buffer).toString('hex');
    if (Buffer.isBuffer(value)) return text(value);
    return listOf(value).map((one) => {
      if (Buffer.isBuffer(one)) return text(one);
      const [, name, version] = one as Value[];
      return version ? `${text(name)}=${text(version)}` : text(name);
    });
  });
}

function named<T>(
  value: Value | undefined,
  fields: readonly string[],
  read: (value: Value, field: string) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const [place, one] of (value as Value[]).entries()) {
    if (place > 0 && one !== null) found.set(fields[place]!, read(one, fields[place]!));
  }
  return found;
}

function listOf(value: Value | undefined): Value[] {
  return value ? (value as Value[]).slice(1) : [];
}

function modeOf(access: Value | undefined): number {
  return Number((access as Value[])[1]);
}

function text(value: Value | undefined): string {
  return value ? (value as Buffer).toString('utf8') : '';
}

function readValue(adb: Buffer, word: number): Value {
  const [kind, at] = [word >>> 28, word & 0x0fffffff];
  switch (kind) {
    case 0x0:
      return null;
    case 0x1:
      return at;
    case 0x2:
      return adb.readUInt32LE(aligned(at, 4));
    case 0x8:
      return adb.subarray(at + 1, at + 1 + adb.readUInt8(at));
    case 0x9:
      return adb.subarray(at + 2, at + 2 + adb.readUInt16LE(aligned(at, 2)));
    case 0xa:
      return adb.subarray(at + 4, at + 4 + adb.readUInt32LE(aligned(at, 4)));
    case 0xd:
    case 0xe: {
      const count = adb.readUInt32LE(aligned(at, 4));
      const places = Array.from({ length: count - 1 }, (_, place) => at + 4 * (place + 1));
      return [count, ...places.map((place) => readValue(adb, adb.readUInt32LE(place)))];
    }
    default:
      throw new Error(`a value of kind ${kind}`);
  }
}

function aligned(at: number, bytes: number): number {
  if (at % bytes !== 0) throw new Error(`${at} is no multiple of ${bytes}`);
  return at;
}
