// The router's package, as opkg and tar read it.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { build, DATE, listTar, readTar, temporaryFolder, unpackTar } from './archive.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const NAME = `iot-shaper_${version}-r1_all.ipk`;

let built: Buffer | undefined;

function ipkOf(t: ExecutionContext): Buffer {
  built ??= buildIpk(t);
  return built;
}

function buildIpk(t: ExecutionContext): Buffer {
  const folder = temporaryFolder(t);
  build('ipk', folder);
  t.deepEqual(readdirSync(folder), [NAME]);
  return readFileSync(join(folder, NAME));
}

test('is small, and the same bytes at every build', (t) => {
  const first = buildIpk(t);
  t.true(first.equals(buildIpk(t)));
  t.true(first.length < 252_000, `${first.length} bytes`);
});

test('holds its three members', (t) => {
  const ipk = ipkOf(t);
  t.deepEqual(
    listTar(ipk).map(({ path }) => path),
    ['./debian-binary', './data.tar.gz', './control.tar.gz'],
  );
  t.is(readTar(ipk, './debian-binary').toString(), '2.0\n');
});

test('belongs to root throughout and carries the date of the source', (t) => {
  const ipk = ipkOf(t);
  const archives = [ipk, readTar(ipk, './data.tar.gz'), readTar(ipk, './control.tar.gz')];
  for (const entry of archives.flatMap(listTar)) {
    t.is(entry.owner, '0/0', entry.path);
    t.is(entry.seconds, DATE, entry.path);
  }
});

test('holds every file where the router looks for it, with its mode', (t) => {
  const listed = listTar(readTar(ipkOf(t), './data.tar.gz'));
  const files = new Map(
    listed.filter(({ path }) => !path.endsWith('/')).map((one) => [one.path.slice(1), one.mode]),
  );
  const isShared = (path: string) => /\/iotshaper\/shared\/[0-9A-Z]{8}\.js$/.test(path);
  const shared = [...files].filter(([path]) => isShared(path));
  t.true(shared.length > 0);
  for (const [path, mode] of shared) t.is(mode, '-rw-r--r--', path);
  const expected = {
    '/etc/config/iotshaper': '-rw-------',
    '/etc/hotplug.d/ntp/90-iotshaper': '-rw-r--r--',
    '/etc/init.d/iotshaper': '-rwxr-xr-x',
    '/etc/uci-defaults/90-iotshaper': '-rw-r--r--',
    '/usr/share/iotshaper/firewall-zone': '-rwxr-xr-x',
    '/etc/init.d/iotshaper-boot': '-rwxr-xr-x',
    '/lib/upgrade/keep.d/iot-shaper': '-rw-r--r--',
    '/usr/bin/iotshaper': '-rwxr-xr-x',
    '/usr/lib/iotshaper/LICENSES': '-rw-r--r--',
    '/usr/lib/iotshaper/iotshaper-cli.js': '-rw-r--r--',
    '/usr/lib/iotshaper/iotshaper-home.js': '-rw-r--r--',
    '/usr/lib/iotshaper/iotshaper-tools.js': '-rw-r--r--',
    '/usr/lib/iotshaper/iotshaper.js': '-rw-r--r--',
    '/usr/lib/lua/luci/i18n/iotshaper.de.lmo': '-rw-r--r--',
    '/usr/share/luci/menu.d/luci-app-iotshaper.json': '-rw-r--r--',
    '/usr/share/nftables.d/ruleset-post/iotshaper.nft': '-rw-r--r--',
    '/usr/share/rpcd/acl.d/luci-app-iotshaper.json': '-rw-r--r--',
    ...Object.fromEntries(
      ['luci-app/htdocs', 'dist/htdocs']
        .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }))
        .filter((name) => /\.\w+$/.test(name))
        .map((name) => [`/www/${name}`, '-rw-r--r--']),
    ),
  };
  t.deepEqual(
    Object.fromEntries([...files].filter(([path]) => !isShared(path)).sort()),
    Object.fromEntries(Object.entries(expected).sort()),
  );
  for (const { path, mode } of listed.filter((one) => one.path.endsWith('/')))
    t.is(mode, path === './etc/iotshaper/' ? 'drwx------' : 'drwxr-xr-x', path);
});

test('names itself and what it needs', (t) => {
  const ipk = ipkOf(t);
  const control = readTar(readTar(ipk, './control.tar.gz'), './control').toString();
  const fields = new Map(
    [...control.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name, value]),
  );
  t.is(fields.get('Package'), 'iot-shaper');
  t.is(fields.get('Version'), `${version}-r1`);
  t.is(fields.get('Architecture'), 'all');
  t.is(fields.get('License'), 'Apache-2.0');
  t.is(fields.get('SourceDateEpoch'), `${DATE}`);
  t.is(
    Number(fields.get('Installed-Size')),
    Number(
      execFileSync('sh', ['-c', 'gzip -dc | wc -c'], { input: readTar(ipk, './data.tar.gz') }),
    ),
  );
  const depends = fields.get('Depends')!.split(', ');
  for (const name of [
    'node',
    'openvpn-openssl',
    'socat',
    'firewall4',
    'nftables-json',
    'kmod-tun',
    'kmod-veth',
    'kmod-nft-netdev',
    'kmod-sched-core',
    'tc',
    'ip',
  ]) {
    t.true(depends.includes(name), name);
  }
  for (const name of depends) t.regex(name, /^[a-z0-9][a-z0-9.+-]+$/);
  t.is(
    readTar(readTar(ipk, './control.tar.gz'), './conffiles').toString(),
    '/etc/config/iotshaper\n',
  );
});

test('every script is one that dash and shellcheck take', (t) => {
  const folder = temporaryFolder(t);
  const ipk = ipkOf(t);
  unpackTar(readTar(ipk, './control.tar.gz'), folder);
  const modes = listTar(readTar(ipk, './control.tar.gz'));
  const scripts = ['preinst', 'postinst', 'postinst-pkg', 'postrm', 'prerm', 'prerm-pkg'];
  t.deepEqual(
    modes.filter(({ mode }) => mode === '-rwxr-xr-x').map(({ path }) => path),
    scripts.map((name) => `./${name}`),
  );
  const paths = [
    ...scripts.map((name) => join(folder, name)),
    'files/etc/hotplug.d/ntp/90-iotshaper',
    'files/etc/init.d/iotshaper',
    'files/etc/init.d/iotshaper-boot',
    'files/etc/uci-defaults/90-iotshaper',
    'files/usr/bin/iotshaper',
    'files/usr/share/iotshaper/firewall-zone',
    'openwrt/iot-shaper/test.sh',
  ];
  for (const path of paths) t.is(spawnSync('dash', ['-n', path]).status, 0, path);
  const { stdout, status, error } = spawnSync('shellcheck', ['-e', 'SC1091', ...paths], {
    encoding: 'utf8',
  });
  t.is(error, undefined, 'apt-get install shellcheck');
  t.is(status, 0, stdout);
});

/** What only the lab says: its namespaces, what it writes, a host its emulated devices call. */
const ofTheLab = ['iotlab-', 'delays.csv', 'sense-in.hello.is'];

test('nothing of the lab is in it', (t) => {
  const data = readTar(ipkOf(t), './data.tar.gz');
  const research = readFileSync('dist/iotshaper-research.js', 'utf8');
  const programs = listTar(data).filter(({ path }) => /\/iotshaper\/.*\.js$/.test(path));
  t.true(programs.length > 4);
  for (const words of ofTheLab) {
    t.true(research.includes(words), words);
    for (const { path } of programs)
      t.false(readTar(data, path).toString().includes(words), `${path}: ${words}`);
  }
});

test('the program in it runs, takes the configuration in it and says what is elsewhere', (t) => {
  const root = temporaryFolder(t);
  unpackTar(readTar(ipkOf(t), './data.tar.gz'), root);
  const program = join(root, 'usr/lib/iotshaper/iotshaper.js');
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
  t.is(run('--version').stdout, `${version}\n`);
  t.regex(run('check', join(root, 'etc/config/iotshaper')).stdout, /valid/);
  const help = run('--help').stdout;
  for (const word of ['run', 'status', 'check', 'print', 'cost', 'audit', 'recommend'])
    t.regex(help, new RegExp(`^  ${word}\\b`, 'm'));
  t.notRegex(help, /^ {2}(endpoint|lab|attack|simulate)\b/m);
  t.regex(run('audit', '--help').stdout, /^Usage: iotshaper audit/);
  for (const [word, said] of [
    ['lab', /^iotshaper: lab is for research and not installed here: .*\n$/],
    ['simulate', /^iotshaper: simulate is for research/],
    ['endpoint', /^iotshaper: endpoint is for a server: install the package iot-shaper-endpoint/],
  ] as const) {
    const { status, stdout, stderr } = run(word);
    t.deepEqual([status, stdout], [1, '']);
    t.regex(stderr, said);
  }
});

/** A module's names and text, as LuCI's own `require` reads the words at its top (luci.js). */
function readPage(source: string): { required: string[]; load: (...given: unknown[]) => unknown } {
  const top = /^(?:"(?:use strict|require [^"]+)";)*/.exec(source)![0];
  const required = [...top.matchAll(/"require (\S+?)(?: as (\w+))?";/g)];
  const names = required.map(([, name, alias]) => alias ?? name!);
  return {
    required: required.map(([, name]) => name!),
    load: new Function('window', 'document', 'L', '_', 'E', ...names, source) as never,
  };
}

test('the page’s scripts are small, and LuCI finds what each requires', (t) => {
  const data = readTar(ipkOf(t), './data.tar.gz');
  const scripts = readdirSync('luci-app/htdocs', { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.js'),
  );
  for (const name of scripts) {
    const source = readFileSync(join('luci-app/htdocs', name), 'utf8');
    const packed = readTar(data, `./www/${name}`).toString();
    const required = [...source.matchAll(/^'require (\S+?)(?: as \w+)?';$/gm)].map(
      ([, one]) => one,
    );
    t.deepEqual(readPage(packed).required, required as string[], name);
    t.true(packed.length < source.length, name);
  }
  const makers = './www/luci-static/resources/iotshaper/makers.js';
  const { load } = readPage(readTar(data, makers).toString());
  const page = load(null, null, null, null, null, { extend: (api: object) => api }) as {
    find(mac: string): string;
  };
  t.is(page.find('18:b4:30:00:00:01'), 'Nest');
});

/** What the service keeps, and the profile, which is the user's. */
const KEPT = [
  ...['boot.nft', 'followed.json', 'home.ovpn', 'last-good', 'last-good.ovpn', 'networks.json'],
];

/** Runs a script of the package among stand-ins for what it calls; returns the calls. */
function runScript(
  t: ExecutionContext,
  name: string,
  argv: string[],
  env: Record<string, string>,
): string[] {
  const folder = temporaryFolder(t);
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'iotshaper'));
  for (const file of KEPT) writeFileSync(join(folder, 'iotshaper', file), '');
  for (const command of ['fw4', 'rpcd', 'firewall-zone', 'reload_config', 'service']) {
    writeFileSync(join(folder, 'bin', command), `#!/bin/sh\necho "${command} $*" >> "${log}"\n`);
    chmodSync(join(folder, 'bin', command), 0o755);
  }
  const text = readTar(readTar(ipkOf(t), './control.tar.gz'), `./${name}`)
    .toString()
    .replaceAll('/etc/init.d/rpcd', 'rpcd')
    .replaceAll('/etc/init.d/iotshaper', join(folder, 'bin/service'))
    .replaceAll('/usr/share/iotshaper/firewall-zone', 'firewall-zone')
    .replaceAll('/etc/iotshaper', join(folder, 'iotshaper'))
    .replaceAll('/tmp/luci-modulecache/', join(folder, 'cache/'));
  const { status, stderr } = spawnSync('dash', ['-s', '--', ...argv], {
    input: text,
    encoding: 'utf8',
    env: { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, ...env },
  });
  t.is(status, 0, stderr);
  return [
    ...readFileSync(log, 'utf8').trimEnd().split('\n').filter(Boolean),
    ...readdirSync(join(folder, 'iotshaper')).sort(),
  ];
}

test('after installation the firewall, the page’s rights and what configuration there is are read anew', (t) => {
  t.deepEqual(runScript(t, 'postinst-pkg', ['configure'], {}), [
    'rpcd reload',
    'firewall-zone add',
    'fw4 -q reload',
    'reload_config',
    ...KEPT,
  ]);
  t.deepEqual(
    runScript(t, 'postinst-pkg', ['configure'], { IPKG_INSTROOT: '/image' }),
    KEPT,
    'an image is being built',
  );
});

test('removal takes what the service kept, but not the user’s profile; an upgrade takes nothing', (t) => {
  t.deepEqual(runScript(t, 'postrm', ['remove'], { PKG_UPGRADE: '0' }), [
    'rpcd reload',
    'fw4 -q reload',
    'home.ovpn',
  ]);
  t.deepEqual(runScript(t, 'postrm', ['upgrade', '9'], { PKG_UPGRADE: '0' }), KEPT);
  t.deepEqual(runScript(t, 'postrm', [], { PKG_UPGRADE: '1' }), KEPT);
  t.deepEqual(runScript(t, 'postrm', ['remove'], { IPKG_INSTROOT: '/image' }), KEPT);
});

test('before removal the firewall is as it was; before an upgrade it stays', (t) => {
  const removal = runScript(t, 'prerm-pkg', ['remove'], { PKG_UPGRADE: '0' });
  t.deepEqual(removal, ['firewall-zone remove', ...KEPT]);
  t.deepEqual(runScript(t, 'prerm-pkg', ['upgrade', '9'], { PKG_UPGRADE: '0' }), KEPT);
  t.deepEqual(runScript(t, 'prerm-pkg', [], { PKG_UPGRADE: '1' }), KEPT);
  t.deepEqual(runScript(t, 'prerm-pkg', ['remove'], { IPKG_INSTROOT: '/image' }), KEPT);
});

test('before apk replaces its files the service is stopped, as opkg does it by itself', (t) => {
  t.deepEqual(runScript(t, 'preinst', [], { PKG_UPGRADE: '1' }), ['service stop', ...KEPT]);
  t.deepEqual(runScript(t, 'preinst', ['install'], { PKG_UPGRADE: '0' }), KEPT);
  t.deepEqual(runScript(t, 'preinst', [], { PKG_UPGRADE: '1', IPKG_INSTROOT: '/image' }), KEPT);
});
