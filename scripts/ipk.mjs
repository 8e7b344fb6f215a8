// Builds dist/iot-shaper_VERSION-r1_all.ipk without OpenWrt's SDK, byte for byte the same from the same commit.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzip, packTar } from './archive.mjs';
import { pagePackages, routerFiles, sourceDate } from './package-files.mjs';
import { readRecipe } from './recipe.mjs';

/** @typedef {import('./recipe.mjs').Recipe} Recipe */

/** How the scripts of an OpenWrt package begin: they find OpenWrt's own functions, or do nothing. */
export const readFunctions = `[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
`;
/** Before an installation's first line: who builds an image may run scripts later. */
export const unlessNoScript = `[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n`;

/**
 * The file's name and bytes: a gzip'd tar of three members (opkg-utils, ipkg-build).
 *
 * @returns {{ name: string, bytes: Buffer }}
 */
export function buildIpk() {
  const recipe = readRecipe();
  const date = sourceDate();
  const data = packTar(underDot(routerFiles()), date);
  const control = packTar(underDot(controlFiles(recipe, data.length, date)), date);
  const members = underDot([
    { path: 'debian-binary', data: '2.0\n' },
    { path: 'data.tar.gz', data: gzip(data) },
    { path: 'control.tar.gz', data: gzip(control) },
  ]).slice(1);
  return { name: `${recipe.name}_${recipe.version}_all.ipk`, bytes: gzip(packTar(members, date)) };
}

/**
 * The paragraph opkg reads, without what an index adds.
 *
 * @param {Recipe} recipe
 * @param {number} installedBytes
 * @param {number} date
 */
export function renderControl(recipe, installedBytes, date) {
  return [
    `Package: ${recipe.name}`,
    `Version: ${recipe.version}`,
    `Depends: ${recipe.depends.join(', ')}`,
    // The feeds have its page apart: this package stands for both, and takes their place.
    ...['Conflicts', 'Provides', 'Replaces'].map((field) => `${field}: ${pagePackages.join(', ')}`),
    `Source: ${recipe.name}`,
    `SourceName: ${recipe.name}`,
    `License: ${recipe.license}`,
    `Section: ${recipe.section}`,
    `SourceDateEpoch: ${date}`,
    `Maintainer: ${recipe.maintainer}`,
    'Architecture: all',
    `Installed-Size: ${installedBytes}`,
    `Description: ${recipe.description.replace(/\n/g, '\n ')}`,
    '',
  ].join('\n');
}

/** As include/package-pack.mk makes them: OpenWrt's own script first, which runs the package's (`-pkg`). */
function controlFiles(
  /** @type {Recipe} */ recipe,
  /** @type {number} */ bytes,
  /** @type {number} */ date,
) {
  const { preinst, postinst, prerm, postrm } = recipe.scripts;
  /** @param {string} name @param {string} data */
  const script = (name, data) => (data === '' ? [] : [{ path: name, mode: 0o755, data }]);
  return [
    { path: 'conffiles', data: `${recipe.conffiles.join('\n')}\n` },
    { path: 'control', data: renderControl(recipe, bytes, date) },
    ...script('preinst', preinst),
    ...script('postinst', defaultScript('default_postinst', unlessNoScript)),
    ...script('postinst-pkg', postinst),
    ...script('postrm', postrm),
    ...script('prerm', defaultScript('default_prerm', '')),
    ...script('prerm-pkg', prerm),
  ];
}

/** @param {string} what @param {string} first */
function defaultScript(what, first) {
  return `#!/bin/sh\n${first}${readFunctions}${what} "$0" "$@"\n`;
}

/** opkg's archives name everything from `./` on. @param {import('./archive.mjs').Entry[]} entries */
function underDot(entries) {
  return [{ path: './' }, ...entries.map((entry) => ({ ...entry, path: `./${entry.path}` }))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, bytes } = buildIpk();
  const target = `${process.argv[2] ?? 'dist'}/${name}`;
  writeFileSync(target, bytes);
  console.log(`${target}  ${(bytes.length / 1000).toFixed(0)} kB`);
}
