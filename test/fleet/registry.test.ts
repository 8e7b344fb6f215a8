// A fleet's registry in a real PostgreSQL: what one machine's files do, for several endpoints, and while PostgreSQL is gone.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { limitsOf, withLimits } from '../../src/core/endpoint/admission/limits.ts';
import { EndpointFigures, type ServedHome } from '../../src/core/endpoint/fleet/figures.ts';
import { toFreeNets, toHost } from '../../src/core/endpoint/place.ts';
import { checkProfile } from '../../src/core/openvpn/profile.ts';
import { type Registry, removeHome } from '../../src/shell/endpoint/registry.ts';
import { EndpointStore } from '../../src/shell/endpoint/store.ts';
import { Database } from '../../src/shell/fleet/database.ts';
import { FleetStore } from '../../src/shell/fleet/fleet-store.ts';
import { FleetKeeper } from '../../src/shell/fleet/keeper.ts';
import { NEWEST } from '../../src/shell/fleet/migrations.ts';
import { Presence } from '../../src/shell/fleet/presence.ts';
import { pemReader } from '../../src/shell/openvpn/pem-reader.ts';
import { nodeSystem as system } from '../../src/shell/system/node/node-system.ts';
import { Postgres } from './postgres.ts';

let postgres: Postgres;
test.before(() => {
  postgres = new Postgres();
});
test.after.always(() => postgres?.remove());

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'iotshaper-fleet-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Endpoint {
  store: FleetStore;
  database: Database;
  workDir: string;
}

function endpointOf(t: ExecutionContext, url: string, endpoint: string): Endpoint {
  const database = new Database(url);
  t.teardown(() => database.close());
  const workDir = join(temporaryFolder(t), 'work');
  return { store: new FleetStore({ system, database, endpoint, workDir }), database, workDir };
}

/** Two of one fleet, by their names of one.example.org and two.example.org. */
async function twoEndpoints(t: ExecutionContext): Promise<[Endpoint, Endpoint]> {
  const url = postgres.createDatabase();
  const [one, two] = [endpointOf(t, url, 'vps1'), endpointOf(t, url, 'vps2')];
  await one.store.init('one.example.org', 1194);
  await two.store.init('two.example.org', 1194);
  return [one, two];
}

async function refusal(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  return (await t.throwsAsync(work)).message;
}

/** Waits until it is so, without a clock of its own: whoever calls this is called back by what changes it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What any registry does, whatever it keeps homes in. */
const keepsHomes = test.macro(
  async (t, open: (t: ExecutionContext) => Registry | Promise<Registry>) => {
    const registry = await open(t);
    await t.throwsAsync(registry.homes(), { message: /run "iotshaper endpoint init --host HOST"/ });
    await registry.init('vps.example.org', 1195, ['10.213.0.0/24']);
    const identity = await registry.identity();
    t.like(identity, { host: 'vps.example.org', port: 1195, tunnelNet: '10.215.0' });

    const profile = await registry.addHome('cottage');
    const verdict = checkProfile(profile, pemReader);
    if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
    t.deepEqual(verdict.profile.remotes, [{ host: 'vps.example.org', port: 1195, proto: 'udp' }]);
    await t.throwsAsync(registry.addHome('cottage'), {
      message: /there is a home "cottage" already/,
    });
    await t.throwsAsync(registry.addHome('../x'), { message: /^NAME: must/ });
    const refuse = () => Promise.reject(new Error('disk full'));
    t.is(await refusal(t, registry.addHome('b', refuse)), 'disk full');
    await Promise.all(['b', 'c', 'd'].map((name) => registry.addHome(name)));
    const homes = await registry.homes();
    t.deepEqual(homes.map(({ name }) => name).sort(), ['b', 'c', 'cottage', 'd']);
    t.deepEqual(homes.map(({ host }) => host).sort(), [2, 3, 4, 5]);

    const old = homes.find(({ name }) => name === 'cottage')!;
    await registry.rotateHome('cottage');
    const fresh = (await registry.homes()).find(({ name }) => name === 'cottage')!;
    t.is(fresh.host, old.host);
    t.not(fresh.fingerprint, old.fingerprint);
    t.deepEqual((await registry.removeHome('b')).map(({ name }) => name).sort(), [
      'c',
      'cottage',
      'd',
    ]);
    t.regex(await refusal(t, registry.removeHome('b')), /^there is no home "b"; there is: /);
    await registry.changeLimits((book) => withLimits(book, { home: 'c' }, { monthGB: 200 }));
    t.like(limitsOf(await registry.limits(), 'c'), { monthGB: 200, downKBps: null });
    await removeHome(registry, 'c');
    await registry.addHome('c');
    t.is(limitsOf(await registry.limits(), 'c').monthGB, null);
    const { before, after } = await registry.move(toHost('new.example.org'));
    t.deepEqual(after, { ...before, host: 'new.example.org' });
    t.deepEqual(await registry.identity(), { ...identity, host: 'new.example.org' });
    const copy = await registry.export();
    t.deepEqual([...copy.homes], await registry.homes());
    t.regex(copy.authority?.certificate ?? '', /BEGIN CERTIFICATE/);
    await t.throwsAsync(registry.import(copy), { message: /already/ });
  },
);

test(
  'files keep homes',
  keepsHomes,
  (t) => new EndpointStore(system, join(temporaryFolder(t), 'endpoint')),
);

test(
  'PostgreSQL keeps homes',
  keepsHomes,
  (t) => endpointOf(t, postgres.createDatabase(), 'vps1').store,
);

test('a drained endpoint is told of, and comes last in the profiles that are made', async (t) => {
  const [one, two] = await twoEndpoints(t);
  const known = async () =>
    (await two.store.endpoints()).map(({ name, drained, heard }) => [name, drained, heard]);
  t.deepEqual(await known(), [
    ['vps1', false, false],
    ['vps2', false, false],
  ]);
  const presence = new Presence(one.database, 'vps1', new EndpointFigures());
  await presence.tell({ month: '2026-11', homes: {} }, { drained: true });
  t.deepEqual(await known(), [
    ['vps1', true, true],
    ['vps2', false, false],
  ]);
  for (const name of ['a', 'b', 'c']) {
    const verdict = checkProfile(await two.store.addHome(name), pemReader);
    if (!verdict.ok) return t.fail(JSON.stringify(verdict.problems));
    const hosts = verdict.profile.remotes.map(({ host }) => host);
    t.deepEqual(hosts, ['two.example.org', 'one.example.org']);
  }
  await presence.tell({ month: '2026-11', homes: {} });
  t.deepEqual(await known(), [
    ['vps1', false, true],
    ['vps2', false, false],
  ]);
});

test('each endpoint tells what its homes have together, and of its processors', async (t) => {
  const [one, two] = await twoEndpoints(t);
  const known = async () =>
    (await two.store.endpoints()).map(({ cores, slots, kBps }) => [cores, slots, kBps]);
  const untold = [null, 0, 0];
  t.deepEqual(await known(), [untold, untold]);
  const figures = new EndpointFigures();
  const presence = new Presence(one.database, 'vps1', figures);
  const none = { download_kBps: 0, packet_size: 0 };
  const homes = [
    servedHome('a', true),
    servedHome('b', true, { download_kBps: 5.5, packet_size: 1100 }),
    // A plain tunnel, and one that is not there.
    servedHome('c', true, { ...none, packet_size: 512 }),
    servedHome('d', false, none),
  ];
  figures.note(homes, 0);
  await presence.tell({ month: '2026-11', homes: {} }, { cores: 4 });
  t.deepEqual(await known(), [[4, 83.125, 45.5], untold]);
  figures.note([], 0);
  await presence.tell({ month: '2026-11', homes: {} }, { cores: null });
  t.deepEqual(await known(), [untold, untold]);
});

test('several endpoints have the same homes, and a profile names them all', async (t) => {
  const url = postgres.createDatabase();
  const [one, two] = ['vps1', 'vps2'].map((name) => endpointOf(t, url, name));
  const first = await one!.store.init('one.example.org', 1194);
  t.is(
    await refusal(t, two!.store.homes()),
    'the fleet has no endpoint "vps2" yet; run "iotshaper endpoint init --host HOST" first',
  );
  t.regex(
    await refusal(t, two!.store.init('one.example.org', 1194)),
    /^endpoint "vps1" of the fleet is reached by one.example.org port 1194 already/,
  );
  // The ranges are the fleet's, whatever networks this machine is in.
  const second = await two!.store.init('two.example.org', 443, [`${first.tunnelNet}.0/24`]);
  t.deepEqual(second, { ...first, host: 'two.example.org', port: 443 });
  t.deepEqual(await two!.store.init('two.example.org', 443), second, 'again: nothing changes');
  t.regex(await refusal(t, two!.store.init('x.example.org', 443)), /set-host, set-port$/);

  const remotes = async (home: string): Promise<string[]> =>
    [...(await two!.store.addHome(home)).matchAll(/^remote (\S+ \d+)$/gm)].map(([, way]) => way!);
  const ways = ['one.example.org 1194', 'two.example.org 443'];
  t.deepEqual(await remotes('a'), [...ways].reverse());
  t.deepEqual(await remotes('b'), ways);
  t.deepEqual(await one!.store.homes(), await two!.store.homes());
  const [a, b] = [await one!.store.export(), await two!.store.export()];
  t.deepEqual([b.certificate, b.key, b.authority], [a.certificate, a.key, a.authority]);
  await two!.store.move(toFreeNets([`${first.tunnelNet}.0/24`]));
  t.is((await one!.store.identity()).tunnelNet, '10.215.0');
  t.is((await one!.store.identity()).host, 'one.example.org');
  // Nothing of what a change needs is left on this machine.
  t.deepEqual(readdirSync(two!.workDir), []);
});

test('homes added by two endpoints at once are all there, each with an address of its own', async (t) => {
  const url = postgres.createDatabase();
  const endpoints = ['vps1', 'vps2'].map((name) => endpointOf(t, url, name).store);
  // Both make the tables.
  await Promise.all(endpoints.map((store, index) => store.init(`vps${index}.example.org`, 1194)));
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(names.map((name, index) => endpoints[index % 2]!.addHome(name)));
  const homes = await endpoints[0]!.homes();
  t.deepEqual(homes.map(({ name }) => name).sort(), names);
  t.is(new Set(homes.map(({ host }) => host)).size, names.length);
});

test('one machine becomes the first of a fleet with the homes it has', async (t) => {
  const files = new EndpointStore(system, join(temporaryFolder(t), 'endpoint'));
  await files.init('vps.example.org', 1194);
  await files.addHome('a');
  const copy = await files.export();
  const { store } = endpointOf(t, postgres.createDatabase(), 'vps1');
  await store.import(copy);
  t.deepEqual(await store.export(), copy);
});

test('tables of a newer program, and what is no fleet, are refused in words', async (t) => {
  const url = postgres.createDatabase();
  const { store, database } = endpointOf(t, url, 'vps1');
  await store.init('vps.example.org', 1194);
  await store.addHome('a');
  await database.change((ask) => ask("UPDATE homes SET name = 'a b'"));
  t.is(await refusal(t, store.homes()), 'the registry is damaged; restore it from a backup');
  await database.change((ask) => ask('INSERT INTO migrations VALUES ($1)', [NEWEST + 1]));
  t.regex(
    await refusal(t, endpointOf(t, url, 'vps1').store.homes()),
    new RegExp(`/fleet\\d+: the registry was made by a newer iot-shaper \\(step ${NEWEST + 1}`),
  );
});

function keeperOf(t: ExecutionContext, { database }: Endpoint, endpoint: string) {
  const dir = join(temporaryFolder(t), 'copy');
  const logged: string[] = [];
  const log = (level: string, text: string) => void logged.push(`${level}: ${text}`);
  const keeper = new FleetKeeper({ system, database, endpoint, dir, log });
  t.teardown(() => keeper.stop());
  return { keeper, logged, dir, served: new EndpointStore(system, dir) };
}

test.serial(
  'other endpoints see a change; while PostgreSQL is gone the last state stays, and what follows is seen',
  async (t) => {
    const [one, two] = await twoEndpoints(t);
    await one.store.addHome('a');
    const { keeper, logged, dir, served } = keeperOf(t, two, 'vps2');
    keeper.start();
    const homes = (): Promise<string> =>
      served.homes().then(
        (found) => found.map(({ name }) => name).join(),
        () => '',
      );
    await until(async () => (await homes()) === 'a');
    t.is((await served.identity()).host, 'two.example.org');
    for (const name of readdirSync(dir)) t.is(statSync(join(dir, name)).mode & 0o077, 0, name);
    const stamp = await served.stamp();

    await one.store.addHome('b');
    await until(async () => (await homes()) === 'a,b');
    t.is(await served.stamp(), stamp, 'who serves it goes on');
    const untouched = statSync(served.certificatePath).mtimeMs;

    postgres.kill();
    await until(() => logged.some((line) => line.startsWith('warning: ')));
    const said = await refusal(t, one.store.addHome('c'));
    t.regex(said, /^the registry at \/tmp\/\S+\/fleet\d+ says: /);
    t.is(await homes(), 'a,b');
    t.false(keeper.isCurrent);
    postgres.start();
    await until(() => keeper.isCurrent);
    await one.store.addHome('c');
    await until(async () => (await homes()) === 'a,b,c');
    await one.store.removeHome('a');
    await until(async () => (await homes()) === 'b,c');
    t.false(existsSync(join(dir, 'limits.json')));
    await one.store.changeLimits((book) => withLimits(book, { home: 'b' }, { slots: 90 }));
    await until(() => existsSync(join(dir, 'limits.json')));
    t.is(limitsOf(await served.limits(), 'b').slots, 90);
    t.is(statSync(served.certificatePath).mtimeMs, untouched);
    t.is(logged.filter((line) => line.startsWith('warning: ')).length, 1, logged.join('\n'));
    t.true(logged.includes('notice: the registry is heard again'));
    t.false(logged.join().includes('not-asked-for'));
    t.false(said.includes('not-asked-for'));

    // A fleet that was wiped out by mistake takes nothing from those who serve it.
    const before = readFileSync(served.homesPath, 'utf8');
    await one.database.change((ask) => ask('DELETE FROM endpoints'));
    await until(() => logged.at(-1)?.includes('the registry has no endpoint "vps2"') === true);
    t.is(readFileSync(served.homesPath, 'utf8'), before);
  },
);

test('a password that is refused is not said', async (t) => {
  const url = postgres.urlOf('none').replace('postgres:', 'nobody:');
  const said = await refusal(t, endpointOf(t, url, 'vps1').store.homes());
  t.regex(said, /^the registry at \S+\/none says: role "nobody" does not exist$/);
  t.false(said.includes('not-asked-for'));
});

function servedHome(name: string, online: boolean, more: Partial<ServedHome> = {}): ServedHome {
  const stream = { download_kBps: 40, packet_size: 512 };
  const usual = { ...stream, slots_asked_per_s: 80, slots_sent_per_s: 80 };
  return { name, online, ...usual, queue_ms: 0, dropped: 0, ...more };
}

test('which endpoint has which home, and what a month adds up to, is told once it can be', async (t) => {
  const [one, two] = await twoEndpoints(t);
  for (const name of ['a', 'b']) await one.store.addHome(name);
  const sides = [one, two!].map(({ database }, index) => {
    const figures = new EndpointFigures();
    return { figures, presence: new Presence(database, `vps${index + 1}`, figures) };
  });
  const [left, right] = sides as [(typeof sides)[0], (typeof sides)[0]];
  const note = (
    side: typeof left,
    homes: Record<string, boolean>,
    bytes: Record<string, number> = {},
  ) => {
    const served = Object.entries(homes).map(([name, online]) => servedHome(name, online));
    side.figures.note(served, Date.UTC(2026, 10, 29, 12));
    return side.presence.tell({ month: '2026-11', homes: bytes });
  };
  const holders = async () => Object.fromEntries(await one.store.holders());

  await note(left, { a: true, b: true }, { a: 5_000_000_000, b: 7.2 });
  t.deepEqual(await holders(), { a: 'vps1', b: 'vps1' });
  // It goes over; where it was, that is noticed later.
  for (const online of [true, false, true]) await note(right, { a: online });
  t.deepEqual(await holders(), { a: 'vps2', b: 'vps1' });
  await note(left, { a: true, b: true, gone: true }, { a: 5_000_000_100, gone: 3 });
  t.deepEqual(await holders(), { a: 'vps2', b: 'vps1' });
  // A file that was lost begins anew.
  await note(left, { a: false, b: false }, { a: 20 });
  t.deepEqual(await holders(), { a: 'vps2' });
  // A home's data by others, and here where a file was lost.
  t.deepEqual(await note(right, { a: true }, { a: 100 }), {
    ...{ month: '2026-11', homes: { a: 5_000_000_100, b: 7 } },
  });
  t.deepEqual(await note(left, {}, { a: 5_000_000_200 }), {
    ...{ month: '2026-11', homes: { a: 100, b: 7 } },
  });
  const usage = await one.database.read((ask) =>
    ask('SELECT home, month::text, endpoint, bytes::text FROM usage ORDER BY home, endpoint'),
  );
  t.deepEqual(usage, [
    { home: 'a', month: '2026-11-01', endpoint: 'vps1', bytes: '5000000200' },
    { home: 'a', month: '2026-11-01', endpoint: 'vps2', bytes: '100' },
    { home: 'b', month: '2026-11-01', endpoint: 'vps1', bytes: '7' },
  ]);
  // An endpoint that says nothing any more has no homes.
  await one.database.write((ask) => ask("UPDATE endpoints SET seen_at = now() - interval '2 min'"));
  t.deepEqual(await holders(), {});
});
