// The report as a user makes it: one file, nothing loaded, everything escaped.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Command } from 'commander';
import { registerReport } from '../../src/research/cli/report.ts';
import { renderHtmlTable, renderPage } from '../../src/research/report/page.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { CapturedConsole } from '../cli/captured-console.ts';

test('a report of captures is one file with its figures, their intervals and the commands that make them', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'report-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const out = join(directory, 'report.html');
  const traces = await Promise.all(
    [80, 300].map(async (bytes) => {
      const path = join(directory, `${bytes}.csv`);
      const lines = Array.from({ length: 330 }, (_, i) => `${i},${bytes + (i % 7)},${i % 2}`);
      await writeFile(path, lines.join('\n'));
      return path;
    }),
  );
  const console = new CapturedConsole();
  const program = new Command('iotshaper').exitOverride();
  registerReport(program, { system: nodeSystem, console });
  await program.parseAsync(['report', ...traces, '--out', out], { from: 'user' });
  t.is(console.out, `Written: ${out}\n`);
  const html = await readFile(out, 'utf8');
  t.regex(html, /over 95 %<\/td><td class="n">\d+\.\d %<\/td><td class="n">\d+\.\d % – \d+\.\d %/);
  t.regex(html, /packed-ideal<\/td><td>up<\/td>/);
  t.is(html.match(/Made again by: <code>iotshaper /g)?.length, 3);
  t.true((html.match(/<svg /g)?.length ?? 0) >= 4);
  t.regex(html, /prefers-color-scheme:dark/);
  t.regex(html, /@media print/);
  // It asks nobody for anything.
  t.notRegex(
    html.replaceAll('http://www.w3.org/2000/svg', ''),
    /https?:|<script|<link|@import|url\(/,
  );
  t.notRegex(html, /NaN|undefined|Infinity/);
});

test('what comes from outside is escaped', (t) => {
  const table = renderHtmlTable([{ title: '<a>' }], [['<script>alert(1)</script>']]);
  const page = renderPage({ title: '</title><b>', lines: ['"<i>"'] }, [
    { title: '<h9>', html: table, madeBy: 'a && <b>' },
  ]);
  t.notRegex(page, /<(?:a|script|b|i|h9)>/);
});
