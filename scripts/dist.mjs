// Writes dist/openwrt, a feed of recipes that OpenWrt's SDK builds with nothing else of this tree: both recipes, the archive that
// the service's is built from, and the page as LuCI's luci.mk packs it. SOURCE_URL says where the archive will be, MAINTAINER who keeps it.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzip, packTar } from './archive.mjs';
import {
  filesBelow,
  pageSources,
  serviceFiles,
  sourceDate,
  version,
  withDirectories,
} from './package-files.mjs';
import { renderTemplate } from './pot.mjs';
import { bundleForQuickjs } from './quickjs.mjs';
import { readRecipe } from './recipe.mjs';

/** @typedef {import('./archive.mjs').Entry} Entry */

/** Of this tree what the program is bundled from, so that whoever has the archive can bundle it anew: `make build`. */
const sourceFolders = ['src', 'native', 'scripts', 'files', 'luci-app', 'page-app', 'openwrt'];
const sourceFiles = [
  ...['LICENSE', 'Makefile', 'README.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...['package.json', 'package-lock.json', 'tsconfig.json'],
];

/**
 * The archive of PKG_SOURCE: below root/ what is installed, below quickjs/ the program as QuickJS runs it, beside them what
 * both were bundled from.
 *
 * @returns {Promise<{ name: string, bytes: Buffer }>}
 */
export async function sourceArchive() {
  const folder = `${readRecipe().name}-${version}`;
  const service = serviceFiles();
  const third = service.find(({ path }) => path.endsWith('/LICENSES'));
  const entries = [
    ...service.map((entry) => ({ ...entry, path: `root/${entry.path}` })),
    ...(await bundleForQuickjs()).map(({ name, data }) => ({
      path: `quickjs/${name}`,
      data: Buffer.from(data),
    })),
    { path: 'LICENSES', data: third?.data ?? '' },
    ...sourceFiles.map((path) => ({ path, data: readFileSync(path) })),
    ...sourceFolders.flatMap((path) => filesBelow(path, `${path}/`)),
  ].map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));
  return {
    name: `${folder}.tar.gz`,
    bytes: gzip(packTar(withDirectories(entries), sourceDate())),
  };
}

/** @returns {Promise<Entry[]>} the feed, directories not included */
export async function feedOfRecipes() {
  const archive = await sourceArchive();
  const { SOURCE_URL: url, MAINTAINER: maintainer } = process.env;
  /** @param {string} name */
  const recipe = (name) => {
    const path = `${name}/Makefile`;
    const digest = createHash('sha256').update(archive.bytes).digest('hex');
    let text = readFileSync(`openwrt/${path}`, 'utf8').replace(
      /^PKG_HASH:=.*$/m,
      `PKG_HASH:=${digest}`,
    );
    if (url) text = text.replace(/^PKG_SOURCE_URL:=.*$/m, () => `PKG_SOURCE_URL:=${url}`);
    if (maintainer)
      text = text.replace(/^PKG_MAINTAINER:=.*$/m, () => `PKG_MAINTAINER:=${maintainer}`);
    return { path, data: text };
  };
  return [
    recipe('iot-shaper'),
    { path: `iot-shaper/${archive.name}`, data: archive.bytes },
    { path: 'iot-shaper/test.sh', mode: 0o755, data: readFileSync('openwrt/iot-shaper/test.sh') },
    recipe('luci-app-iotshaper'),
    ...pageSources().map((entry) => ({ ...entry, path: `luci-app-iotshaper/${entry.path}` })),
    {
      path: 'luci-app-iotshaper/po/templates/iotshaper.pot',
      data: await renderTemplate(),
    },
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'dist/openwrt';
  rmSync(folder, { recursive: true, force: true });
  for (const { path, mode, data } of await feedOfRecipes()) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, data ?? '');
    chmodSync(target, mode ?? 0o644);
  }
  console.log(
    `${folder}  in OpenWrt's SDK: echo "src-link iotshaper ${resolve(folder)}" >> feeds.conf; scripts/feeds update -a; scripts/feeds install iot-shaper luci-app-iotshaper`,
  );
}
