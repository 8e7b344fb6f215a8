// The manual page and what bash completes: every command and option that the built program has, and none of research.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { startIotshaper } from '../cli/program.ts';

const manual = readFileSync('dist/iotshaper.8', 'utf8');

/** What bash offers behind these words, the last of which is typed just now. */
function complete(...words: string[]): string[] {
  const script = `
    . dist/iotshaper.bash
    COMP_WORDS=(iotshaper "$@") COMP_CWORD=$#
    _iotshaper
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const said = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  return said.trim() === '' ? [] : said.trim().split('\n');
}

test('every command that help shows is in both, and of research none', async (t) => {
  const help = async (...path: string[]): Promise<string[]> => {
    const { stdout } = await startIotshaper(...path, '--help');
    return [...stdout.split('Commands:')[1]!.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name!);
  };
  const research = ['attack', 'simulate', 'lab'];
  const commands = (await help()).filter((name) => name !== 'help' && !research.includes(name));
  t.true(commands.length >= 10, commands.join(' '));
  t.deepEqual(complete('').sort(), commands.sort());
  const endpoint = (await help('endpoint')).filter((name) => name !== 'help');
  t.deepEqual(complete('endpoint', '').sort(), endpoint.sort());
  const leaves = commands.filter((name) => name !== 'endpoint');
  for (const path of [...leaves, ...endpoint.map((name) => `endpoint ${name}`)]) {
    t.true(manual.includes(`.SS "iotshaper ${path.replaceAll('-', '\\-')}`), path);
  }
  for (const name of research) t.false(manual.includes(`iotshaper ${name}`), name);
});

test('bash offers what begins like the word, options of that command, else files', (t) => {
  t.deepEqual(complete('st'), ['status']);
  t.deepEqual(complete('endpoint', 'add'), ['add-home']);
  t.deepEqual(complete('endpoint', 'add-home', '--o'), ['--out']);
  t.true(complete('endpoint', 'add-home', 'cottage', '--').includes('--state-dir'));
  t.deepEqual(complete('check', ''), []);
  t.deepEqual(complete('cost', '--id'), ['--idle-hours', '--idle-rate']);
});

test('the page is one that man reads: nothing begins like a request that is none', (t) => {
  const requests = ['TH', 'SH', 'SS', 'TP', 'B', 'I', 'RI'];
  for (const line of manual.split('\n')) {
    const [, request] = /^[.'](\S*)/.exec(line) ?? [];
    if (request !== undefined) t.true(requests.includes(request), line);
    t.notRegex(line, /(^|[^\\])-/, 'a hyphen that is a minus');
  }
  t.regex(manual, /^\.TH IOTSHAPER 8 "\d{4}/);
});
