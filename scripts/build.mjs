// Bundles the program into dist/ with esbuild, and makes dist/htdocs for the page.
import { writeFileSync } from 'node:fs';
import { bundle } from './bundle.mjs';
import { writeNoticesModule } from './notices.mjs';
import { writeCoreModule } from './page.mjs';

const outputs = await bundle('dist');
await writeCoreModule('dist/htdocs');
await writeNoticesModule('dist/htdocs');
writeFileSync('dist/metafile.json', JSON.stringify({ outputs }));
for (const [file, { bytes }] of Object.entries(outputs)) {
  console.log(`${file}  ${(bytes / 1000).toFixed(0)} kB`);
}
