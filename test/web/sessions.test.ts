// Logins and tries: how long the ones last, how often the others are free; passwords and their hashes.
import test from 'ava';
import { findPasswordFault, wordPassword } from '../../src/core/web/password.ts';
import { Sessions } from '../../src/core/web/sessions.ts';
import { Tries } from '../../src/core/web/tries.ts';
import { hashPassword, isPassword, isPasswordHash } from '../../src/shell/web/password-hash.ts';

const MINUTE_MS = 60_000;

function createSessions(): Sessions {
  let drawn = 0;
  return new Sessions(() => `word-${++drawn}`);
}

test('a login lasts while it is used, and half a day at most', (t) => {
  const sessions = createSessions();
  const { id, token } = sessions.open(0);
  t.not(id, token);
  t.is(sessions.find(id, 29 * MINUTE_MS)?.token, token);
  t.truthy(sessions.find(id, 58 * MINUTE_MS));
  t.is(sessions.find(id, 89 * MINUTE_MS), null);
  t.is(sessions.find(id, 0), null, 'it is gone for good');
  const busy = sessions.open(0);
  for (let atMs = 0; atMs <= 720 * MINUTE_MS; atMs += 20 * MINUTE_MS) {
    t.truthy(sessions.find(busy.id, atMs));
  }
  t.is(sessions.find(busy.id, 721 * MINUTE_MS), null);
});

test('logging out ends one, another password all, many the oldest', (t) => {
  const sessions = createSessions();
  const [first, second] = [sessions.open(0), sessions.open(0)];
  sessions.close(first.id);
  t.is(sessions.find(first.id, 1), null);
  t.truthy(sessions.find(second.id, 1));
  for (let n = 0; n < 32; n++) sessions.open(2);
  t.is(sessions.find(second.id, 3), null);
  const last = sessions.open(4);
  sessions.clear();
  t.is(sessions.find(last.id, 5), null);
  t.is(sessions.find('', 5), null);
});

test('five tries are free, then one each half a minute, for each address by itself', (t) => {
  const tries = new Tries();
  for (let n = 0; n < 5; n++) {
    t.is(tries.waitS('a', 1000), 0, `${n}`);
    tries.count('a', 1000);
  }
  t.is(tries.waitS('a', 1000), 30);
  t.is(tries.waitS('b', 1000), 0);
  t.is(tries.waitS('a', 31_000), 0);
  tries.count('a', 31_000);
  t.is(tries.waitS('a', 31_000), 30);
  tries.forgive('a');
  t.is(tries.waitS('a', 31_000), 0);
});

test('many addresses make nothing grow', (t) => {
  const tries = new Tries();
  for (let n = 0; n < 5; n++) tries.count('first', 0);
  for (let n = 0; n < 1024; n++) tries.count(`other ${n}`, 0);
  t.is(tries.waitS('first', 0), 0);
});

test('a password is known by its hash alone', async (t) => {
  const line = await hashPassword('correct horse', new Uint8Array(16).fill(7));
  t.true(isPasswordHash(line));
  t.false(line.includes('correct'));
  t.true(await isPassword('correct horse', `${line}\n`));
  t.false(await isPassword('correct horsf', line));
  t.false(await isPassword('', line));
  for (const bad of ['', 'correct horse', line.replace('$8$', '$9$'), line.slice(0, -2)]) {
    t.false(await isPassword('correct horse', bad), bad);
  }
});

test('a weak password is refused, one that is made up has eighty bits', (t) => {
  t.regex(findPasswordFault('short')!, /10 characters/);
  t.regex(findPasswordFault('aaaaaaaaaaaa')!, /too easily guessed/);
  t.regex(findPasswordFault('ab'.repeat(200))!, /more than/);
  const made = wordPassword(Uint8Array.from({ length: 16 }, (_, at) => at * 17));
  t.regex(made, /^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/);
  t.is(findPasswordFault(made), null);
});
