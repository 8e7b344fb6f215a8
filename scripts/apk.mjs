// Builds dist/iot-shaper-VERSION-r1.apk without OpenWrt's SDK, byte for byte the same from the same commit.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packApk } from './apk-format.mjs';
import { readFunctions, unlessNoScript } from './ipk.mjs';
import { pagePackages, routerFiles, sourceDate, withDirectories } from './package-files.mjs';
import { readRecipe } from './recipe.mjs';

/**
 * @typedef {import('./archive.mjs').Entry} Entry
 * @typedef {import('./recipe.mjs').Recipe} Recipe
 */

/**
 * The file's name and what is in it.
 *
 * @param {Recipe} [recipe]
 * @returns {{ name: string } & import('./apk-format.mjs').Package}
 */
export function buildApk(recipe = readRecipe()) {
  const files = routerFiles();
  const entries = withDirectories([...files, ...lists(recipe, files)]);
  const built = packApk(describe(recipe), composeScripts(recipe), entries, sourceDate());
  return { name: `${recipe.name}-${recipe.version}.apk`, ...built };
}

/** As include/package-pack.mk has it. @param {Recipe} recipe @returns {import('./apk-format.mjs').PackageInfo} */
function describe(recipe) {
  const { name, version, license, maintainer, depends, section } = recipe;
  return {
    name,
    version,
    description: recipe.description.replace(/\s+/g, ' '),
    arch: 'noarch',
    license,
    origin: name,
    maintainer,
    depends,
    // The feeds have its page apart: this package stands for both, and takes their place.
    provides: pagePackages.map((one) => `${one}=${version}`),
    replaces: pagePackages,
    tags: [`openwrt:section=${section}`],
  };
}

/** One script each, OpenWrt's own lines before the package's. @param {Recipe} recipe @returns {import('./apk-format.mjs').Scripts} */
function composeScripts({ name, scripts }) {
  const { preinst, postinst, prerm, postrm } = scripts;
  const named = `export root="\${IPKG_INSTROOT}"\nexport pkgname="${name}"\n`;
  const start = `${unlessNoScript}${readFunctions}${named}add_group_and_user\ndefault_postinst\n${withoutShell(postinst)}`;
  return {
    'pre-install': preinst,
    'post-install': `#!/bin/sh\n${start}`,
    'pre-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${withoutShell(preinst)}`,
    'post-upgrade': `#!/bin/sh\nexport PKG_UPGRADE=1\n${start}`,
    'pre-deinstall': `#!/bin/sh\n${readFunctions}${named}default_prerm\n${withoutShell(prerm)}`,
    'post-deinstall': postrm,
  };
}

/** @param {string} script */
function withoutShell(script) {
  return script.replace(/^#!.*\n/, '');
}

/** What OpenWrt's scripts and its sysupgrade read: the files, and which of them are the user's. @param {Recipe} recipe @param {Entry[]} files @returns {Entry[]} */
function lists({ name, conffiles }, files) {
  const plain = files.filter(({ data }) => data !== undefined);
  const digests = plain
    .filter(({ path }) => conffiles.includes(`/${path}`))
    .map(
      ({ path, data }) =>
        `/${path} ${createHash('sha256')
          .update(data ?? '')
          .digest('hex')}\n`,
    );
  const folder = `lib/apk/packages/${name}`;
  return [
    { path: `${folder}.list`, data: plain.map(({ path }) => `/${path}\n`).join('') },
    { path: `${folder}.conffiles`, data: `${conffiles.join('\n')}\n` },
    { path: `${folder}.conffiles_static`, data: digests.join('') },
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { name, bytes } = buildApk();
  const target = `${process.argv[2] ?? 'dist'}/${name}`;
  writeFileSync(target, bytes);
  console.log(`${target}  ${(bytes.length / 1000).toFixed(0)} kB`);
}
