// Files of the stand-in machine: a tree in memory, with folders in it that the kernel makes up.
import { basename, dirname, normalize } from 'node:path';
import {
  type Cancel,
  type Counter,
  type FileFacts,
  type Files,
  SystemError,
} from '../../../src/shell/system/system.ts';
import { type Door, refusal } from './door.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A folder whose files the kernel makes up when they are read; paths are below it. */
export interface KernelFolder {
  /** Null where there is none. */
  read(path: string): string | null;
  /** Names; null where there is no such folder. */
  list(path: string): string[] | null;
  /** False where it can't be written. */
  write?(path: string, text: string): boolean;
  link?(path: string): string | null;
}

interface Entry {
  kind: 'file' | 'folder' | 'socket';
  content: Uint8Array;
  mode: number;
}

const NOTHING = new Uint8Array(0);

/** The tree, and the door's view of it. */
export class FilesModel {
  readonly view: Files;
  readonly #entries = new Map<string, Entry>([['/', folder()]]);
  readonly #kernel = new Map<string, KernelFolder>();
  readonly #watches = new Map<string, Set<() => void>>();
  readonly #door: Door;
  readonly #time: VirtualTime;

  constructor(door: Door, time: VirtualTime) {
    this.#door = door;
    this.#time = time;
    const effect = <T>(what: string, work: () => T): Promise<T> =>
      door.pass(what, work, () => refusal(what));
    this.view = {
      readText: async (path) => new TextDecoder().decode(this.#read(path)),
      readBytes: async (path) => this.#read(path).slice(),
      readPieces: async function* (this: FilesModel, path: string) {
        yield this.#read(path).slice();
      }.bind(this),
      write: (path, content, mode) =>
        effect(`write ${path}`, () => this.#write(path, content, mode ?? 0o644)),
      replace: (path, content, mode) =>
        effect(`replace ${path}`, () => {
          this.#write(path, content, mode ?? 0o600);
          this.#entries.get(normalize(path))!.mode = mode ?? 0o600;
        }),
      remove: (path) => effect(`remove ${path}`, () => this.remove(path)),
      makeFolder: (path, mode) => effect(`make folder ${path}`, () => this.makeFolder(path, mode)),
      setMode: (path, mode) =>
        effect(`set mode ${path} ${mode.toString(8)}`, () => {
          const entry = this.#entries.get(normalize(path));
          if (!entry) throw missing(path);
          entry.mode = mode;
        }),
      list: async (path) => this.list(path).sort(),
      readLink: async (path) => {
        const found = this.#inKernel(path);
        const target = found?.folder.link?.(found.rest) ?? null;
        if (target === null) throw missing(path);
        return target;
      },
      stat: async (path) => this.#stat(path),
      exists: (path) => this.#stat(path) !== null,
      readNow: (path) => this.tryRead(path),
      watch: (path, onChange) => this.#watch(path, onChange),
      openCounter: (path) => this.#openCounter(path),
    };
  }

  mount(path: string, kernel: KernelFolder): void {
    this.makeFolder(path);
    this.#kernel.set(normalize(path), kernel);
  }

  /** Puts a file there, with the folders above it, as others than the service do. */
  plant(path: string, content: string, mode = 0o644): void {
    this.makeFolder(dirname(path));
    this.#write(path, content, mode);
  }

  makeFolder(path: string, mode = 0o755): void {
    const full = normalize(path);
    if (this.#entries.has(full)) return;
    if (full !== '/') this.makeFolder(dirname(full));
    this.#entries.set(full, folder(mode));
  }

  plantSocket(path: string): void {
    if (this.#entries.has(normalize(path))) throw fault('EADDRINUSE', path);
    this.#put(path, { kind: 'socket', content: NOTHING, mode: 0o755 });
  }

  isSocket(path: string): boolean {
    return this.#entries.get(normalize(path))?.kind === 'socket';
  }

  remove(path: string): void {
    const full = normalize(path);
    for (const one of [...this.#entries.keys()]) {
      if (one !== full && !one.startsWith(`${full}/`)) continue;
      this.#entries.delete(one);
      this.#tell(dirname(one));
    }
  }

  /** A file's bytes; null where it can't be read. */
  tryRead(path: string): Uint8Array | null {
    try {
      return this.#read(path);
    } catch {
      return null;
    }
  }

  /** Permissions of a file; null where there is none. */
  modeOf(path: string): number | null {
    return this.#entries.get(normalize(path))?.mode ?? null;
  }

  text(path: string): string | null {
    const bytes = this.tryRead(path);
    return bytes === null ? null : new TextDecoder().decode(bytes);
  }

  list(path: string): string[] {
    const found = this.#inKernel(path);
    const names = found?.folder.list(found.rest);
    if (names) return names;
    const full = normalize(path);
    const entry = this.#entries.get(full);
    if (!entry) throw missing(path);
    if (entry.kind !== 'folder') throw fault('ENOTDIR', path);
    return [...this.#entries.keys()]
      .filter((one) => one !== '/' && dirname(one) === full)
      .map((one) => basename(one));
  }

  /** Files and sockets below a folder, each as its path and its mode, one a line. */
  print(below = '/'): string {
    return [...this.#entries]
      .filter(([path, { kind }]) => kind !== 'folder' && path.startsWith(below))
      .map(([path, { kind, mode, content }]) =>
        kind === 'socket'
          ? `${path} socket`
          : `${path} ${mode.toString(8)} ${content.length} bytes`,
      )
      .sort()
      .join('\n');
  }

  #read(path: string): Uint8Array {
    const found = this.#inKernel(path);
    const text = found?.folder.read(found.rest) ?? null;
    if (text !== null) return new TextEncoder().encode(text);
    const entry = this.#entries.get(normalize(path));
    if (!entry) throw missing(path);
    if (entry.kind === 'folder') throw fault('EISDIR', path);
    if (entry.kind === 'socket') throw fault('ENXIO', path);
    return entry.content;
  }

  #write(path: string, content: string | Uint8Array, mode: number): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content.slice();
    const found = this.#inKernel(path);
    if (found) {
      if (found.folder.write?.(found.rest, new TextDecoder().decode(bytes))) return;
      throw found.folder.read(found.rest) === null ? missing(path) : fault('EACCES', path);
    }
    const entry = this.#entries.get(normalize(path));
    if (entry && entry.kind !== 'file') throw fault('EISDIR', path);
    this.#put(path, { kind: 'file', content: bytes, mode: entry?.mode ?? mode });
  }

  #put(path: string, entry: Entry): void {
    const full = normalize(path);
    if (this.#entries.get(dirname(full))?.kind !== 'folder') throw missing(path);
    this.#entries.set(full, entry);
    this.#tell(dirname(full));
  }

  #stat(path: string): FileFacts | null {
    const found = this.#inKernel(path);
    if (found) {
      if (found.folder.list(found.rest)) return { mode: 0o755, uid: 0, bytes: 0, isFolder: true };
      const text = found.folder.read(found.rest);
      if (text !== null) return { mode: 0o644, uid: 0, bytes: text.length, isFolder: false };
    }
    const entry = this.#entries.get(normalize(path));
    if (!entry) return null;
    const { mode, content, kind } = entry;
    return { mode, uid: 0, bytes: content.length, isFolder: kind === 'folder' };
  }

  #inKernel(path: string): { folder: KernelFolder; rest: string } | null {
    const full = normalize(path);
    for (let at = full; at !== '/'; at = dirname(at)) {
      const made = this.#kernel.get(at);
      if (made) return { folder: made, rest: full.slice(at.length + 1) };
    }
    return null;
  }

  #watch(path: string, onChange: () => void): Cancel {
    const full = normalize(path);
    if (!this.#entries.has(full)) throw missing(path);
    if (this.#door.enter(`watch ${path}`)) throw refusal(`watch ${path}`);
    const watches = this.#watches.get(full) ?? new Set();
    this.#watches.set(full, watches.add(onChange));
    return () => watches.delete(onChange);
  }

  #tell(path: string): void {
    for (const onChange of this.#watches.get(path) ?? []) {
      this.#time.timers.soon(() => {
        if (this.#watches.get(path)?.has(onChange)) onChange();
      });
    }
  }

  #openCounter(path: string): Counter {
    const found = this.#inKernel(path);
    return {
      read: () => {
        const text = found ? found.folder.read(found.rest) : this.text(path);
        return text === null ? null : Number(text);
      },
      close: () => {},
    };
  }
}

/** Settings that a folder holds, some of them for each of what the kernel has, as /proc/sys does. */
export class Settings implements KernelFolder {
  readonly values = new Map<string, string>();
  readonly #defaults: ReadonlyMap<string, string>;
  readonly #names: () => string[];

  /**
   * @param defaults with `*` in a path for each name that there is.
   * @param names what `*` stands for, now.
   */
  constructor(defaults: Record<string, string>, names: () => string[]) {
    this.#defaults = new Map(Object.entries(defaults));
    this.#names = names;
  }

  read(path: string): string | null {
    const initial = this.#initial(path);
    return initial === null ? null : `${this.values.get(path) ?? initial}\n`;
  }

  list(path: string): string[] | null {
    const below = path === '' ? '' : `${path}/`;
    const paths = [...this.#defaults.keys()].flatMap((one) =>
      one.includes('*') ? this.#names().map((name) => one.replace('*', name)) : [one],
    );
    const inside = paths.filter((one) => one.startsWith(below));
    if (inside.length === 0) return null;
    return [...new Set(inside.map((one) => one.slice(below.length).split('/')[0]!))];
  }

  write(path: string, text: string): boolean {
    const initial = this.#initial(path);
    if (initial === null) return false;
    const value = text.trim();
    if (value === initial) this.values.delete(path);
    else this.values.set(path, value);
    return true;
  }

  /** What is set for a name goes with it. */
  forget(name: string): void {
    for (const path of this.values.keys()) {
      if (path.split('/').includes(name)) this.values.delete(path);
    }
  }

  print(): string {
    return [...this.values]
      .map(([path, value]) => `${path} = ${value}`)
      .sort()
      .join('\n');
  }

  #initial(path: string): string | null {
    const own = this.#defaults.get(path);
    if (own !== undefined) return own;
    const name = this.#names().find((one) => path.split('/').includes(one));
    return name === undefined
      ? null
      : (this.#defaults.get(path.replace(`/${name}/`, '/*/')) ?? null);
  }
}

function folder(mode = 0o755): Entry {
  return { kind: 'folder', content: NOTHING, mode };
}

function fault(code: string, path: string): SystemError {
  return new SystemError(code, `${code}: ${path}`);
}

function missing(path: string): SystemError {
  return new SystemError('ENOENT', `ENOENT: no such file or directory, ${path}`);
}
