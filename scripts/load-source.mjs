// Lets a build script use what the sources say.
import { build } from 'esbuild';

/**
 * The module's exports.
 * @param {string} contents of a module in `resolveDir`
 * @param {string} resolveDir
 * @returns {Promise<any>}
 */
export async function loadSource(contents, resolveDir) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    // What parses addresses is CommonJS.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire('${import.meta.url}');`,
    },
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  return import(`data:text/javascript;base64,${code}`);
}
