// Makes the page's module of the core: src/core/page as one of LuCI's own modules.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { loadSource } from './load-source.mjs';

/** Below the page's root, where a browser asks for it. */
const modulePath = 'luci-static/resources/iotshaper/core.js';

/**
 * The oldest browser the page runs in, as LuCI of OpenWrt 24.10, whose own sources take destructuring for granted:
 * what Safari 14.0 gets wrong of it esbuild can't put right.
 */
export const browser = { target: 'safari14', supported: { destructuring: true } };

/** One bundle of a file of src/core/page. @param {import('esbuild').BuildOptions} options */
async function bundle(options) {
  const { outputFiles } = await build({
    bundle: true,
    write: false,
    logLevel: 'warning',
    ...options,
  });
  return Buffer.from(outputFiles?.[0]?.contents ?? []).toString();
}

/** The page's module `iotshaper.core`. @returns {Promise<string>} */
export async function renderCoreModule() {
  const code = await bundle({
    entryPoints: ['src/core/page/page.ts'],
    format: 'iife',
    globalName: 'core',
    minify: true,
    charset: 'utf8',
    ...browser,
  });
  return `// What the service computes with, for the page; made of src/core/page.
'use strict';
'require baseclass';

${code}
return baseclass.extend(core);
`;
}

/** @param {string} directory in which the page's root is made */
export async function writeCoreModule(directory) {
  const path = join(directory, modulePath);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await renderCoreModule());
}

/** Every text the page has from the core. @returns {Promise<string[]>} */
export async function loadPageTexts() {
  const { pageTexts } = await loadSource(
    "export { pageTexts } from './texts.ts';",
    'src/core/page',
  );
  return pageTexts();
}
