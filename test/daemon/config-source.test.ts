// The configuration in force: read whole, refused whole, the last good one kept.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { keepGoodConfig, readGoodConfig } from '../../src/shell/home/config-source.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const option = 'iotshaper.tunnel.profile';
const soundProfile = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a configuration that names its profile; returns both paths. */
function write(t: ExecutionContext, main: string, profile: string | null = soundProfile) {
  const folder = newFolder(t);
  const config = join(folder, 'iotshaper');
  const path = join(folder, 'home.ovpn');
  writeFileSync(
    config,
    `config iotshaper 'main'\n${main}\nconfig tunnel 'tunnel'\n\toption profile '${path}'\n\nconfig network\n\toption device 'br-iot'\n`,
  );
  if (profile !== null) writeFileSync(path, profile);
  return { folder, config, profile: path };
}

const on = "\toption enabled '1'\n";

test('a configuration in order comes with its profile', async (t) => {
  const { config } = write(t, `${on}\toption rate '5'\n`);
  const { good, status } = await readGoodConfig(nodeSystem, config);
  t.deepEqual(status, { ok: true, errors: [], warnings: [] });
  t.is(good?.config.main.rate.uploadKBps, 5);
  t.is(good?.profile?.remotes[0]?.host, 'vps.example.org');
});

test('a netdev that somebody else made is not taken for the tunnel’s', async (t) => {
  for (const netdev of ['lo', 'iotvpn0']) {
    const { config } = write(t, on);
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace("'tunnel'\n", `'tunnel'\n\toption interface '${netdev}'\n`));
    const { good, status } = await readGoodConfig(nodeSystem, config);
    t.is(good, null);
    t.regex(
      wordsOf(status.errors[0]!),
      new RegExp(`^iotshaper\\.tunnel\\.interface: .*"${netdev}"`),
    );
  }
});

test('while shaping is off no profile is asked for', async (t) => {
  const { good, status } = await readGoodConfig(nodeSystem, write(t, '', null).config);
  t.true(status.ok);
  t.is(good?.profile, null);
});

test('a missing profile is named, and what to do', async (t) => {
  const { config, profile } = write(t, on, null);
  t.deepEqual(await readGoodConfig(nodeSystem, config), {
    good: null,
    status: {
      ok: false,
      warnings: [],
      errors: [
        {
          path: option,
          value: profile,
          ...notice('profile-not-there', { path: option, file: profile }),
        },
      ],
    },
  });
});

test('every problem of a profile is named with its line', async (t) => {
  const { config, profile } = write(t, on, `${soundProfile}up /tmp/x\n</key>\n`);
  const { good, status } = await readGoodConfig(nodeSystem, config);
  t.is(good, null);
  t.deepEqual(
    status.errors.map((one) => wordsOf(one)),
    [
      `${option}: ${profile}, line 38: up /tmp/x: runs a program on the router; remove it`,
      `${option}: ${profile}, line 39: </key>: closes a block that is not open`,
    ],
  );
});

test('every wrong option is named, and none is applied', async (t) => {
  const { config } = write(t, `${on}\toption rate 'fast'\n\toption mode 'x'\n`);
  const { good, status } = await readGoodConfig(nodeSystem, config);
  t.is(good, null);
  t.deepEqual(
    status.errors.map(({ path, value }) => [path, value]),
    [
      ['iotshaper.main.rate', 'fast'],
      ['iotshaper.main.mode', 'x'],
    ],
  );
});

test('warnings do not refuse', async (t) => {
  const { good, status } = await readGoodConfig(
    nodeSystem,
    write(t, `${on}\toption colour 'red'\n`).config,
  );
  t.not(good, null);
  t.is(status.warnings.length, 1);
});

test('what is no UCI is refused with its line', async (t) => {
  const { good, status } = await readGoodConfig(nodeSystem, write(t, "\toption rate '5\n").config);
  t.is(good, null);
  t.is(status.errors.length, 1);
  t.regex(wordsOf(status.errors[0]!), /unterminated .* at line 8/);
});

test('a file that is not there, or is none, is refused with its name', async (t) => {
  const folder = newFolder(t);
  for (const [path, code] of [
    [join(folder, 'none'), 'ENOENT'],
    [folder, 'EISDIR'],
  ]) {
    const { good, status } = await readGoodConfig(nodeSystem, path!);
    t.is(good, null);
    t.is(status.errors.length, 1);
    t.is(
      wordsOf(status.errors[0]!),
      `${path}: can't be read (${code}); restore it or reinstall iot-shaper`,
    );
  }
});

test('what was put in force is kept, readable by its owner alone, and written only when it changed', async (t) => {
  const { folder, config } = write(t, on);
  const kept = join(folder, 'last-good');
  await keepGoodConfig(nodeSystem, config, kept);
  t.deepEqual(readFileSync(kept), readFileSync(config));
  t.is(statSync(kept).mode & 0o777, 0o600);
  const { ino, mtimeMs } = statSync(kept);
  await keepGoodConfig(nodeSystem, config, kept);
  t.is(statSync(kept).ino, ino);
  t.is(statSync(kept).mtimeMs, mtimeMs);
  writeFileSync(config, `config iotshaper 'main'\n\toption rate '7'\n`);
  await keepGoodConfig(nodeSystem, config, kept);
  t.is((await readGoodConfig(nodeSystem, kept)).good?.config.main.rate.uploadKBps, 7);
});
