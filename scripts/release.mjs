// Writes all that is published into dist/release: packages, the feed's indexes, recipes' source, what they are made of, checksums.
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { buildDeb, debKinds } from './deb.mjs';
import { feedFiles } from './feed.mjs';
import { version } from './package-files.mjs';
import { renderSbom } from './sbom.mjs';

const folder = process.argv[2] ?? 'dist/release';
const files = [
  ...feedFiles(), // so the folder is a feed as well
  ...debKinds.map(buildDeb),
  { name: `iot-shaper_${version}.cdx.json`, bytes: Buffer.from(renderSbom()) },
];
const sums = files
  .map(({ name, bytes }) => `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`)
  .join('');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { name, bytes } of [...files, { name: 'SHA256SUMS', bytes: Buffer.from(sums) }]) {
  writeFileSync(`${folder}/${name}`, bytes);
}
process.stdout.write(sums);
