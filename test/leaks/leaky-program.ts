// Builds the program with a leak in it. Everything else of it is the product.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import type { Edit, Leak } from './leaks.ts';

/**
 * Bundles the program with the leak's edits.
 * @param directory gets the bundle
 * @returns the program's path
 * @throws Error where an edit no longer fits the sources: a leak that is not planted must not count as not found
 */
export async function buildLeaky({ name, edits }: Leak, directory: string): Promise<string> {
  // Plain JavaScript beside the sources: nothing for the compiler.
  const { bundle } = await import(pathToFileURL(resolve('scripts/bundle.mjs')).href);
  await bundle(directory, [editSources(name, edits)]);
  return join(directory, 'iotshaper.js');
}

function editSources(leak: string, edits: readonly Edit[]): Plugin {
  const files = new Set(edits.map(({ file }) => resolve(file)));
  return {
    name: 'leak',
    setup(build) {
      const made = new Set<string>();
      build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        if (!files.has(path)) return null;
        let text = await readFile(path, 'utf8');
        for (const { file, from, to } of edits) {
          if (resolve(file) !== path) continue;
          const parts = text.split(from);
          if (parts.length !== 2) {
            throw new Error(
              `${leak}: "${from}" stands ${parts.length - 1} times in ${file}, expected once`,
            );
          }
          text = parts.join(to);
        }
        made.add(path);
        return { contents: text, loader: 'ts' };
      });
      build.onEnd(() => {
        const missed = [...files].filter((file) => !made.has(file));
        if (missed.length > 0) throw new Error(`${leak}: not in the bundle: ${missed.join(', ')}`);
      });
    },
  };
}
