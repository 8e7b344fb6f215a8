// A computer of the lab that starts as one: a root of its own (an overlay that is thrown away), process 1, a network namespace.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of one command: what it printed, both streams, and how it ended. */
export interface Outcome {
  status: number;
  output: string;
}

export interface StartOptions {
  /** Folders of this computer, `/here:/there`. */
  shared?: readonly string[];
  /** As netifd needs it for bridges; systemd would take the devices of this computer for its own. */
  isSysWritable?: boolean;
}

/** Where version 2 of control groups is: systemd in a root takes no other. */
const controlGroups = existsSync('/sys/fs/cgroup/unified')
  ? '/sys/fs/cgroup/unified'
  : '/sys/fs/cgroup';

// Devices that a root's programs need; all others of this computer stay out.
const SETUP = `set -e
root=$1; shift
mount --make-rprivate /
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
[ "$SYS" = rw ] || mount -o remount,ro,bind "$root/sys"
mkdir -p "$root/sys/fs/cgroup" 2>/dev/null || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir -p "$root/dev/net" "$root/dev/pts" "$root/dev/shm"
for node in null zero full random urandom tty net/tun; do
	: >"$root/dev/$node"; mount --bind "/dev/$node" "$root/dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for folder in "$@"; do
	[ "$folder" = -- ] && break
	mkdir -p "$root\${folder#*:}"; mount --bind "\${folder%%:*}" "$root\${folder#*:}"
done
while [ "$1" != -- ]; do shift; done; shift
exec chroot "$root" "$@"`;

/** One computer; `folder` holds its overlay. */
export class Machine {
  readonly name: string;
  readonly root: string;
  readonly #folder: string;
  #first: ChildProcess | null = null;
  #pid = 0;

  constructor(name: string, lower: string, folder: string) {
    this.name = name;
    this.#folder = join(folder, name);
    this.root = join(this.#folder, 'root');
    for (const part of ['upper', 'work', 'root'])
      mkdirSync(join(this.#folder, part), { recursive: true });
    const layers = `lowerdir=${lower},upperdir=${this.#folder}/upper,workdir=${this.#folder}/work`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, this.root]);
  }

  write(path: string, text: string): void {
    rmSync(join(this.root, path), { force: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Starts process 1 in the network namespace. */
  start(
    init: readonly string[],
    netns: string,
    { shared = [], isSysWritable = false }: StartOptions = {},
  ): void {
    const group = join(controlGroups, this.name);
    mkdirSync(group, { recursive: true });
    const into = `echo $$ >${group}/cgroup.procs; exec "$@"`;
    const apart = ['--mount', '--pid', '--fork', '--kill-child', '--uts', '--ipc', '--cgroup'];
    this.#first = spawn(
      'sh',
      [
        ...['-c', into, 'sh', 'ip', 'netns', 'exec', netns, 'unshare', ...apart],
        ...['sh', '-c', SETUP, 'sh', this.root, ...shared, '--', ...init],
      ],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, container: 'lab', SYS: isSysWritable ? 'rw' : 'ro' },
      },
    );
    const unshare = this.#first.pid;
    for (let tries = 0; tries < 200 && this.#pid === 0; tries++) {
      const children = spawnSync('cat', [`/proc/${unshare}/task/${unshare}/children`]);
      this.#pid = Number(`${children.stdout}`.trim().split(' ')[0]);
      if (this.#pid === 0) spawnSync('sleep', ['0.05']);
    }
    if (this.#pid === 0) throw new Error(`${this.name} did not start`);
  }

  /** Runs a line as its user would type it, in /root; `isOnline`: with this computer's network, to fetch packages. */
  run(line: string, isOnline = false): Outcome {
    const spaces = ['-m', '-p', '-u', '-i', '-C', ...(isOnline ? [] : ['-n'])];
    const command = ['sh', '-c', `cd /root && ${line}`];
    const words = ['-t', `${this.#pid}`, ...spaces, '-r', '-w', ...command];
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const { status, stdout, stderr } = spawnSync('nsenter', words, {
      encoding: 'utf8',
      input: 'y\n', // to apt's question
      env: {
        HOME: '/root',
        PATH: path,
        TERM: 'dumb',
        DEBIAN_FRONTEND: 'noninteractive',
        ...(isOnline ? { NODE_EXTRA_CA_CERTS: '/etc/lab-certificates.crt' } : {}),
      },
    });
    return { status: status ?? -1, output: `${stdout}${stderr}` };
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** Ends all of it, and throws its root away. */
  stop(): void {
    if (this.#pid > 0) spawnSync('kill', ['-KILL', `${this.#pid}`]);
    this.#first?.kill('SIGKILL');
    for (let tries = 0; tries < 50; tries++) {
      if (spawnSync('umount', ['-R', this.root]).status === 0) break;
      spawnSync('sleep', ['0.1']);
    }
    rmSync(this.#folder, { recursive: true, force: true });
    spawnSync('rmdir', [join(controlGroups, this.name)], { stdio: 'ignore' });
  }
}
