// Files the service keeps, and what it makes of the firewall's.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseUci } from '../../src/core/config/uci/uci.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { keepBootTable } from '../../src/shell/home/boot-table.ts';
import {
  findFirewallWarnings,
  readFirewallWarnings,
} from '../../src/shell/home/firewall-warnings.ts';
import { judgeProfile, storeProfile } from '../../src/shell/openvpn/profile-file.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const profile = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-files-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('rules for the next boot are written when they change, and removed', async (t) => {
  const path = join(newFolder(t), 'boot.nft');
  await keepBootTable(nodeSystem, path, null);
  await keepBootTable(nodeSystem, path, 'table inet a {}\n');
  t.is(readFileSync(path, 'utf8'), 'table inet a {}\n');
  t.is(statSync(path).mode & 0o777, 0o600);
  const { mtimeMs, ino } = statSync(path);
  await keepBootTable(nodeSystem, path, 'table inet a {}\n');
  t.like(statSync(path), { mtimeMs, ino });
  await keepBootTable(nodeSystem, path, 'table inet b {}\n');
  t.is(readFileSync(path, 'utf8'), 'table inet b {}\n');
  await keepBootTable(nodeSystem, path, null);
  t.false(existsSync(path));
});

test('a profile handed in is judged by line, or stored for its owner alone', async (t) => {
  t.deepEqual(judgeProfile(profile), { ok: true, errors: [], endpoint: 'vps.example.org:1194' });
  t.deepEqual(judgeProfile(`up x\n${profile}`), {
    ok: false,
    errors: [
      {
        line: 1,
        message: 'up x: runs a program on the router; remove it',
        code: 'directive-refused',
        values: { directive: 'up x', why: { code: 'runs-program', values: {} } },
      },
    ],
  });
  const path = join(newFolder(t), 'etc', 'iotshaper', 'home.ovpn');
  await storeProfile(nodeSystem, path, 'old');
  await storeProfile(nodeSystem, path, profile);
  t.is(readFileSync(path, 'utf8'), profile);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is(statSync(join(path, '..')).mode & 0o777, 0o700);
});

const firewall = (options: string) =>
  findFirewallWarnings(parseUci(Buffer.from(`config defaults\n${options}`), 'firewall'), 'iot0');

test('settings of the firewall that undo shaping are named, with what to do', (t) => {
  t.deepEqual(firewall(''), []);
  t.deepEqual(firewall("\toption flow_offloading '0'\n\toption auto_includes '1'\n"), []);
  const [flow, includes, ...others] = firewall(
    "\toption flow_offloading '1'\n\toption auto_includes 'off'\n",
  );
  t.regex(
    wordsOf(flow!),
    /^firewall\.@defaults\[0\]\.flow_offloading: is on, .*uci set .*flow_offloading=0/,
  );
  t.regex(
    wordsOf(includes!),
    /^firewall\.@defaults\[0\]\.auto_includes: is off, .*auto_includes=1/,
  );
  t.deepEqual(others, []);
  t.deepEqual(findFirewallWarnings(parseUci(Buffer.from(''), 'firewall'), 'iot0'), []);
});

test('a firewall whose zones do not know the netdev of devices’ packets is told of', (t) => {
  const zone = (name: string, more = '') => `\nconfig zone\n\toption name '${name}'\n${more}`;
  const said = (text: string) => firewall(text).map((warning) => wordsOf(warning));
  const [warning, ...others] = said(`${zone('lan')}${zone('wan')}`);
  t.regex(warning!, /run "uci add_list firewall\.@zone\[1\]\.device=iot0; /);
  t.deepEqual(others, []);
  t.regex(said(`${zone('lan')}${zone('dsl', '\toption masq 1\n')}`)[0]!, /@zone\[1\]\.device=iot0/);
  t.deepEqual(said(`${zone('wan', "\tlist device 'iot0'\n")}`), []);
  t.deepEqual(said(`${zone('vpn', "\toption device 'eth1 iot0'\n")}${zone('wan')}`), []);
  t.deepEqual(said(zone('lan')), []);
});

test('no firewall, or one that can’t be read, is nothing to warn of', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'firewall');
  const read = () => readFirewallWarnings(nodeSystem, 'iot0', ['br-iot'], folder);
  t.deepEqual(await read(), []);
  writeFileSync(path, "config defaults\n\toption flow_offloading '1");
  t.deepEqual(await read(), []);
  writeFileSync(path, "config defaults\n\toption flow_offloading '1'\n");
  t.is((await read()).length, 1);
});

/** A firewall in which devices' zone, with the interface `things` on br-iot, may forward to these zones. */
const zones = (...goals: string[]) => `
config zone
	option name 'wan'
	list device 'iot0'
	option masq '1'
config zone
	option name 'iot'
	list network 'things'
config zone
	option name 'vpn'
	option masq '1'
config zone
	option name 'lan'
${goals.map((goal) => `config forwarding\n\toption src 'iot'\n\toption dest '${goal}'\n`).join('')}`;

for (const [goals, isTold] of [
  [['vpn'], true],
  [['vpn', 'lan'], true],
  [['vpn', 'wan'], false],
  [['wan'], false],
  [['lan'], false],
  [[], false],
] as const) {
  test(`devices' zone that may forward to ${goals.join(' and ') || 'none'} is ${isTold ? 'told of' : 'no matter'}`, async (t) => {
    const folder = newFolder(t);
    writeFileSync(join(folder, 'network'), "config interface 'things'\n\toption device 'br-iot'\n");
    writeFileSync(join(folder, 'firewall'), zones(...goals));
    const [found, ...others] = await readFirewallWarnings(nodeSystem, 'iot0', ['br-iot'], folder);
    t.deepEqual(others, []);
    t.deepEqual(found?.code, isTold ? 'firewall-forwards-elsewhere' : undefined);
    if (!found) return;
    t.regex(
      wordsOf(found),
      /zone iot may go out by zone vpn alone, .*run "uci add_list firewall\.@zone\[2\]\.device=iot0;/,
    );
  });
}
