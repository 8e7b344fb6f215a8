// What paces knows no clock that can be set: a router's jumps by years when it first hears of the time.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const PACING = ['src/core/pacing', 'src/core/framing', 'src/shell/shaper', 'src/shell/tunnel'];
const WALL_CLOCK = /\bDate\b|\bunix(?:S|Ms)\b|\bsecondsSinceEpoch\b/;

for (const folder of PACING) {
  test(`nothing below ${folder} asks what time it is`, (t) => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const sources = files.filter((file) => file.endsWith('.ts'));
    t.true(sources.length > 0);
    const asking = sources.filter((file) =>
      WALL_CLOCK.test(readFileSync(join(folder, file), 'utf8')),
    );
    t.deepEqual(asking, []);
  });
}
