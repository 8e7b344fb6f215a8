// What the service keeps for the boot, reads of the firewall and writes to the log.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'ava';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { keepBootTable } from '../../src/shell/home/boot-table.ts';
import {
  findFirewallWarnings,
  readFirewallWarnings,
} from '../../src/shell/home/firewall-warnings.ts';
import { temporaryFolder } from './archive.ts';

test('keeps the rules for the boot readable to root alone, and takes them away', async (t) => {
  const path = join(temporaryFolder(t), 'boot.nft');
  await keepBootTable(path, null);
  t.false(existsSync(path));
  await keepBootTable(path, 'one\n');
  t.is(readFileSync(path, 'utf8'), 'one\n');
  t.is(statSync(path).mode & 0o777, 0o600);
  await keepBootTable(path, 'two\n');
  t.is(readFileSync(path, 'utf8'), 'two\n');
  await keepBootTable(path, null);
  t.false(existsSync(path));
});

test('writes unchanged rules no second time: flash wears', async (t) => {
  const path = join(temporaryFolder(t), 'boot.nft');
  await keepBootTable(path, 'one\n');
  const { mtimeNs } = statSync(path, { bigint: true });
  await keepBootTable(path, 'one\n');
  t.is(statSync(path, { bigint: true }).mtimeNs, mtimeNs);
});

const warningsOf = (option: string) =>
  findFirewallWarnings(
    parseUci(`config defaults\n\toption input 'REJECT'\n${option}\n`, 'firewall'),
  ).map((warning) => wordsOf(warning));

for (const [option, warned] of [
  ["\toption flow_offloading '1'", ['flow_offloading']],
  [
    "\toption flow_offloading 'yes'\n\toption auto_includes 'off'",
    ['flow_offloading', 'auto_includes'],
  ],
  ["\toption flow_offloading '0'", []],
  ["\toption auto_includes '0'", ['auto_includes']],
  ["\toption auto_includes '1'", []],
  ['', []],
] as const) {
  test(`firewall with ${JSON.stringify(option)}: warns of ${warned.join(' and ') || 'nothing'}`, (t) => {
    const warnings = warningsOf(option);
    t.deepEqual(
      warnings.map((text) => /^firewall\.@defaults\[0\]\.(\w+): is o/.exec(text)?.[1]),
      [...warned],
    );
    for (const text of warnings) t.regex(text, /run "uci set firewall/);
  });
}

test('without a firewall there is nothing to warn of', async (t) => {
  t.deepEqual(await readFirewallWarnings(join(temporaryFolder(t), 'firewall')), []);
});

const say = (env: Record<string, string>) => {
  const levels = `for (const level of ['err', 'warning', 'notice', 'info']) log(level, level + '\\nx');`;
  const source = `import { log } from ${JSON.stringify(resolve('build/src/shell/system/log.js'))}; ${levels}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    encoding: 'utf8',
    env: { ...process.env, LOG_PREFIX: '', LOG_SPLIT: '', ...env },
  });
  return { stdout, stderr };
};

test('the log is one line an event, with its level as its reader knows it', (t) => {
  const all = 'err: err x\nwarning: warning x\nnotice: notice x\ninfo: info x\n';
  t.deepEqual(say({}), { stdout: '', stderr: all });
  const numbered = '<3>err x\n<4>warning x\n<5>notice x\n<6>info x\n';
  t.deepEqual(say({ LOG_PREFIX: '1' }), { stdout: '', stderr: numbered }, 'systemd');
  const [low, high] = ['notice: notice x\ninfo: info x\n', 'err: err x\nwarning: warning x\n'];
  t.deepEqual(say({ LOG_SPLIT: '1' }), { stdout: low, stderr: high }, 'procd');
});
