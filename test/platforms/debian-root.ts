// A Debian of its own in a folder, from the archive: packages are installed into it, and its programs run in a namespace.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../../src/shell/system/node/processes.ts';

const MIRROR = process.env.MIRROR ?? 'http://deb.debian.org/debian';
const MINUTES_MS = 60_000;

/** Where roots are kept, out of every tool's way that walks this tree; what comes from the archive serves another run, too. */
export const ROOTS = '/var/tmp/iotshaper-platforms';

/** Mounted for one command, and gone with it: each runs in a mount namespace of its own. */
const ENTER = [
  'set -e',
  'root=$1; shift',
  'mount -t proc proc "$root/proc"',
  'mount -t sysfs sysfs "$root/sys"',
  'mount --rbind /dev "$root/dev"',
  'exec chroot "$root" "$@"',
].join('\n');

/** Whether a release has a Node.js of its own that the packages can not use. */
export const hasOldNode = (release: string): boolean => release === 'bookworm';

export class DebianRoot {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** A fresh one of this release, such as `trixie`; the release itself is fetched once. */
  static async build(release: string, name: string): Promise<DebianRoot> {
    await mkdir(ROOTS, { recursive: true });
    const base = join(ROOTS, `${release}.tar`);
    const path = join(ROOTS, name);
    await rm(path, { recursive: true, force: true });
    if (existsSync(base)) {
      await mkdir(path);
      await run(['tar', '-xf', base, '-C', path], { timeoutMs: 5 * MINUTES_MS });
    } else {
      const argv = ['debootstrap', '--variant=minbase', release, path, MIRROR];
      await run(argv, { timeoutMs: 20 * MINUTES_MS });
      await run(['tar', '-cf', base, '-C', path, '.'], { timeoutMs: 5 * MINUTES_MS });
    }
    const root = new DebianRoot(path);
    await copyFile('/etc/resolv.conf', join(path, 'etc/resolv.conf'));
    await root.run(['apt-get', 'update', '-qq']);
    return root;
  }

  /** The command with what enters the root, in the named network namespace or in the machine's own. */
  argv(command: readonly string[], netns?: string): string[] {
    const outside =
      netns === undefined
        ? ['unshare', '--mount', '--propagation=private']
        : ['ip', 'netns', 'exec', netns]; // which makes a mount namespace, too
    return [...outside, 'sh', '-c', ENTER, 'enter', this.path, ...command];
  }

  /** Runs a command; resolves with what it printed. @throws {CommandError} */
  async run(
    command: readonly string[],
    options: { netns?: string; minutes?: number } = {},
  ): Promise<string> {
    const { netns, minutes = 10 } = options;
    const argv = this.argv(['env', 'DEBIAN_FRONTEND=noninteractive', ...command], netns);
    return (await run(argv, { timeoutMs: minutes * MINUTES_MS })).stdout;
  }

  /** Installs packages of the archive, and files given by a path of this machine. */
  async install(...packages: readonly string[]): Promise<void> {
    const names: string[] = [];
    for (const one of packages) {
      if (!one.includes('/')) {
        names.push(one);
        continue;
      }
      await copyFile(one, join(this.path, basename(one)));
      names.push(`/${basename(one)}`);
    }
    try {
      // What a package's script says apt prints on standard output.
      const apt = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names];
      await this.run(['sh', '-c', '"$@" >&2', 'apt', ...apt]);
    } finally {
      for (const one of names) if (one.startsWith('/')) await rm(join(this.path, one));
    }
  }

  /** Debian 12's Node.js is too old: what README says, npm and "npm install --global node@20", fetched by this machine's npm. */
  async installNode(): Promise<void> {
    await this.install('npm');
    const argv = ['npm', 'install', '--global', '--prefix', join(this.path, 'usr/local')];
    await run([...argv, '--no-audit', '--no-fund', 'node@20'], { timeoutMs: 5 * MINUTES_MS });
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.path, path), text, { mode: 0o600 });
  }

  /** Every file there is but the packagers' own records, with kind, mode and size. */
  async files(): Promise<string[]> {
    const records = [
      'proc',
      'sys',
      'dev',
      'tmp',
      'var/lib/dpkg',
      'var/lib/apt',
      'var/cache',
      'var/log',
    ];
    const cut = records.flatMap((path) => ['-path', `./${path}`, '-prune', '-o']);
    const script = 'cd / && find . -xdev "$@" -printf "%y %m %s %p\\n"';
    const found = await this.run(['sh', '-c', script, 'find', ...cut]);
    // A folder's size is the file system's affair.
    return found
      .trim()
      .split('\n')
      .map((line) => line.replace(/^d (\d+) \d+/, 'd $1'))
      .sort();
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}
