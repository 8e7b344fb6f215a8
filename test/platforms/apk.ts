// The router's package for apk beside what real apk-tools make of the same files, and in their hands: verified, installed from
// a feed, upgraded, removed. Run as root after `make build`: node build/test/platforms/apk.js APK, apk-tools 3's program.
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inflateRawSync } from 'node:zlib';
import { type ApkFile, readApk } from '../package/adb-reader.ts';
import { Report } from './report.ts';

const [apk] = process.argv.slice(2);
if (!apk || !existsSync(apk)) {
  console.error('usage: make evaluate-apk APK=FILE, the program of apk-tools 3');
  process.exit(2);
}

const load = (name: string) => import(pathToFileURL(resolve(`scripts/${name}.mjs`)).href);
const { buildApk } = await load('apk');
const { packApk, packIndex } = await load('apk-format');
const { publicKeyOf } = await load('adb');
const { readRecipe } = await load('recipe');

interface Built {
  name: string;
  bytes: Buffer;
}

const report = new Report();
const work = mkdtempSync(join(tmpdir(), 'iotshaper-apk-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** What apk prints, and whether it was content. */
function run(argv: readonly string[], env = {}): { isContent: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(apk!, argv, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { isContent: status === 0, said: `${stdout}${stderr}` };
}

function write(path: string, data: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  chmodSync(path, mode);
}

/** The same files and words, packed by apk itself. */
function packByApk(ours: ApkFile): Buffer {
  const tree = join(work, 'tree');
  for (const { path, mode } of ours.folders) {
    mkdirSync(join(tree, path), { recursive: true });
    chmodSync(join(tree, path), mode);
  }
  for (const { path, mode, bytes } of ours.files) write(join(tree, path), bytes, mode);
  const words = [...ours.info]
    .filter(([name]) => name !== 'hashes' && name !== 'installed-size')
    .flatMap(([name, value]) => ['--info', `${name}:${[value].flat().join(' ')}`]);
  const scripts = [...ours.scripts].flatMap(([name, text]) => {
    write(join(work, 'scripts', name), text);
    return ['--script', `${name}:${join(work, 'scripts', name)}`];
  });
  const target = join(work, 'theirs.apk');
  const output = ['--no-xattrs', '--files', tree, '--output', target];
  const { isContent, said } = run(['mkpkg', ...words, ...scripts, ...output], {
    SOURCE_DATE_EPOCH: `${ours.files[0]!.seconds}`,
  });
  if (!isContent) throw new Error(said);
  return readFileSync(target);
}

/** Tells whether apk says the same of both. */
function compare(what: string, ...both: readonly [string, string]): void {
  // Where values stand, and so the block's size, is nobody's business.
  const [ours = [], theirs = []] = both.map((path) =>
    run(['adbdump', path])
      .said.split('\n')
      .filter((line) => !line.startsWith('# ADB block')),
  );
  const other = ours.findIndex((line, index) => line !== theirs[index]);
  report.tell(other === -1 && ours.length === theirs.length, what, ours[other]);
}

/** What a script of OpenWrt's calls, each a stand-in that writes down how. */
const CALLED = [
  ...['sbin/fw4', 'sbin/reload_config', 'sbin/uci'],
  ...['etc/init.d/rpcd', 'lib/functions.sh'],
];
const FUNCTIONS = `add_group_and_user() { :; }
default_postinst() { echo "default_postinst $pkgname upgrade=$PKG_UPGRADE" >>/calls; }
default_prerm() { echo "default_prerm $pkgname" >>/calls; }
`;

/** A root with a shell, OpenWrt's functions as stand-ins, and what the package wants as a package of nothing. */
function makeRoot(name: string): string {
  const root = join(work, name);
  for (const program of ['sh', 'cat', 'rm', 'rmdir', 'mkdir', 'ls']) {
    const source = realpathSync(
      execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(),
    );
    const libraries = execFileSync('ldd', [source], { encoding: 'utf8' });
    for (const [, library] of libraries.matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(root, dirname(library!)), { recursive: true });
      copyFileSync(library!, join(root, library!));
    }
    mkdirSync(join(root, 'bin'), { recursive: true });
    copyFileSync(source, join(root, 'bin', program));
  }
  for (const path of CALLED) {
    const text = `#!/bin/sh\necho "${path} $*" >>/calls\n[ "$1" != -q ]\n`;
    write(join(root, path), path.endsWith('functions.sh') ? FUNCTIONS : text, 0o755);
  }
  mkdirSync(join(root, 'tmp'));
  mkdirSync(join(root, 'dev'));
  write(join(root, 'dev/null'), '');
  return root;
}

/** Every path below a folder but apk's own. */
function list(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/^(calls|lib\/apk|etc\/apk|usr\/lib\/apk|var|dev|proc|tmp)(\/|$)/.test(path))
    .sort();
}

const recipe = readRecipe();
const newer: Built = buildApk();
const ours = readApk(newer.bytes);
const file = join(work, newer.name);
write(file, newer.bytes);

const theirs = packByApk(ours);
const isSame = inflateRawSync(theirs.subarray(4)).equals(inflateRawSync(newer.bytes.subarray(4)));
report.tell(isSame, 'unpacked, the package is the bytes that "apk mkpkg" makes of its files');
compare('"apk adbdump" says the same of both', file, join(work, 'theirs.apk'));
write(join(work, 'ours.adb'), packIndex([newer]));
run(['mkndx', '--allow-untrusted', '--output', join(work, 'theirs.adb'), file]);
compare(
  'and of our index and that of "apk mkndx"',
  join(work, 'ours.adb'),
  join(work, 'theirs.adb'),
);
const verified = run(['verify', '--allow-untrusted', file]);
report.tell(verified.isContent, '"apk verify" finds every file whole', verified.said);

// A feed, first with an older version, and what the package wants.
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
const older: Built = buildApk({ ...recipe, version: recipe.version.replace(/-r1$/, '-r0') });
const wanted = packApk(
  {
    ...{ name: 'wanted', version: '1-r0', description: 'nothing', arch: 'noarch' },
    ...{ license: 'Apache-2.0', depends: [] },
    provides: recipe.depends.map((name: string) => `${name}=1-r0`),
  },
  {},
  [],
  0,
);
const feed = join(work, 'feed');
function serve(packages: readonly Built[], keyText?: string): void {
  rmSync(feed, { recursive: true, force: true });
  for (const { name, bytes } of packages) write(join(feed, name), bytes);
  write(join(feed, 'packages.adb'), packIndex(packages, keyText));
}

const dependencies = { ...wanted, name: 'wanted-1-r0.apk' };
const alone = makeRoot('alone');
write(join(work, dependencies.name), dependencies.bytes);
const add = (root: string, ...words: string[]) =>
  run(['--root', root, '--initdb', '--no-cache', 'add', ...words]);
const refused = add(alone, file, join(work, dependencies.name));
report.tell(
  !refused.isContent && /UNTRUSTED/.test(refused.said),
  'a package that nobody signed is not installed unasked',
  refused.said,
);
const allowed = add(alone, '--allow-untrusted', file, join(work, dependencies.name));
report.tell(allowed.isContent, 'with --allow-untrusted it is', allowed.said);

const root = makeRoot('root');
const before = list(root);
write(join(root, 'etc/apk/repositories.d/customfeeds.list'), `${feed}/packages.adb\n`);
serve([older, dependencies], key);
const distrusted = add(root, 'iot-shaper');
report.tell(!distrusted.isContent, 'a feed is not trusted without its key', distrusted.said);
write(join(root, 'etc/apk/keys/iot-shaper.pem'), publicKeyOf(key));
const installed = add(root, 'iot-shaper');
report.tell(installed.isContent, 'with it the package is installed from there', installed.said);
const missing = ours.files.filter(
  ({ path, bytes }) =>
    !existsSync(join(root, path)) || !readFileSync(join(root, path)).equals(bytes),
);
report.tell(
  missing.length === 0,
  'every file is in its place',
  missing.map(({ path }) => path),
);
const calls = () => readFileSync(join(root, 'calls'), 'utf8');
report.tell(
  /^default_postinst iot-shaper upgrade=\n/.test(calls()) && /reload_config/.test(calls()),
  'OpenWrt’s own part of the installation is done before ours',
  calls(),
);

const settings = join(root, 'etc/config/iotshaper');
writeFileSync(settings, "config iotshaper 'main'\n\toption rate '40'\n");
write(join(root, 'etc/iotshaper/home.ovpn'), 'a profile\n', 0o600);
write(join(root, 'calls'), '');
serve([newer, dependencies], key);
const upgraded = run(['--root', root, '--no-cache', 'upgrade']);
report.tell(
  upgraded.isContent &&
    upgraded.said.includes(`${recipe.version.slice(0, -1)}0 -> ${recipe.version}`),
  'it is upgraded from there',
  upgraded.said,
);
report.tell(
  readFileSync(settings, 'utf8').includes('40') &&
    existsSync(join(root, 'etc/iotshaper/home.ovpn')),
  'settings and profile stay',
);
report.tell(
  /default_postinst iot-shaper upgrade=1/.test(calls()) && !/default_prerm/.test(calls()),
  'and that it is an upgrade is known to OpenWrt’s part',
  calls(),
);

rmSync(join(root, 'etc/iotshaper/home.ovpn'));
writeFileSync(settings, ours.files.find(({ path }) => path === 'etc/config/iotshaper')!.bytes);
const removed = run(['--root', root, '--no-cache', 'del', 'iot-shaper']);
report.tell(removed.isContent, 'it is removed', removed.said);
const left = list(root).filter((path) => !before.includes(path));
report.tell(left.length === 0, 'nothing of it is left', left);
const packages = existsSync(join(root, 'lib/apk/packages'))
  ? readdirSync(join(root, 'lib/apk/packages'))
  : [];
report.tell(packages.length === 0, 'nor of its lists', packages);
report.end(run(['--version']).said.trim());
