// The packages for Debian, as dpkg and systemd read them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { build, temporaryFolder } from './archive.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const kinds = ['common', 'endpoint', 'home'] as const;
type Kind = (typeof kinds)[number];

/** Rights above which a service has more than it can be seen to need, in systemd's own count. */
const MOST_EXPOSED: Readonly<Record<string, string>> = {
  'iotshaper-endpoint.service': '30',
  'iotshaper.service': '35',
};

const nameOf = (kind: Kind) => `iot-shaper-${kind}_${version}_all.deb`;

/** All packages, built once. */
const built = mkdtempSync(join(tmpdir(), 'iotshaper-deb-'));
test.before(() => {
  build('deb', built);
});
test.after.always(() => rmSync(built, { recursive: true, force: true }));
const debOf = (kind: Kind): string => join(built, nameOf(kind));

const fieldOf = (deb: string, name: string) =>
  execFileSync('dpkg-deb', ['-f', deb, name], { encoding: 'utf8' }).trim();

function unpack(t: ExecutionContext, ...some: readonly Kind[]): string {
  const root = temporaryFolder(t);
  for (const kind of some) execFileSync('dpkg-deb', ['-x', debOf(kind), root]);
  return root;
}

/** Mode and path of each file, and of folders that are not everybody's. */
function listed(t: ExecutionContext, kind: Kind): string[] {
  const text = execFileSync('dpkg-deb', ['-c', debOf(kind)], { encoding: 'utf8' });
  const entries = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/\s+/) as [string, string, string, string, string, string]);
  for (const [, owner, , , , path] of entries) t.is(owner, 'root/root', path);
  return entries
    .filter(([mode, , , , , path]) => !path.endsWith('/') || mode !== 'drwxr-xr-x')
    .map(([mode, , , , , path]) => `${mode} ${path}`);
}

test('are the same bytes at every build', (t) => {
  const again = temporaryFolder(t);
  build('deb', again);
  t.deepEqual(readdirSync(again), kinds.map(nameOf));
  for (const kind of kinds) {
    t.true(readFileSync(debOf(kind)).equals(readFileSync(join(again, nameOf(kind)))), kind);
  }
});

test('dpkg reads their fields', (t) => {
  const depends = {
    common: 'nodejs (>= 20.19) | npm, openvpn (>= 2.6), nftables, iproute2, socat, conntrack',
    endpoint: `iot-shaper-common (= ${version}), dnsmasq-base, openssl, init-system-helpers`,
    home: `iot-shaper-common (= ${version}), iputils-ping, tcpdump, openssl, init-system-helpers`,
  };
  for (const kind of kinds) {
    const deb = debOf(kind);
    t.is(fieldOf(deb, 'Package'), `iot-shaper-${kind}`);
    t.is(fieldOf(deb, 'Version'), version);
    t.is(fieldOf(deb, 'Architecture'), 'all');
    t.is(fieldOf(deb, 'Depends'), depends[kind]);
    t.regex(fieldOf(deb, 'Installed-Size'), /^\d{1,4}$/);
    t.notRegex(fieldOf(deb, 'Description'), /NODE-VERSION/);
  }
});

test('hold program, wrapper and units, root’s throughout', (t) => {
  const isShared = (line: string) => /\/iotshaper\/shared\/[0-9A-Z]{8}\.js$/.test(line);
  const common = listed(t, 'common');
  t.true(common.some((line) => isShared(line) && line.startsWith('-rw-r--r-- ')));
  t.deepEqual(
    common.filter((line) => !isShared(line)),
    [
      '-rwxr-xr-x ./usr/bin/iotshaper',
      '-rw-r--r-- ./usr/lib/iotshaper/LICENSES',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-cli.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-debian.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-home.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-tools.js',
      '-rw-r--r-- ./usr/lib/iotshaper/iotshaper.js',
      '-rw-r--r-- ./usr/share/bash-completion/completions/iotshaper',
      '-rw-r--r-- ./usr/share/doc/iot-shaper-common/copyright',
      '-rw-r--r-- ./usr/share/man/man8/iotshaper.8.gz',
    ],
  );
  t.deepEqual(listed(t, 'endpoint'), [
    'drwx------ ./etc/iotshaper/',
    '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-endpoint.js',
    '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-fleet.js',
    '-rw-r--r-- ./usr/lib/systemd/system/iotshaper-endpoint.path',
    '-rw-r--r-- ./usr/lib/systemd/system/iotshaper-endpoint.service',
    '-rw-r--r-- ./usr/share/doc/iot-shaper-endpoint/LICENSES',
    '-rw-r--r-- ./usr/share/doc/iot-shaper-endpoint/copyright',
    '-rw-r--r-- ./usr/share/doc/iot-shaper-endpoint/openapi.json',
  ]);
  t.deepEqual(listed(t, 'home'), [
    'drwx------ ./etc/iotshaper/',
    '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-page.js',
    '-rw-r--r-- ./usr/lib/iotshaper/iotshaper-web.js',
    '-rwxr-xr-x ./usr/lib/iotshaper/stay-shut',
    '-rw-r--r-- ./usr/lib/systemd/system/iotshaper-boot.service',
    '-rw-r--r-- ./usr/lib/systemd/system/iotshaper.service',
    '-rw-r--r-- ./usr/share/doc/iot-shaper-home/copyright',
    '-rw-r--r-- ./usr/share/iotshaper/iotshaper',
    '-rw-r--r-- ./usr/share/iotshaper/page/acl.json',
    '-rw-r--r-- ./usr/share/iotshaper/page/frame.css',
    '-rw-r--r-- ./usr/share/iotshaper/page/login.js',
    '-rw-r--r-- ./usr/share/iotshaper/page/menu.json',
    '-rw-r--r-- ./usr/share/iotshaper/page/page.css',
    '-rw-r--r-- ./usr/share/iotshaper/page/page.js',
    '-rw-r--r-- ./usr/share/iotshaper/page/words.de.js',
  ]);
});

test('the endpoint’s has the licences of what it has bundled for a fleet', (t) => {
  const root = unpack(t, 'endpoint');
  const text = readFileSync(join(root, 'usr/share/doc/iot-shaper-endpoint/LICENSES'), 'utf8');
  const program = readFileSync(join(root, 'usr/lib/iotshaper/iotshaper-fleet.js'), 'utf8');
  t.true(program.length > 100_000 && program.length < 300_000, `${program.length} letters`);
  const titles = [...text.matchAll(/^---- (\S+) [\d.]+: (\S+)$/gm)].map(([, name]) => name);
  for (const name of ['pg', 'pg-types', 'pgpass', 'prom-client', '@opentelemetry/api']) {
    t.true(titles.includes(name), name);
  }
  t.regex(text, /Permission is hereby granted, free of charge[\s\S]*Apache License/);
  // The router's, and the common package's, have none of it.
  const common = readFileSync(join(unpack(t, 'common'), 'usr/lib/iotshaper/LICENSES'), 'utf8');
  t.notRegex(common, /^---- (?:pg|prom-client)/m);
});

test('their digests are those of their files, their scripts clean', (t) => {
  const scripts: string[] = ['files/debian-home/stay-shut'];
  for (const kind of kinds) {
    const control = temporaryFolder(t);
    execFileSync('dpkg-deb', ['-e', debOf(kind), control]);
    const argv = ['--check', '--quiet', join(control, 'md5sums')];
    const cwd = unpack(t, kind);
    const { status, stderr } = spawnSync('md5sum', argv, { cwd, encoding: 'utf8' });
    t.is(status, 0, stderr);
    const own = readdirSync(control).filter((name) => !['control', 'md5sums'].includes(name));
    t.deepEqual(own.sort(), kind === 'common' ? [] : ['postinst', 'postrm', 'preinst', 'prerm']);
    scripts.push(...own.map((name) => join(control, name)));
  }
  const checked = spawnSync('shellcheck', scripts, { encoding: 'utf8' });
  t.is(checked.error, undefined, 'apt-get install shellcheck');
  t.is(checked.status, 0, checked.stdout);
});

test('each role refuses a machine that has the other, and says what to type', (t) => {
  for (const [kind, other] of [
    ['endpoint', 'home'],
    ['home', 'endpoint'],
  ] as const) {
    const control = temporaryFolder(t);
    execFileSync('dpkg-deb', ['-e', debOf(kind), control]);
    const run = (state: string) => {
      const bin = temporaryFolder(t);
      writeFileSync(
        join(bin, 'dpkg-query'),
        `#!/bin/sh\necho "$3" >${bin}/asked\nprintf ${state}\n`,
        {
          mode: 0o755,
        },
      );
      const env = { PATH: `${bin}:/usr/bin:/bin` };
      const ended = spawnSync('sh', [join(control, 'preinst'), 'install'], {
        env,
        encoding: 'utf8',
      });
      t.is(readFileSync(join(bin, 'asked'), 'utf8'), `iot-shaper-${other}\n`);
      return ended;
    };
    for (const state of ['installed', 'half-configured', 'unpacked', 'triggers-pending']) {
      const { status, stderr } = run(state);
      t.is(status, 1, state);
      t.regex(stderr, new RegExp(`^This machine is .* apt remove iot-shaper-${other}\n$`));
    }
    for (const state of ['not-installed', 'config-files']) t.is(run(state).status, 0, state);
  }
});

test('systemd takes the units and finds the services well enclosed', (t) => {
  const root = unpack(t, 'endpoint', 'home');
  const folder = join(root, 'usr/lib/systemd/system');
  const units = readdirSync(folder).map((name) => join(folder, name));
  t.is(units.length, 4);
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], {
    encoding: 'utf8',
  });
  t.is(verified.error, undefined, 'apt-get install systemd');
  // On a machine without the packages their programs are missing, which is not the units' fault.
  const complaints = verified.stderr
    .split('\n')
    .filter((line) => line !== '' && !/\/iotshaper(\/stay-shut)? is not executable/.test(line));
  t.deepEqual(complaints, []);
  for (const [unit, threshold] of Object.entries(MOST_EXPOSED)) {
    const argv = ['security', '--offline=true', `--threshold=${threshold}`, join(folder, unit)];
    const security = spawnSync('systemd-analyze', argv, { encoding: 'utf8' });
    t.is(security.status, 0, security.stdout);
    t.true(security.stdout.includes(`Overall exposure level for ${unit}: `));
  }
});

for (const [said, isShut] of [
  ['stopping:', true],
  ['running:17 iotshaper.service restart running', true],
  ['degraded:17 iotshaper.service restart running', true],
  ['running:17 iotshaper.service stop running', false],
  ['running:', false],
] as const) {
  test(`a service that ends while systemd says "${said}" ${isShut ? 'leaves devices cut off' : 'lets devices out'}`, (t) => {
    const bin = temporaryFolder(t);
    const [state, job] = said.split(':');
    const answer = `case $1 in is-*) echo '${state}' ;; *) echo '${job}' ;; esac`;
    writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    const run = temporaryFolder(t);
    const env = { RUNTIME_DIRECTORY: run, PATH: `${bin}:/usr/bin:/bin` };
    execFileSync('sh', ['files/debian-home/stay-shut'], { env });
    t.deepEqual(readdirSync(run), isShut ? ['stay-shut'] : []);
  });
}

test('research is a package of its own that adds its commands to the endpoint’s', (t) => {
  const folder = temporaryFolder(t);
  const deb = join(folder, `iot-shaper-research_${version}_all.deb`);
  build('deb', folder, 'research');
  t.deepEqual(readdirSync(folder), [`iot-shaper-research_${version}_all.deb`]);
  t.is(fieldOf(deb, 'Version'), version);
  t.is(fieldOf(deb, 'Depends'), `iot-shaper-endpoint (= ${version})`);

  const root = unpack(t, 'common', 'endpoint');
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
