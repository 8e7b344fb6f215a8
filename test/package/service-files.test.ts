// What the service keeps for the boot, and reads of the firewall.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { keepBootTable } from '../../src/shell/home/boot-table.ts';
import {
  findFirewallWarnings,
  readFirewallWarnings,
} from '../../src/shell/home/firewall-warnings.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { temporaryFolder } from './archive.ts';

test('keeps the rules for the boot readable to root alone, and takes them away', async (t) => {
  const path = join(temporaryFolder(t), 'boot.nft');
  await keepBootTable(nodeSystem, path, null);
  t.false(existsSync(path));
  await keepBootTable(nodeSystem, path, 'one\n');
  t.is(readFileSync(path, 'utf8'), 'one\n');
  t.is(statSync(path).mode & 0o777, 0o600);
  await keepBootTable(nodeSystem, path, 'two\n');
  t.is(readFileSync(path, 'utf8'), 'two\n');
  await keepBootTable(nodeSystem, path, null);
  t.false(existsSync(path));
});

test('writes unchanged rules no second time: flash wears', async (t) => {
  const path = join(temporaryFolder(t), 'boot.nft');
  await keepBootTable(nodeSystem, path, 'one\n');
  const { mtimeNs } = statSync(path, { bigint: true });
  await keepBootTable(nodeSystem, path, 'one\n');
  t.is(statSync(path, { bigint: true }).mtimeNs, mtimeNs);
});

const warningsOf = (option: string) =>
  findFirewallWarnings(
    parseUci(`config defaults\n\toption input 'REJECT'\n${option}\n`, 'firewall'),
    'iot0',
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
  t.deepEqual(await readFirewallWarnings(nodeSystem, 'iot0', [], temporaryFolder(t)), []);
});

test('the endpoint’s unit bounds its memory, far above what may wait for homes, and ends all of it at once', (t) => {
  const unit = readFileSync('files/debian/iotshaper-endpoint.service', 'utf8');
  t.true(Number(/^MemoryMax=(\d+)M$/m.exec(unit)?.[1]) > 2 * 160);
  t.regex(unit, /^MemorySwapMax=0$/m);
  t.regex(unit, /^OOMPolicy=stop$/m);
  t.regex(unit, /^Restart=always$/m);
});
