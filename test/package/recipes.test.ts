// The recipes for OpenWrt's SDK and LuCI's feed, built on stand-ins of both: together they install what our own packages hold.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { build, listTar, readTar, temporaryFolder } from './archive.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** What the folder holds, as mode, path and size of each, the sizes of the page's scripts left out: LuCI's feed shrinks them its own way. */
function pathsAndModes(bytes: Buffer): string[] {
  return listTar(bytes)
    .filter(({ path }) => path !== './')
    .map(({ path, mode, size }) => `${mode} ${path} ${path.startsWith('./www/') ? '' : size}`)
    .sort();
}

/** Writes the feed of recipes elsewhere, and has make build one of them on the stand-ins. */
function makeFeed(t: ExecutionContext, env: Record<string, string> = {}) {
  const folder = temporaryFolder(t);
  const feed = join(folder, 'feed');
  const out = join(folder, 'out');
  mkdirSync(out);
  execFileSync(process.execPath, [resolve('scripts/dist.mjs'), feed], {
    env: { ...process.env, ...env },
  });
  const make = (name: string, ...more: string[]) =>
    execFileSync(
      'make',
      [
        ...['-s', '-C', join(feed, name), 'all', `OUT=${out}`, ...more],
        `TOPDIR=${resolve('test/package/stand-in-sdk')}`,
        `PO2LMO=${process.execPath} ${resolve('scripts/po2lmo.mjs')}`,
      ],
      { encoding: 'utf8' },
    );
  return { feed, out, make };
}

test('from the feed alone both recipes install what the .ipk holds', (t) => {
  const { feed, out, make } = makeFeed(t);
  t.deepEqual(readdirSync(feed), ['iot-shaper', 'luci-app-iotshaper']);
  t.regex(
    make('iot-shaper'),
    new RegExp(
      `^iot-shaper ${version}-r1 all \\[@HAS_FPU @\\(i386\\|\\|x86_64\\|\\|arm\\|\\|aarch64\\) \\+node .*\\+kmod-sched-core\\] Apache-2.0, `,
    ),
  );
  const [page, german] = make('luci-app-iotshaper').split('\n') as [string, string];
  t.regex(
    page,
    new RegExp(`^luci-app-iotshaper ${version}-r1 all \\[\\+luci-base \\+iot-shaper\\]`),
  );
  t.regex(german, /^luci-i18n-iotshaper-de .* \[luci-app-iotshaper\]/);

  const parts = ['iot-shaper', 'luci-app-iotshaper', 'luci-i18n-iotshaper-de'];
  t.deepEqual(readdirSync(out).sort(), ['build', ...parts]);
  const all = join(out, 'all');
  mkdirSync(all);
  // A file of two of them would be refused by opkg and apk both.
  const files = parts.map((part) =>
    execFileSync('find', ['.', '-type', 'f'], { cwd: join(out, part), encoding: 'utf8' })
      .trim()
      .split('\n'),
  );
  t.is(new Set(files.flat()).size, files.flat().length);
  for (const part of parts) execFileSync('cp', ['-pR', `${join(out, part)}/.`, all]);
  const packed = execFileSync('tar', ['czf', '-', '-C', all, '.'], { maxBuffer: 2 ** 26 });
  const folder = temporaryFolder(t);
  build('ipk', folder);
  const ipk = readFileSync(join(folder, `iot-shaper_${version}-r1_all.ipk`));
  t.deepEqual(pathsAndModes(packed), pathsAndModes(readTar(ipk, './data.tar.gz')));
  // LuCI's own translators look for a template there.
  const template = readFileSync(
    join(feed, 'luci-app-iotshaper/po/templates/iotshaper.pot'),
    'utf8',
  );
  t.true(template.split('\nmsgid ').length > 300);
});

test('for QuickJS the recipe compiles the one module in C, and installs that and its program in the place of Node.js’s', (t) => {
  const { out, make } = makeFeed(t);
  const headers = join(out, 'build/quickjs-2025-09-13');
  mkdirSync(headers, { recursive: true });
  writeFileSync(join(headers, 'quickjs.h'), '');
  const compiler = join(out, 'cc.sh');
  writeFileSync(
    compiler,
    'all=$*; while [ "$1" != -o ]; do shift; done; [ -f "$3" ] && echo "$all" >"$2"',
  );
  const name = 'iot-shaper-quickjs';
  const said = make(
    'iot-shaper',
    ...[`SELECTED=${name}`, `CONFIG_PACKAGE_${name}=y`, `TARGET_CC=sh ${compiler}`],
    ...['TARGET_CFLAGS=-Os', 'FPIC=-fPIC', 'ARCH_PACKAGES=mips_24kc'],
  );
  t.regex(
    said,
    new RegExp(
      `^${name} ${version}-r1 mips_24kc \\[\\+openvpn-openssl .*\\+kmod-sched-core \\+quickjs\\] `,
    ),
  );
  const library = join(out, name, 'usr/lib/iotshaper');
  const installed = readdirSync(library);
  t.true(installed.includes('iotshaper.mjs') && installed.includes('LICENSES'));
  t.deepEqual(
    installed.filter((file) => !/\.mjs$|^LICENSES$|^machine\.so$/.test(file)),
    [],
  );
  t.regex(
    readFileSync(join(library, 'machine.so'), 'utf8'),
    new RegExp(`^-Os -fPIC -shared -I${headers}/ -o .*/native/quickjs/machine\\.c\n$`),
  );
  // Whatever a part reads is there.
  for (const file of installed.filter((file) => file.endsWith('.mjs'))) {
    const code = readFileSync(join(library, file), 'utf8');
    for (const [, read] of code.matchAll(/(?:from|import)\s*\(?"\.\/([^"]+)"/g)) {
      t.true(installed.includes(read!), `${file} reads ${read}`);
    }
  }
  const launcher = readFileSync(join(out, name, 'usr/bin/iotshaper'), 'utf8');
  t.regex(launcher, /exec qjs \$library\/iotshaper\.mjs "\$@"/);
});

test('the archive has what the program is bundled from, and the licences', (t) => {
  const { feed } = makeFeed(t);
  const folder = `iot-shaper-${version}`;
  const archive = readFileSync(join(feed, `iot-shaper/${folder}.tar.gz`));
  const paths = listTar(archive).map(({ path }) => path);
  t.true(paths.every((path) => path.startsWith(`${folder}/`)));
  for (const name of [
    'LICENSE',
    'Makefile',
    'src/main.ts',
    'native/quickjs/machine.c',
    'scripts/build.mjs',
    'package-lock.json',
  ])
    t.true(paths.includes(`${folder}/${name}`), name);
  const licences = readTar(archive, `${folder}/LICENSES`).toString();
  t.regex(licences, new RegExp(`^iot-shaper ${version}: Apache-2.0`));
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  for (const name of ['commander', 'ip-cidr']) {
    t.true(
      licences.includes(`---- ${name} ${packages[`node_modules/${name}`].version}: MIT\n`),
      name,
    );
  }
  t.is(licences.match(/^Copyright \(c\) .*\n+Permission is hereby granted/gm)?.length, 2);
});

test('where the archive will be, and who keeps the recipe, is said when it is written', (t) => {
  const { feed } = makeFeed(t, {
    SOURCE_URL: 'https://example.org/releases',
    MAINTAINER: 'Some Body <some@example.org>',
  });
  const service = readFileSync(join(feed, 'iot-shaper/Makefile'), 'utf8');
  const page = readFileSync(join(feed, 'luci-app-iotshaper/Makefile'), 'utf8');
  t.regex(service, /^PKG_SOURCE_URL:=https:\/\/example\.org\/releases$/m);
  for (const text of [service, page])
    t.regex(text, /^PKG_MAINTAINER:=Some Body <some@example\.org>$/m);
  t.regex(service, /^PKG_HASH:=[0-9a-f]{64}$/m);
  for (const text of [service, page])
    t.regex(text, new RegExp(`^PKG_VERSION:=${version.replaceAll('.', '\\.')}$`, 'm'));
});
