// Bundles the program into dist/ with esbuild, makes dist/htdocs for the page, and the manual page.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { bundle } from './bundle.mjs';
import { renderCompletion, renderManual } from './manual.mjs';
import { writeNoticesModule } from './notices.mjs';
import { sourceDate, version } from './package-files.mjs';
import { writeCoreModule } from './page.mjs';
import { writePageApp } from './page-app.mjs';

const outputs = await bundle('dist');
await writeCoreModule('dist/htdocs');
await writeNoticesModule('dist/htdocs');
await writePageApp('dist/page');
writeFileSync('dist/metafile.json', JSON.stringify({ outputs }));
const { buildProgram } = createRequire(import.meta.url)('../dist/iotshaper-cli.js');
// It is only looked at.
const program = await buildProgram({
  system: { processes: { environment: () => undefined } },
  console: { words: [] },
});
writeFileSync('dist/iotshaper.8', renderManual(program, { version, date: sourceDate() }));
writeFileSync('dist/iotshaper.bash', renderCompletion(program));
for (const [file, { bytes }] of Object.entries(outputs)) {
  console.log(`${file}  ${(bytes / 1000).toFixed(0)} kB`);
}
