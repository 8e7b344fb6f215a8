// Files of a real machine.
import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  watch,
} from 'node:fs';
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FileCounter, type NumberFile } from '../file-counter.ts';
import type { Files } from '../system.ts';
import { asSystemError, translated } from './errors.ts';

const SECRET = 0o600;
/** What was read and is done with waits for the collector: larger pieces are tens of MB of it, and no faster. */
const PIECE_BYTES = 1 << 16;

export const nodeFiles: Files = {
  readText: (path) => translated(readTextOf(path)),
  readBytes: (path) => translated(readFile(path)),
  readPieces,
  write: (path, content, mode) =>
    translated(writeFile(path, content, mode === undefined ? {} : { mode })),
  replace: (path, content, mode) => translated(replace(path, content, mode)),
  remove: (path) => translated(rm(path, { recursive: true, force: true })),
  makeFolder: (path, mode) => translated(makeFolder(path, mode)),
  setMode: (path, mode) => translated(chmod(path, mode)),
  list: async (path) => (await translated(readdir(path))).sort(),
  readLink: (path) => translated(readlink(path)),
  stat: async (path) => {
    try {
      const { mode, uid, size, isDirectory } = await stat(path).then((facts) => ({
        mode: facts.mode & 0o7777,
        uid: facts.uid,
        size: facts.size,
        isDirectory: facts.isDirectory(),
      }));
      return { mode, uid, bytes: size, isFolder: isDirectory };
    } catch (error) {
      const known = asSystemError(error);
      if (known.code === 'ENOENT' || known.code === 'ENOTDIR') return null;
      throw known;
    }
  },
  exists: existsSync,
  readNow: (path) => {
    try {
      return readFileSync(path);
    } catch {
      return null;
    }
  },
  watch: (folder, onChange) => {
    const watcher = watch(folder, onChange);
    return () => watcher.close();
  },
  openCounter: (path) => new FileCounter(() => openNumber(path)),
};

/** The kernel's own files are in no need of a thread, which would take longer than they do. */
const KERNEL = /^\/(?:proc|sys)\//;

async function readTextOf(path: string): Promise<string> {
  return KERNEL.test(path) ? readFileSync(path, 'utf8') : readFile(path, 'utf8');
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const stream =
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: PIECE_BYTES });
  try {
    yield* unpacked(stream);
  } catch (error) {
    throw asSystemError(error);
  }
}

/** Told by content: a name says little, and standard input has none. */
async function* unpacked(stream: Readable): AsyncGenerator<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head: Uint8Array = new Uint8Array(0);
  let isEnd = false;
  while (head.length < 2 && !isEnd) {
    const { done, value } = await pieces.next();
    if (done) isEnd = true;
    else head = head.length ? Buffer.concat([head, value]) : value;
  }
  const whole = async function* () {
    try {
      if (head.length) yield head;
      for (;;) {
        const { done, value } = await pieces.next();
        if (done) return;
        yield value;
      }
    } finally {
      await pieces.return?.();
    }
  };
  if (head[0] !== 0x1f || head[1] !== 0x8b) yield* whole();
  else yield* unzip(whole());
}

async function* unzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  // A failure of either end is one of both: it is thrown where the pieces are read.
  const feeding = pipeline(Readable.from(source), gunzip).catch(() => {});
  for await (const piece of gunzip) yield piece as Uint8Array;
  await feeding;
}

async function replace(path: string, content: string | Uint8Array, mode = SECRET): Promise<void> {
  // Beside it, for a rename within one file system; hidden, so that nobody takes it for the file.
  const fresh = join(dirname(path), `.${basename(path)}.new`);
  await rm(fresh, { force: true });
  await writeFile(fresh, content, { mode, flag: 'wx', flush: true });
  await chmod(fresh, mode); // whatever the umask
  await rename(fresh, path);
}

async function makeFolder(path: string, mode?: number): Promise<void> {
  const made = await mkdir(path, { recursive: true, ...(mode === undefined ? {} : { mode }) });
  if (made !== undefined && mode !== undefined) await chmod(path, mode); // whatever the umask
}

function openNumber(path: string): NumberFile {
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(32);
  return {
    read: () => Number(buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0))),
    close: () => closeSync(fd),
  };
}
