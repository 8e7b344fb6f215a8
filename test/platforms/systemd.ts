// A home under Debian's own systemd, in a root that is booted: its units, their rights, and that no start, restart, crash or
// reboot lets devices out. Run as root after `make build deb`: node build/test/platforms/systemd.js [RELEASE]
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../../src/shell/system/command.ts';
import { run } from '../../src/shell/system/node/processes.ts';
import { DebianRoot, hasOldNode, ROOTS } from './debian-root.ts';
import { Report } from './report.ts';

const [release = 'trixie'] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const packages = ['common', 'home'].map((name) =>
  resolve(`dist/iot-shaper-${name}_${version}_all.deb`),
);
/** What would reach for the real machine, or waits for what there is none of. */
const MASKED = [
  ...['systemd-sysctl', 'systemd-udevd', 'systemd-udev-trigger', 'systemd-modules-load'],
  ...['systemd-networkd', 'systemd-networkd-wait-online', 'systemd-timesyncd', 'systemd-logind'],
  ...['systemd-binfmt', 'getty@tty1', 'console-getty'],
];
const CONFIGURATION = `config iotshaper 'main'
	option enabled '1'

config network
	option device 'br-iot'
`;

/** Where the machine's groups are mounted, in a namespace that ends with whoever uses them. */
const CGROUPS = join(ROOTS, 'cgroups');
const APART = ['--mount', '--propagation=private'];

/** Takes away the empty groups of a machine that was booted. */
async function removeGroups(): Promise<void> {
  const script =
    'mount -t cgroup2 none "$1"; find "$1/iotshaper-platforms" -depth -type d -exec rmdir {} +';
  await run(['unshare', ...APART, 'sh', '-c', script, 'groups', CGROUPS]);
}

/** A root in which systemd is process 1. */
class Machine {
  readonly #root: DebianRoot;
  #child: ChildProcess | null = null;
  #pid = 0;

  constructor(root: DebianRoot) {
    this.#root = root;
  }

  /** Boots; resolves once all units that belong to it have started. */
  async boot(): Promise<void> {
    const boot = ['sh', 'test/platforms/boot-systemd.sh', this.#root.path, CGROUPS];
    const child = spawn('unshare', [...APART, ...boot], { stdio: 'ignore' });
    this.#child = child;
    await this.until('systemd runs', async () => {
      const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      this.#pid = Number(children.trim().split(' ')[0]);
      return (await this.say('systemctl', 'is-active', 'multi-user.target')) === 'active';
    });
  }

  /** What a command prints there, whatever its exit status. */
  async say(...command: readonly string[]): Promise<string> {
    const inside = [
      'nsenter',
      '-t',
      `${this.#pid}`,
      '-a',
      '-r',
      '-w',
      '--',
      'env',
      'PATH=/usr/sbin:/usr/bin',
    ];
    const { stdout } = await run([...inside, 'sh', '-c', '"$@" 2>&1 || true', 'sh', ...command]);
    return stdout.trim();
  }

  tables(): Promise<string> {
    return this.say('nft', 'list', 'tables');
  }

  property(unit: string, name: string): Promise<string> {
    return this.say('systemctl', 'show', unit, '--value', `--property=${name}`);
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + 120_000;
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > endMs) throw new Error(`in vain: ${what}`);
      await pause(200); // asked from outside: there is no event
    }
  }

  /** The service answers. */
  served(): Promise<void> {
    return this.until('the service answers', async () =>
      /^state +/m.test(await this.say('iotshaper', 'status')),
    );
  }

  /** Whether the table was there at every look while `work` was done. */
  async alwaysShut(work: () => Promise<unknown>): Promise<boolean> {
    let isOver = false;
    let isShut = true;
    const looking = (async () => {
      while (!isOver) isShut &&= (await this.tables()).includes('table inet iotshaper');
    })();
    await work();
    isOver = true;
    await looking;
    return isShut;
  }

  /** The power fails. */
  async cut(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = new Promise<void>((done) => child.once('exit', () => done()));
    process.kill(this.#pid, 'SIGKILL');
    await gone;
    this.#child = null;
  }
}

const report = new Report();
const root = await DebianRoot.build(release, 'systemd');
if (hasOldNode(release)) await root.installNode();
await root.install('systemd', 'systemd-sysv', 'dbus', ...packages);
const units = join(root.path, 'etc/systemd/system');
await mkdir(units, { recursive: true });
for (const name of MASKED)
  await symlink('/dev/null', join(units, `${name}.service`)).catch(() => {});
await root.write('/etc/iotshaper/iotshaper', CONFIGURATION);
await root.write(
  '/etc/iotshaper/home.ovpn',
  readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8'),
);

const machine = new Machine(root);
try {
  await machine.boot();
  await machine.served();
  // Until its first rules are in force it says no more than that it starts.
  await machine.until('it says that devices are cut off', async () =>
    /^Starting: .*your devices are cut off/m.test(await machine.say('iotshaper', 'status')),
  );
  const started = await machine.tables();
  report.tell(
    started.includes('table inet iotshaper'),
    'installed, enabled and started by the package; without its endpoint devices are cut off',
    started,
  );
  await machine.until('the rules for the boot are kept', async () =>
    (await machine.say('cat', '/etc/iotshaper/boot.nft')).includes('table inet iotshaper'),
  );

  const restarted = await machine.alwaysShut(async () => {
    await machine.say('systemctl', 'restart', 'iotshaper');
    await machine.served();
  });
  report.tell(restarted, 'no moment of a restart lets devices out');
  await machine.say('systemctl', 'start', 'iotshaper');
  // Nobody waits for what a service wants besides.
  const passed = async () =>
    (await machine.property('iotshaper-boot', 'Result')) === 'exec-condition';
  await machine.until('the rules for the boot are passed by', passed);
  report.tell(true, 'a start while it runs changes nothing');
  await machine.say('systemctl', 'stop', 'iotshaper');
  const open = await machine.tables();
  const rules = await machine.say('ip', 'rule');
  report.tell(
    open === '' && rules.split('\n').length === 3,
    'stopped for good, nothing of it is left',
    `${open}\n${rules}`,
  );
  await machine.say('systemctl', 'start', 'iotshaper');
  const held = await machine.tables();
  report.tell(
    held.includes('iotshaper'),
    'a start holds devices back before the service is up',
    held,
  );
  await machine.served();
  const crashed = await machine.alwaysShut(async () => {
    await machine.say('systemctl', 'kill', '--signal=KILL', 'iotshaper');
    await machine.until(
      'it is started again',
      async () => (await machine.property('iotshaper', 'NRestarts')) === '1',
    );
    await machine.served();
  });
  report.tell(crashed, 'a crash lets nobody out, and it is started again');

  await machine.cut();
  await machine.boot();
  const [held1, pre] = await Promise.all([
    machine.property('iotshaper-boot', 'InactiveEnterTimestampMonotonic'),
    machine.property('network-pre.target', 'ActiveEnterTimestampMonotonic'),
  ]);
  report.tell(
    Number(held1) > 0 && Number(held1) <= Number(pre),
    'a boot holds devices back before there is a network',
    `${held1} ${pre}`,
  );
  await machine.served();
  const log = await machine.say('journalctl', '--no-pager', '--boot', '--identifier=iotshaper');
  report.tell(/iotshaper\[\d+\]: starting: /.test(log), 'its log is found under its name', log);
  const exposure = await machine.say(
    'systemd-analyze',
    'security',
    '--no-pager',
    'iotshaper.service',
  );
  report.tell(
    /level for iotshaper\.service: [0-3]\.\d OK/.test(exposure),
    'systemd finds it well enclosed',
    exposure.slice(-200),
  );

  await machine.say('apt-get', 'purge', '-y', '-qq', 'iot-shaper-home', 'iot-shaper-common');
  const left = await machine.say(
    'find',
    '/',
    '-xdev',
    '-name',
    '*iot*shaper*',
    '-not',
    '-path',
    '/proc/*',
    '-not',
    '-path',
    '/var/*',
  );
  report.tell(
    left === '' && (await machine.tables()) === '',
    'purged while it ran, no file, no unit and no rule is left',
    left,
  );
} catch (error) {
  if (error instanceof CommandError) console.error(error.message);
  else throw error;
  report.tell(false, 'all of it could be asked');
} finally {
  await machine.cut();
  await removeGroups();
}
await root.remove();
report.end(`systemd of Debian ${release}`);
