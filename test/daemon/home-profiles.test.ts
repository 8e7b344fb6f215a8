// What becomes of an uploaded profile: in its place at once, or beside the one that works until it was seen to connect.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type HomeState, initialState } from '../../src/core/home/machine/state.ts';
import { HomeProfiles } from '../../src/shell/home/home-profiles.ts';
import { readProfileText } from '../../src/shell/openvpn/profile-file.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';
import { desired } from '../home/world.ts';

const works = readFileSync('test/fixtures/openvpn/home.ovpn', 'utf8');
const other = works.replaceAll('vps.example.org', 'b.example.org');

/** A home whose profile connected, or did not yet. */
function makeHome(t: ExecutionContext, isProved: boolean) {
  const dir = mkdtempSync(join(tmpdir(), 'iotshaper-profiles-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'home.ovpn');
  const configPath = join(dir, 'iotshaper');
  writeFileSync(path, works);
  writeFileSync(configPath, `config tunnel 'tunnel'\n\toption profile '${path}'\n`);
  const state: HomeState = initialState({ uid: 0, managementSocket: '', trialSocket: '' }, 0);
  const profile = readProfileText(works)!;
  state.intent = { kind: 'on', desired: { ...desired(), profile } };
  state.proved = isProved ? profile : null;
  let reloads = 0;
  const profiles = new HomeProfiles({
    ...{
      system: nodeSystem,
      configPath,
      provedPath: join(dir, 'last-good.ovpn'),
      log: () => {},
      state: () => state,
    },
    reload: async () => {
      reloads++;
      const text = existsSync(`${path}.new`) ? readFileSync(`${path}.new`, 'utf8') : null;
      state.trial = text ? { profile: readProfileText(text)!, failure: null, endedMs: 0 } : null;
    },
  });
  return { path, state, profiles, reloads: () => reloads };
}

test('beside one that works it waits, and takes its place once it is in force', async (t) => {
  const { path, state, profiles, reloads } = makeHome(t, true);
  t.like(await profiles.store(other), { ok: true, tried: true });
  t.is(reloads(), 1);
  t.is(readFileSync(path, 'utf8'), works);
  t.is(readFileSync(`${path}.new`, 'utf8'), other);
  t.is(statSync(`${path}.new`).mode & 0o777, 0o600);
  state.intent = { kind: 'on', desired: { ...desired(), profile: readProfileText(other)! } };
  await profiles.adopt(path);
  t.is(readFileSync(path, 'utf8'), other);
  t.false(existsSync(`${path}.new`));
});

test('one that waits and was not the one to connect is forgotten', async (t) => {
  const { path, profiles } = makeHome(t, true);
  await profiles.store(other);
  await profiles.adopt(path);
  t.is(readFileSync(path, 'utf8'), works);
  t.false(existsSync(`${path}.new`));
});

test('the one in use, uploaded again, ends the waiting of another', async (t) => {
  const { path, profiles } = makeHome(t, true);
  await profiles.store(other);
  t.like(await profiles.store(works), { ok: true, tried: false });
  t.false(existsSync(`${path}.new`));
});

test('where none works it is put in its place at once', async (t) => {
  const { path, profiles } = makeHome(t, false);
  t.like(await profiles.store(other), { ok: true, tried: false });
  t.is(readFileSync(path, 'utf8'), other);
});

test('one that is refused changes nothing', async (t) => {
  const { path, profiles, reloads } = makeHome(t, true);
  t.like(await profiles.store(works.replace('<key>', '<KEY>')), { ok: false });
  t.is(reloads(), 0);
  t.is(readFileSync(path, 'utf8'), works);
});
