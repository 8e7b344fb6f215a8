// Bundles the program into dist/ with esbuild.
import { writeFileSync } from 'node:fs';
import { bundle } from './bundle.mjs';

const metafile = await bundle('dist');
writeFileSync('dist/metafile.json', JSON.stringify(metafile));
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  console.log(`${file}  ${(bytes / 1000).toFixed(0)} kB`);
}
