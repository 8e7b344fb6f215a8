// The endpoint's package, as dpkg and systemd read it.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { build, temporaryFolder } from './archive.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

let built: Buffer | undefined;

/** The package in a folder that goes with the test; built once. */
function debOf(t: ExecutionContext): string {
  built ??= readFileSync(buildDeb(t));
  const path = join(temporaryFolder(t), 'package.deb');
  writeFileSync(path, built);
  return path;
}

function buildDeb(t: ExecutionContext): string {
  const folder = temporaryFolder(t);
  build('deb', folder);
  t.deepEqual(readdirSync(folder), [`iot-shaper-endpoint_${version}_all.deb`]);
  return join(folder, `iot-shaper-endpoint_${version}_all.deb`);
}

function unpack(t: ExecutionContext): string {
  const root = temporaryFolder(t);
  execFileSync('dpkg-deb', ['-x', debOf(t), root]);
  return root;
}

test('is the same bytes at every build', (t) => {
  t.true(readFileSync(buildDeb(t)).equals(readFileSync(buildDeb(t))));
});

test('dpkg reads its fields', (t) => {
  const deb = debOf(t);
  const field = (name: string) =>
    execFileSync('dpkg-deb', ['-f', deb, name], { encoding: 'utf8' }).trim();
  t.is(field('Package'), 'iot-shaper-endpoint');
  t.is(field('Version'), version);
  t.is(field('Architecture'), 'all');
  t.is(
    field('Depends'),
    'nodejs (>= 20) | npm, openvpn (>= 2.6), nftables, iproute2, socat, dnsmasq-base, openssl, conntrack, init-system-helpers',
  );
  t.regex(field('Installed-Size'), /^\d{3,4}$/);
});

test('holds program, wrapper and units, root’s throughout', (t) => {
  const listed = execFileSync('dpkg-deb', ['-c', debOf(t)], { encoding: 'utf8' });
  const entries = listed
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/) as [string, string, string, string, string, string]);
  for (const [, owner, , , , path] of entries) t.is(owner, 'root/root', path);
  const files = entries.filter(
    ([, , , , , path]) => !path.endsWith('/') || path === './etc/iotshaper/',
  );
  const isShared = (path: string) => /\/iotshaper\/shared\/[0-9A-Z]{8}\.js$/.test(path);
  t.true(files.some(([mode, , , , , path]) => isShared(path) && mode === '-rw-r--r--'));
  t.deepEqual(
    files
      .filter(([, , , , , path]) => !isShared(path))
      .map(([mode, , , , , path]) => `${mode} ${path}`),
    [
      'drwx------ ./etc/iotshaper/',
      '-rwxr-xr-x ./usr/bin/iotshaper',
      '-rw-r--r-- ./usr/lib/iotshaper/LICENSES',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-cli.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-endpoint.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-home.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-tools.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper.js',
      '-rw-r--r-- ./usr/lib/systemd/system/iotshaper-endpoint.path',
      '-rw-r--r-- ./usr/lib/systemd/system/iotshaper-endpoint.service',
      '-rw-r--r-- ./usr/share/bash-completion/completions/iotshaper',
      '-rw-r--r-- ./usr/share/doc/iot-shaper-endpoint/copyright',
      '-rw-r--r-- ./usr/share/man/man8/iotshaper.8.gz',
    ],
  );
});

test('its digests are those of its files, its scripts clean', (t) => {
  const root = unpack(t);
  const control = temporaryFolder(t);
  execFileSync('dpkg-deb', ['-e', debOf(t), control]);
  const { status, stderr } = spawnSync('md5sum', ['--check', '--quiet', join(control, 'md5sums')], {
    cwd: root,
    encoding: 'utf8',
  });
  t.is(status, 0, stderr);
  const scripts = ['postinst', 'postrm', 'prerm'].map((name) => join(control, name));
  const checked = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  t.is(checked.error, undefined, 'apt-get install shellcheck');
  t.is(checked.status, 0, checked.stdout);
});

test('systemd takes the units and finds the service well enclosed', (t) => {
  const root = unpack(t);
  const units = ['service', 'path'].map((kind) =>
    join(root, `usr/lib/systemd/system/iotshaper-endpoint.${kind}`),
  );
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], {
    encoding: 'utf8',
  });
  t.is(verified.error, undefined, 'apt-get install systemd');
  // On a machine without the package its program is missing, which is not the unit's fault.
  const complaints = verified.stderr
    .split('\n')
    .filter((line) => line !== '' && !line.includes('/usr/bin/iotshaper is not executable'));
  t.deepEqual(complaints, []);
  const security = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--threshold=30', units[0]!],
    { encoding: 'utf8' },
  );
  t.is(security.status, 0, security.stdout);
  t.regex(
    security.stdout,
    /Overall exposure level for iotshaper-endpoint.service: (?:[0-2]\.\d|3\.0) OK/,
  );
});

test('research is a package of its own that adds its commands to the endpoint’s', (t) => {
  const folder = temporaryFolder(t);
  const deb = join(folder, `iot-shaper-research_${version}_all.deb`);
  build('deb', folder, 'research');
  t.deepEqual(readdirSync(folder), [`iot-shaper-research_${version}_all.deb`]);
  const field = (name: string) =>
    execFileSync('dpkg-deb', ['-f', deb, name], { encoding: 'utf8' }).trim();
  t.is(field('Version'), version);
  t.is(field('Depends'), `iot-shaper-endpoint (= ${version})`);

  const root = unpack(t);
  const program = join(root, 'usr/lib/iotshaper/iotshaper.js');
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
  const plan = ['lab', 'plan', '--device', 'echo', '--seconds', '5'];
  t.regex(run(...plan).stderr, /^iotshaper: lab is for research and not installed here/);
  const before = readdirSync(join(root, 'usr/lib/iotshaper'));
  execFileSync('dpkg-deb', ['-x', deb, root]);
  t.deepEqual(
    readdirSync(join(root, 'usr/lib/iotshaper')).filter((name) => !before.includes(name)),
    ['iotshaper-research.js', 'vendors.txt'],
  );
  t.regex(run(...plan).stdout, /^time,size,direction\n/);
  t.regex(run('endpoint', '--help').stdout, /^Usage: iotshaper endpoint/);
});
