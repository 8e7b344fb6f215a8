// Files of a machine on which QuickJS runs.
import * as machine from 'quickjs:machine';
import * as os from 'quickjs:os';
import { FileCounter, type NumberFile } from '../file-counter.ts';
import { type Files, SystemError } from '../system.ts';
import { checked, systemError } from './errors.ts';
import { loop } from './loop.ts';
import { basename, dirname, join } from './stand-ins/path.ts';

const SECRET = 0o600;
const PIECE_BYTES = 1 << 16;
const FOLDER = 0o040000;
const KIND = 0o170000;

export const quickjsFiles: Files = {
  readText: async (path) => machine.decode(readWhole(path)),
  readBytes: async (path) => readWhole(path),
  readPieces,
  write: async (path, content, mode = 0o666) =>
    writeWhole(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, content, mode),
  replace: async (path, content, mode = SECRET) => {
    const fresh = join(dirname(path), `.${basename(path)}.new`);
    await remove(fresh);
    writeWhole(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, content, mode, true);
    checked(machine.setMode(fresh, mode), fresh); // whatever the umask
    checked(os.rename(fresh, path), path);
  },
  remove,
  makeFolder: async (path, mode) => {
    if (makeFolders(path, mode ?? 0o777) && mode !== undefined)
      checked(machine.setMode(path, mode), path); // whatever the umask
  },
  setMode: async (path, mode) => void checked(machine.setMode(path, mode), path),
  list: async (path) => {
    const [names, error] = os.readdir(path);
    if (error !== 0) throw systemError(error, path);
    return names.filter((name) => name !== '.' && name !== '..').sort();
  },
  readLink: async (path) => {
    const [target, error] = os.readlink(path);
    if (error !== 0) throw systemError(error, path);
    return target;
  },
  stat: async (path) => {
    const [facts, error] = os.stat(path);
    if (facts) {
      const { mode, uid, size } = facts;
      return { mode: mode & 0o7777, uid, bytes: size, isFolder: (mode & KIND) === FOLDER };
    }
    const known = systemError(error, path);
    if (known.code === 'ENOENT' || known.code === 'ENOTDIR') return null;
    throw known;
  },
  exists: (path) => os.stat(path)[1] === 0,
  readNow: (path) => {
    try {
      return readWhole(path);
    } catch {
      return null;
    }
  },
  watch: (folder, onChange) => {
    const fd = checked(machine.watch(folder), folder);
    const events = new Uint8Array(4096);
    loop.onReadable(fd, () => {
      while (machine.read(fd, events) > 0);
      onChange();
    });
    return () => {
      loop.forget(fd);
      os.close(fd);
    };
  },
  openCounter: (path) => new FileCounter(() => openNumber(path)),
};

function open(path: string, flags: number, mode = 0): number {
  return checked(os.open(path, flags | machine.O_CLOEXEC, mode), path);
}

function readWhole(path: string): Uint8Array {
  const fd = open(path, os.O_RDONLY);
  try {
    let whole = new Uint8Array(4096);
    for (let length = 0; ; ) {
      const got = checked(machine.read(fd, whole.subarray(length)), path);
      if (got === 0) return whole.subarray(0, length);
      length += got;
      if (length < whole.length) continue;
      const grown = new Uint8Array(whole.length * 4);
      grown.set(whole);
      whole = grown;
    }
  } finally {
    os.close(fd);
  }
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const fd = path === '-' ? 0 : open(path, os.O_RDONLY);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const piece = new Uint8Array(PIECE_BYTES);
      const got = checked(machine.read(fd, piece), path);
      if (got === 0) return;
      if (isFirst && piece[0] === 0x1f && piece[1] === 0x8b)
        throw new SystemError('ENOSYS', `${path} is packed, which can't be undone here`);
      yield piece.subarray(0, got);
    }
  } finally {
    if (fd !== 0) os.close(fd);
  }
}

function writeWhole(
  path: string,
  flags: number,
  content: string | Uint8Array,
  mode: number,
  keeps = false,
): void {
  const bytes = typeof content === 'string' ? new Uint8Array(machine.encode(content)) : content;
  const fd = open(path, flags, mode);
  try {
    for (let at = 0; at < bytes.length; )
      at += checked(machine.write(fd, bytes.subarray(at)), path);
    if (keeps) checked(machine.sync(fd), path);
  } finally {
    os.close(fd);
  }
}

async function remove(path: string): Promise<void> {
  const [facts] = os.lstat(path);
  if (!facts) return;
  if ((facts.mode & KIND) === FOLDER) {
    for (const name of await quickjsFiles.list(path)) await remove(join(path, name));
  }
  const result = os.remove(path);
  if (result < 0 && os.lstat(path)[0]) throw systemError(result, path);
}

/** Whether it was made; those above it are, too. */
function makeFolders(path: string, mode: number): boolean {
  const [facts] = os.stat(path);
  if (facts && (facts.mode & KIND) === FOLDER) return false;
  if (path !== dirname(path)) makeFolders(dirname(path), mode);
  checked(os.mkdir(path, mode), path);
  return true;
}

function openNumber(path: string): NumberFile {
  const fd = open(path, os.O_RDONLY);
  const buffer = new Uint8Array(32);
  return {
    read: () => {
      checked(os.seek(fd, 0, 0), path);
      const length = checked(machine.read(fd, buffer), path);
      return Number(machine.decode(buffer.subarray(0, length)));
    },
    close: () => void os.close(fd),
  };
}
