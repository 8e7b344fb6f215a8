// What the packages hold: files of this tree, their place on the target, modes, and when they were made.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { gzip } from './archive.mjs';
import { compileCatalogue } from './po2lmo.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

const { engines, version: ownVersion } = JSON.parse(readFileSync('package.json', 'utf8'));

export const version = ownVersion;

/** The oldest Node.js that will do, such as `20.19`. */
export const nodeVersion = engines.node.replace('>=', '');

const library = 'usr/lib/iotshaper';

/** Parts of the program that every package has; the first two are the service of a home. */
export const mainParts = ['iotshaper', 'iotshaper-home', 'iotshaper-cli', 'iotshaper-tools'];

/**
 * Seconds since 1970 that stand for all files: SOURCE_DATE_EPOCH, else the last commit's.
 *
 * @returns {number}
 */
export function sourceDate() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return Number(given);
  try {
    const said = execFileSync('git', ['log', '-1', '--format=%ct'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(said);
  } catch {
    return 0; // an unpacked source archive, or no git
  }
}

/**
 * Everything the router's package holds: the service, its page in LuCI and what translates that.
 *
 * @returns {Entry[]} sorted by path, directories included
 */
export function routerFiles() {
  return withDirectories([
    ...serviceFiles(),
    ...filesBelow('luci-app/root', ''),
    ...filesBelow('luci-app/htdocs', 'www/').map(shrink),
    ...filesBelow('dist/htdocs', 'www/').map(shrink),
    ...translations(),
  ]);
}

/**
 * Everything of it but the page, which LuCI's feed has as a package of its own.
 *
 * @returns {Entry[]} directories not included
 */
export function serviceFiles() {
  return [
    ...['etc', 'lib', 'usr'].flatMap((name) => filesBelow(join('files', name), `${name}/`)),
    ...program(mainParts),
    // Who copies a profile there by hand finds it.
    { path: 'etc/iotshaper/', mode: 0o700 },
  ];
}

/**
 * The page as LuCI's feed has it: the folders its luci.mk packs, what is made from our tables among the rest.
 *
 * @returns {Entry[]} directories not included
 */
export function pageSources() {
  return [
    ...filesBelow('luci-app/root', 'root/'),
    ...filesBelow('luci-app/htdocs', 'htdocs/'),
    ...filesBelow('dist/htdocs', 'htdocs/'),
    ...filesBelow('luci-app/po', 'po/'),
  ];
}

/** Packages that LuCI's feed makes of the page: ours holds what is in them. */
export const pagePackages = [
  'luci-app-iotshaper',
  ...readdirSync('luci-app/po').map((language) => `luci-i18n-iotshaper-${language}`),
];

/** Of which each role's package for Debian has its own. */
const roleParts = ['iotshaper-endpoint'];
/** What only an endpoint in a fleet reads. */
export const fleetParts = ['iotshaper-fleet'];
/** The page that a home on Debian serves itself. */
const pageParts = ['iotshaper-page', 'iotshaper-web'];

/**
 * Everything that both roles have on Debian.
 *
 * @returns {Entry[]}
 */
export function commonFiles() {
  const own = roleParts.map((part) => `${library}/${part}.js`);
  const all = program([...mainParts, 'iotshaper-debian', ...roleParts]);
  return withDirectories([
    ...all.filter(({ path }) => !own.includes(path)),
    { path: 'usr/bin/iotshaper', mode: 0o755, data: readFileSync('files/debian-common/iotshaper') },
    copyright('common'),
    { path: 'usr/share/man/man8/iotshaper.8.gz', data: gzip(readBuilt('iotshaper.8')) },
    {
      path: 'usr/share/bash-completion/completions/iotshaper',
      data: readBuilt('iotshaper.bash'),
    },
  ]);
}

/**
 * Everything the endpoint's package holds.
 *
 * @returns {Entry[]}
 */
export function endpointFiles() {
  return withDirectories([
    { path: `${library}/iotshaper-endpoint.js`, data: readBuilt('iotshaper-endpoint.js') },
    ...fleetParts.map((part) => ({
      path: `${library}/${part}.js`,
      data: readBuilt(`${part}.js`),
    })),
    ...units('debian', ['iotshaper-endpoint.service', 'iotshaper-endpoint.path']),
    // Its parent is what the unit for the path watches until there is an endpoint.
    { path: 'etc/iotshaper/', mode: 0o700 },
    copyright('endpoint'),
    {
      path: 'usr/share/doc/iot-shaper-endpoint/LICENSES',
      data: licences(fleetParts.map((part) => `${part}.js`)),
    },
    {
      path: 'usr/share/doc/iot-shaper-endpoint/openapi.json',
      data: readFileSync('files/deploy/openapi.json'),
    },
  ]);
}

/**
 * Everything the package of a home on Debian holds.
 *
 * @returns {Entry[]}
 */
export function homeFiles() {
  return withDirectories([
    ...pageParts.map((part) => ({ path: `${library}/${part}.js`, data: readBuilt(`${part}.js`) })),
    ...filesBelow('dist/page', 'usr/share/iotshaper/page/'),
    ...units('debian-home', ['iotshaper.service', 'iotshaper-boot.service']),
    {
      path: `${library}/stay-shut`,
      mode: 0o755,
      data: readFileSync('files/debian-home/stay-shut'),
    },
    // What the configuration is at first; the package's script puts it in its place.
    { path: 'usr/share/iotshaper/iotshaper', data: readFileSync('files/etc/config/iotshaper') },
    { path: 'etc/iotshaper/', mode: 0o700 },
    copyright('home'),
  ]);
}

/** @param {string} folder @param {string[]} names @returns {Entry[]} */
function units(folder, names) {
  return names.map((name) => ({
    path: `usr/lib/systemd/system/${name}`,
    data: readFileSync(`files/${folder}/${name}`),
  }));
}

/** @param {string} name @returns {Entry} */
function copyright(name) {
  const data = readFileSync('files/debian-common/copyright');
  return { path: `usr/share/doc/iot-shaper-${name}/copyright`, data };
}

/**
 * Everything the researcher's package holds, beside the endpoint's.
 *
 * @returns {Entry[]}
 */
export function researchFiles() {
  const documents = 'usr/share/doc/iot-shaper-research';
  const bundle = 'iotshaper-research.js';
  return withDirectories([
    { path: `${library}/${bundle}`, data: readBuilt(bundle) },
    { path: `${library}/vendors.txt`, data: readBuilt('vendors.txt') },
    { path: `${documents}/LICENSES`, data: licences([bundle], ['oui-data']) },
    { path: `${documents}/copyright`, data: readFileSync('files/debian-research/copyright') },
  ]);
}

/** Parts of the program with what they share, and the licences. @param {string[]} parts @returns {Entry[]} */
function program(parts) {
  const files = filesOf(parts);
  return [
    ...files.map((name) => ({ path: `${library}/${name}`, data: readBuilt(name) })),
    { path: `${library}/LICENSES`, data: licences(files) },
  ];
}

/** @param {string[]} parts @returns {string[]} their files and those they import, below dist/ */
export function filesOf(parts) {
  const found = new Set(parts.map((part) => `${part}.js`));
  for (const name of found) {
    for (const { path, kind, external } of outputOf(name).imports) {
      if (kind === 'import-statement' && !external) found.add(path.slice('dist/'.length));
    }
  }
  return [...found];
}

/** What a file below dist/ has in it, and how long it is. @param {string} name @returns {import('esbuild').Metafile['outputs'][string]} */
export function outputOf(name) {
  return JSON.parse(readBuilt('metafile.json').toString()).outputs[`dist/${name}`];
}

/** @param {string} name */
function readBuilt(name) {
  const file = `dist/${name}`;
  if (!existsSync(file)) throw new Error(`${file}: not built yet; run "make build"`);
  return readFileSync(file);
}

/**
 * The licences of what is bundled, ours first: each asks to go along.
 *
 * @param {string[]} files of the program
 * @param {string[]} [more] packages of which something goes along besides
 */
function licences(files, more = []) {
  const names = files
    .flatMap((name) => Object.keys(outputOf(name).inputs))
    .flatMap((input) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []);
  const texts = [...new Set([...names, ...more])].sort().map((name) => {
    const folder = `node_modules/${name}`;
    const file = readdirSync(folder).find((item) => /^licen[cs]e/i.test(item));
    const {
      license,
      author,
      version: of,
    } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const holder = author?.name ?? author ?? 'its authors';
    // Some packages name their licence and leave its text out, which asks to go along all the same.
    const text = file
      ? readFileSync(join(folder, file), 'utf8')
      : `Copyright (c) ${holder}\n\n${readFileSync(`scripts/licences/${license}`, 'utf8')}`;
    return `\n---- ${name} ${of}: ${license}\n\n${text.trim()}\n`;
  });
  return `iot-shaper ${version}: Apache-2.0.${texts.length > 0 ? ' It contains:' : ''}\n${texts.join('')}`;
}

/** A page's script or style without comments and blanks, as LuCI's own build leaves them out. @param {Entry} entry */
function shrink({ path, mode, data }) {
  const loader = /** @type {'js' | 'css'} */ (path.split('.').at(-1));
  const { code } = transformSync(`${data}`, { loader, minify: true, charset: 'utf8' });
  return { path, mode, data: code };
}

/** @param {string} folder @param {string} prefix @returns {Entry[]} */
export function filesBelow(folder, prefix) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item) => {
    const source = join(folder, item.name);
    const path = `${prefix}${item.name}`;
    if (item.isDirectory()) return filesBelow(source, `${path}/`);
    return [{ path, mode: modeOf(source, path), data: readFileSync(source) }];
  });
}

/** Configuration is root's alone, as OpenWrt's INSTALL_CONF has it. @param {string} source @param {string} path */
function modeOf(source, path) {
  if (path.startsWith('etc/config/')) return 0o600;
  return statSync(source).mode & 0o100 ? 0o755 : 0o644;
}

/** @returns {Entry[]} */
function translations() {
  if (!existsSync('luci-app/po')) return [];
  return readdirSync('luci-app/po')
    .filter((language) => existsSync(`luci-app/po/${language}/iotshaper.po`))
    .flatMap((language) => {
      const data = compileCatalogue(readFileSync(`luci-app/po/${language}/iotshaper.po`, 'utf8'));
      return data ? [{ path: `usr/lib/lua/luci/i18n/iotshaper.${language}.lmo`, data }] : [];
    });
}

/** @param {Entry[]} files @returns {Entry[]} sorted by path */
export function withDirectories(files) {
  const directories = new Set();
  for (const { path } of files) {
    for (
      let at = path.indexOf('/');
      at >= 0 && at < path.length - 1;
      at = path.indexOf('/', at + 1)
    ) {
      directories.add(path.slice(0, at + 1));
    }
  }
  for (const { path } of files) directories.delete(path);
  const entries = [...[...directories].map((path) => ({ path })), ...files];
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}
