// The endpoint's state on disk, with real openssl: profiles that the home takes, files that only the owner reads.
import { X509Certificate } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { owns } from '../../src/core/endpoint/identity.ts';
import { parseCopy, renderCopy } from '../../src/core/endpoint/keeping.ts';
import { toHost, toPort } from '../../src/core/endpoint/place.ts';
import { networkOf } from '../../src/core/ip/address.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { innerPrefix4, innerPrefix6 } from '../../src/core/plan/nft/nft-endpoint.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

function newStore(t: ExecutionContext): EndpointStore {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return new EndpointStore(nodeSystem, join(folder, 'endpoint'));
}

const made = mkdtempSync(join(tmpdir(), 'iotshaper-store-'));
test.after.always(() => rmSync(made, { recursive: true, force: true }));
let init: Promise<unknown> | null = null;

/** One that was made for vps.example.org at port 1194, with no home yet; made once, and copied. */
async function newEndpoint(t: ExecutionContext): Promise<EndpointStore> {
  const folder = join(made, 'endpoint');
  init ??= new EndpointStore(nodeSystem, folder).init('vps.example.org', 1194);
  await init;
  const store = newStore(t);
  cpSync(folder, store.dir, { recursive: true });
  return store;
}

async function refusal(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  return (await t.throwsAsync(work)).message;
}

test('a profile is taken by the home, and names this endpoint alone', async (t) => {
  const store = newStore(t);
  await store.init('vps.example.org', 1195);
  const profile = await store.addHome('cottage');
  const verdict = checkProfile(profile, pemReader);
  if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
  const { remotes, trust, inside, controlKey } = verdict.profile;
  t.deepEqual(remotes, [{ host: 'vps.example.org', port: 1195, proto: 'udp' }]);
  const endpoint = new X509Certificate(readFileSync(store.certificatePath));
  t.true(profile.includes(`<peer-fingerprint>\n${endpoint.fingerprint256}\n</peer-fingerprint>`));
  t.deepEqual(trust, { fingerprints: [endpoint.fingerprint256], ca: [], name: null });
  const { innerNet6 } = await store.identity();
  t.is(inside.tunnel, '10.213.0.0/24');
  t.is(inside.inner4, '10.214.0.0/16');
  t.is(inside.inner6, networkOf(`${innerNet6}::`, 48));
  const [home] = await store.homes();
  t.is(home?.controlKey, Buffer.from(controlKey).toString('base64'));
  const certificate = new X509Certificate(profile.split(/<\/?cert>/)[1]!);
  t.is(home?.fingerprint, certificate.fingerprint256);
  t.is(certificate.subject, `CN=${home?.commonName}`);
  t.regex(home!.commonName, /^cottage\.[0-9a-f]{16}$/);
  // The endpoint's authority vouches for it; it can vouch for nobody.
  const authority = new X509Certificate(readFileSync(store.authorityPath));
  t.true(
    authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
  );
  t.false(certificate.ca);
  t.true(new Date(certificate.validTo).getFullYear() > 2100);
  t.is(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

test('nothing in the directory is readable by others, and no home’s key is kept', async (t) => {
  const store = newStore(t);
  await store.init('192.0.2.1', 1194);
  const profile = await store.addHome('cottage');
  const files = readdirSync(store.dir, { recursive: true, encoding: 'utf8' });
  t.deepEqual(files.sort(), [
    ...[
      'endpoint.crt',
      'endpoint.json',
      'endpoint.key',
      'homes-ca.crt',
      'homes-ca.key',
      'homes.json',
    ],
  ]);
  const key = profile.split(/<\/?key>/)[1]!.trim();
  t.regex(key, /^-----BEGIN PRIVATE KEY-----/);
  for (const file of files) {
    const path = join(store.dir, file);
    const stat = statSync(path);
    t.is(stat.mode & 0o077, 0, file);
    if (stat.isFile()) t.false(readFileSync(path, 'utf8').includes(key.slice(30, 80)), file);
  }
  t.is(statSync(store.dir).mode & 0o077, 0);
});

test('addresses are given from 2 on, and given again when a home is gone', async (t) => {
  const store = await newEndpoint(t);
  for (const name of ['a', 'a.new', 'b']) await store.addHome(name);
  const hosts = async () => (await store.homes()).map(({ name, host }) => [name, host]);
  t.deepEqual(await hosts(), [
    ['a', 2],
    ['a.new', 3],
    ['b', 4],
  ]);
  await store.removeHome('a.new');
  await store.addHome('c');
  t.deepEqual((await hosts()).at(-1), ['c', 3]);
});

test('a second endpoint, a second home of a name, an unknown home are refused in words', async (t) => {
  const store = newStore(t);
  t.is(
    await refusal(t, store.homes()),
    `${store.dir}: there is no endpoint yet; run "iotshaper endpoint init --host HOST" first`,
  );
  await refusal(t, store.addHome('x'));
  await store.init('vps.example.org', 1194);
  const key = readFileSync(store.keyPath);
  t.regex(await refusal(t, store.init('other.example.org', 1)), /there is an endpoint already/);
  t.deepEqual(readFileSync(store.keyPath), key);
  t.is(await refusal(t, store.removeHome('x')), 'there is no home "x"; there is: none');
  await store.addHome('a');
  t.is(
    await refusal(t, store.addHome('a')),
    'there is a home "a" already, and its key is kept nowhere but in its profile; run "iotshaper endpoint rotate a" for a new profile, which ends the one before it, or choose another name',
  );
  t.is(await refusal(t, store.removeHome('A')), 'there is no home "A"; there is: a');
});

for (const name of [
  '',
  '.',
  '..',
  '.a',
  '-a',
  'a/b',
  '../x',
  'a b',
  'a\nb',
  'ä',
  'x'.repeat(33),
  'DEFAULT',
]) {
  test(`no home is called ${JSON.stringify(name)}`, async (t) => {
    const store = await newEndpoint(t);
    t.regex(await refusal(t, store.addHome(name)), /^NAME: must/);
    t.deepEqual(await store.homes(), []);
  });
}

const elsewhere = /^--host: must be the name or address by which homes reach this server/;
for (const [host, port, said] of [
  ['', 1194, /^--host: must be a host name or an address, got ""$/],
  ['a b', 1194, /^--host: must be a host name or an address, got "a b"$/],
  ['-x', 1194, /^--host: must be a host name or an address, got "-x"$/],
  ['a\nup x', 1194, /^--host: must be a host name or an address, got "a\nup x"$/],
  ['a..b', 1194, /^--host: must be a host name or an address, got "a..b"$/],
  ['12345', 1194, /^--host: must be a host name or an address, got "12345"$/],
  ['999.1.1.1', 1194, /^--host: must be a host name or an address, got "999.1.1.1"$/],
  ['vps:1194', 1194, /^--host: must be without a port, got "vps:1194"; .* --port 1194$/],
  ['192.0.2.1:443', 1194, /^--host: must be without a port, .* --port 443$/],
  ['[2001:db8::1]:443', 1194, /^--host: must be without a port, .* --port 443$/],
  ['[2001:db8::1]', 1194, /^--host: must be without brackets, got "\[2001:db8::1\]"$/],
  ['https://vps.example.org', 1194, /^--host: must be a host name or an address/],
  ['localhost', 1194, elsewhere],
  ['vps.LOCALHOST', 1194, elsewhere],
  ['127.0.0.1', 1194, elsewhere],
  ['0.0.0.0', 1194, elsewhere],
  ['169.254.1.1', 1194, elsewhere],
  ['255.255.255.255', 1194, elsewhere],
  ['::1', 1194, elsewhere],
  ['::', 1194, elsewhere],
  ['fe80::1', 1194, elsewhere],
  ['a', 0, /^--port: must be between 1 and 65535, got "0"$/],
  ['a', 53, /^--port: 53 is the resolver's; take 443 or 1194$/],
  ['a', 65_536, /^--port: must be between 1 and 65535, got "65536"$/],
  ['a', Number.NaN, /^--port: must be between 1 and 65535, got "NaN"$/],
] as const) {
  test(`no endpoint at ${JSON.stringify(host)}:${port}`, async (t) => {
    const store = newStore(t);
    t.regex(await refusal(t, store.init(host, port)), said);
    t.throws(() => statSync(store.dir), { code: 'ENOENT' });
  });
}

test('its host may be changed, to what init would take, and new profiles name it', async (t) => {
  const store = newStore(t);
  t.regex(await refusal(t, store.move(toHost('new.example.org'))), /there is no endpoint yet/);
  await store.init('vps.example.org', 1194);
  await store.addHome('a');
  const stamp = await store.stamp();
  t.throws(() => toHost('new.example.org:1194'), { message: /^HOST: must be without a port/ });
  t.throws(() => toPort(53), { message: /^PORT: 53 is the resolver's/ });
  const { before, after } = await store.move(toHost('new.example.org'));
  t.is(before.host, 'vps.example.org');
  t.deepEqual(after, { ...before, host: 'new.example.org' });
  t.deepEqual(await store.identity(), after);
  t.regex(await store.addHome('b'), /^remote new\.example\.org 1194$/m);
  t.is(await store.stamp(), stamp, 'who serves it goes on');
});

test('homes added side by side are all there, each with an address of its own', async (t) => {
  const store = await newEndpoint(t);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const stores = names.map(() => new EndpointStore(nodeSystem, store.dir));
  await Promise.all(stores.map((one, i) => one.addHome(names[i]!)));
  const homes = await store.homes();
  t.deepEqual(homes.map(({ name }) => name).sort(), names);
  t.is(new Set(homes.map(({ host }) => host)).size, names.length);
  await Promise.all([
    ...['a', 'b'].map((name) => store.removeHome(name)),
    store.rotateHome('c'),
    store.addHome('g'),
  ]);
  const left = await store.homes();
  t.deepEqual(left.map(({ name }) => name).sort(), ['c', 'd', 'e', 'f', 'g']);
});

test('two inits side by side make one endpoint', async (t) => {
  const store = newStore(t);
  const made = await Promise.allSettled([store.init('a', 1), store.init('b', 2)]);
  t.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const [first] = made.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  t.deepEqual(await store.identity(), first);
});

test('a home with new keys keeps its address, and its old profile is worth nothing', async (t) => {
  const store = await newEndpoint(t);
  await store.addHome('a');
  await store.addHome('b');
  const before = await store.homes();
  const profile = await store.rotateHome('a');
  const [a, b] = await store.homes();
  t.deepEqual(b, before[1]);
  t.like(a, { name: 'a', host: before[0]!.host });
  t.not(a!.fingerprint, before[0]!.fingerprint);
  t.not(a!.controlKey, before[0]!.controlKey);
  t.is(new X509Certificate(profile.split(/<\/?cert>/)[1]!).fingerprint256, a!.fingerprint);
  t.is(await refusal(t, store.rotateHome('x')), 'there is no home "x"; there is: a, b');
});

test('a profile that can’t be delivered changes nothing', async (t) => {
  const store = await newEndpoint(t);
  await store.addHome('a');
  const before = await store.homes();
  const refuse = () => Promise.reject(new Error('disk full'));
  t.is(await refusal(t, store.addHome('b', refuse)), 'disk full');
  t.is(await refusal(t, store.rotateHome('a', refuse)), 'disk full');
  t.deepEqual(await store.homes(), before);
});

test('an endpoint moves to another machine as a whole, where there is none', async (t) => {
  const [store, other] = [newStore(t), newStore(t)];
  await store.init('vps.example.org', 1194);
  await store.addHome('a');
  const copy = parseCopy(renderCopy(await store.export()));
  await other.import(copy);
  t.is(await other.stamp(), await store.stamp());
  t.deepEqual(await other.homes(), await store.homes());
  for (const file of readdirSync(other.dir)) {
    t.is(statSync(join(other.dir, file)).mode & 0o077, 0, file);
    t.is(readFileSync(join(other.dir, file), 'utf8'), readFileSync(join(store.dir, file), 'utf8'));
  }
  t.regex(await refusal(t, other.import(copy)), /there is an endpoint already/);
});

test('only a whole copy is taken', async (t) => {
  const store = await newEndpoint(t);
  await store.addHome('a');
  const text = renderCopy(await store.export());
  for (const other of ['', '{}', 'null', '[]', text.slice(0, -20), '# profile']) {
    t.throws(() => parseCopy(other), { message: 'is not what "iotshaper endpoint export" writes' });
  }
  const whole = JSON.parse(text) as Record<string, unknown>;
  const { identity, homes } = whole as { identity: object; homes: object[] };
  for (const change of [
    { homes: 7 },
    { homes: [...homes, ...homes] },
    { homes: [{ ...homes[0], name: '../x' }] },
    { homes: [{ ...homes[0], host: 1 }] },
    { homes: [{ ...homes[0], fingerprint: 'AA\nup x' }] },
    { key: '' },
    { certificate: 'x' },
    { authority: null },
    { authority: { certificate: 'x', key: 'x' } },
    { homes: [{ ...homes[0], commonName: '../x' }] },
    { identity: null },
    { identity: { ...identity, host: 'a\nup x' } },
    { identity: { ...identity, port: '1194' } },
    { identity: { ...identity, tunnelNet: '10.213' } },
    { identity: { ...identity, innerNet6: '' } },
  ]) {
    t.throws(() => parseCopy(JSON.stringify({ ...whole, ...change })), {
      message: 'is damaged; export the endpoint again',
    });
  }
});

test('an endpoint made anew, or none, is another one to who serves it', async (t) => {
  const store = newStore(t);
  t.is(await store.stamp(), 'none');
  await store.init('vps.example.org', 1194);
  const first = await store.stamp();
  await store.addHome('a');
  t.is(await store.stamp(), first);
  rmSync(store.dir, { recursive: true });
  t.is(await store.stamp(), 'none');
  await store.init('vps.example.org', 1194);
  t.not(await store.stamp(), first);
});

test('the 254th home is one too many', async (t) => {
  const store = await newEndpoint(t);
  const homes = Array.from({ length: 252 }, (_, i) => ({
    name: `home${i}`,
    host: i + 2,
    fingerprint: 'AA',
  }));
  writeFileSync(store.homesPath, JSON.stringify(homes));
  await store.addHome('last');
  t.is((await store.homes()).at(-1)?.host, 254);
  t.is(
    await refusal(t, store.addHome('more')),
    'there are 253 homes already; that is all an endpoint holds',
  );
});

test('every home has a secret of its own', async (t) => {
  const store = newStore(t);
  await store.init('2001:db8::1', 1194);
  for (const name of ['a', 'b']) {
    const verdict = checkProfile(await store.addHome(name), pemReader);
    if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
    const key = Buffer.from(verdict.profile.controlKey).toString('base64');
    t.is((await store.homes()).at(-1)!.controlKey, key);
  }
  const [a, b] = await store.homes();
  t.not(a!.controlKey, b!.controlKey);
});

test('a home of an older version stays in the list, without a key', async (t) => {
  const store = await newEndpoint(t);
  const old = { name: 'old', host: 2, fingerprint: 'AA' };
  const short = { ...old, name: 'short', host: 3, controlKey: 'AAAA' };
  const none = { ...old, name: 'none', host: 4, controlKey: 7 };
  writeFileSync(store.homesPath, JSON.stringify([old, short, none]));
  t.deepEqual(
    (await store.homes()).map(({ name, controlKey }) => [name, controlKey]),
    [
      ['old', ''],
      ['short', ''],
      ['none', ''],
    ],
  );
  await store.removeHome('old');
  await store.addHome('old');
  const found = (await store.homes()).at(-1)!;
  t.is(Buffer.from(found.controlKey, 'base64').length, 32);
  t.is(found.host, 2);
});

test('damaged state is named, never taken for none', async (t) => {
  const store = await newEndpoint(t);
  for (const text of ['[{', '{}', 'null', '[null]', '[{"name":"a"}]', '7', '"x"']) {
    writeFileSync(store.homesPath, text);
    t.is(
      await refusal(t, store.addHome('x')),
      `${store.homesPath}: is damaged; restore it from a backup`,
    );
  }
  const path = join(store.dir, 'endpoint.json');
  for (const text of ['', 'null', '{}', '{"host":"a","port":1194}']) {
    writeFileSync(path, text);
    for (const work of [store.identity(), store.init('vps.example.org', 1194), store.homes()]) {
      t.is(await refusal(t, work), `${path}: is damaged; restore it from a backup`);
    }
  }
});

test('a home owns the addresses its packets come from, whatever prefix was drawn', async (t) => {
  const store = newStore(t);
  const drawn = await store.init('vps.example.org', 1194);
  t.regex(drawn.innerNet6, /^fd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/);
  for (const innerNet6 of [drawn.innerNet6, 'fd00:0000:0000', 'fd01:0203:0040', 'fdff:ffff:ffff']) {
    for (const host of [2, 16, 254]) {
      const inner = {
        prefix4: innerPrefix4(drawn, host),
        prefix6: innerPrefix6({ innerNet6 }, host),
        resolver4: '',
        resolver6: null,
      };
      const base = inner.prefix6!.replace(/::\/64$/, '');
      const [own] = networkOf(`${innerNet6}:${host.toString(16)}::1:2`, 128).split('/') as [string];
      t.true(owns(inner, own), `${own} of ${inner.prefix6}`);
      t.true(owns(inner, `10.214.${host}.7`));
      t.false(owns(inner, `10.214.${host + 1}.7`));
      t.false(owns(inner, `10.215.${host}.7`));
      t.false(owns(inner, '2001:db8::1'));
      t.true(base.length > 0);
      t.false(owns(inner, ''));
      t.false(owns({ ...inner, prefix6: null }, own));
    }
  }
});
