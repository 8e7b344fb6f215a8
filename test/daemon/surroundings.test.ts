// What the home sees is followed, told, and kept where only we may read it.
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { NO_HOUSE } from '../../src/core/home/home-facts.ts';
import type { Noted } from '../../src/core/home/machine/events.ts';
import { notice } from '../../src/core/notices/notice.ts';
import { sentencesOf, wordsOf } from '../../src/core/notices/words.ts';
import {
  FOLLOWED_FILE,
  INNER_FILE,
  type Seen,
  Surroundings,
} from '../../src/shell/home/surroundings.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const A = 'f4:b8:5e:00:00:01';
const { config } = parseConfig("config device\n\toption name 'Camera'\n\tlist ip '192.168.8.11'\n");
/** Nothing was noted. */
const quiet: Noted = { resolvers: [], senders: [], redirected: [] };
const house = { ...NO_HOUSE, netdevs: ['br-iot'], uplinks: ['wan'] };

const newFolder = () => mkdtempSync(join(tmpdir(), 'iotshaper-'));

function home(path = join(newFolder(), FOLLOWED_FILE), innerPath = join(newFolder(), INNER_FILE)) {
  const seen: Seen = { neighbours: [], leases: [], own: new Set(), nowMs: 0 };
  const complaints: string[] = [];
  const surroundings = new Surroundings({
    system: nodeSystem,
    path,
    innerPath,
    log: (_level, text) => complaints.push(text),
    read: async () => seen,
  });
  const meet = (dst: string, lladdr: string, dev = 'br-iot') => {
    seen.neighbours = [{ dst, lladdr, dev, state: ['REACHABLE'] }];
  };
  return { path, innerPath, seen, meet, surroundings, complaints };
}

test('learned, kept for this user alone, and known after a restart', async (t) => {
  const { path, meet, surroundings } = home();
  meet('192.168.8.11', A);
  await surroundings.look(config, house, quiet);
  t.deepEqual(surroundings.followed, [{ section: '@device[0]', macs: [A], addresses: [] }]);
  t.is(statSync(path).mode & 0o777, 0o600);
  const again = home(path);
  again.meet('192.168.8.50', A);
  await again.surroundings.look(config, house, quiet);
  t.deepEqual(again.surroundings.followed[0]?.addresses, ['192.168.8.50']);
});

test('flash is spared: written once in five minutes and at the end, if there is news', async (t) => {
  const { path, seen, meet, surroundings } = home();
  meet('192.168.8.11', A);
  await surroundings.look(config, house, quiet);
  const first = readFileSync(path, 'utf8');
  meet('192.168.8.50', A);
  seen.nowMs = 299_000;
  await surroundings.look(config, house, quiet);
  t.is(readFileSync(path, 'utf8'), first);
  seen.nowMs = 300_000;
  await surroundings.look(config, house, quiet);
  t.true(readFileSync(path, 'utf8').includes('192.168.8.50'));
  t.false(await surroundings.keep());
  meet('192.168.8.51', A);
  seen.nowMs = 310_000;
  await surroundings.look(config, house, quiet);
  t.true(await surroundings.keep());
  t.true(readFileSync(path, 'utf8').includes('192.168.8.51'));
});

test('a place that cannot be written is a warning', async (t) => {
  const { meet, surroundings, complaints } = home('/nonexistent/followed.json');
  meet('192.168.8.11', A);
  await surroundings.look(config, house, quiet);
  t.is(complaints.length, 1);
  t.regex(complaints[0] ?? '', /^what is known of devices can't be kept: ENOENT/);
});

test('nobody outside can claim a device’s address', async (t) => {
  const { meet, surroundings } = home();
  for (const dev of ['wan', 'iot0', 'iotvpn0']) {
    meet('192.168.8.11', A, dev);
    await surroundings.look(config, house, quiet);
    t.deepEqual(surroundings.followed[0]?.macs, []);
  }
});

test('everything found is told: networks, missing devices, resolvers, choices', async (t) => {
  const { seen, meet, surroundings } = home();
  const gone = notice('network-gone', { path: 'iotshaper.@network[0].device', netdev: 'br-iot' });
  const finding = { ...gone, section: '@network[0]', blocks: true };
  const troubled = { ...house, networkFindings: [finding] };
  meet('192.168.8.99', '00:11:22:33:44:99');
  await surroundings.look(config, troubled, quiet);
  seen.nowMs = 3_600_000;
  await surroundings.look(config, troubled, { ...quiet, resolvers: ['00:11:22:33:44:99'] });
  t.is(surroundings.findings.length, 4);
  t.is(surroundings.findings[0], finding);
  t.is(
    sentencesOf(surroundings.remarks),
    'Camera has not been seen since the service started 1 hour ago while a device you did not choose uses br-iot; if one of them is it, choose it again.' +
      ' If your devices ask 00:11:22:33:44:99 for names, your provider sees what it looks up for them.',
  );
});

test('what was looked at is told with the resolvers that it was looked at for', async (t) => {
  const { surroundings } = home();
  const near = await surroundings.look(config, house, {
    ...quiet,
    resolvers: ['02:00:00:00:00:53'],
  });
  t.deepEqual(near.resolvers, ['02:00:00:00:00:53']);
  t.is(near.remarks.length, 1);
});

test('who had to share an inner address is told by name; who has which is known after a restart', async (t) => {
  const { innerPath, seen, surroundings } = home();
  const senders = Array.from({ length: 253 }, (_, n) => `192.168.${9 + (n & 1)}.${n + 1}`);
  seen.leases = [{ mac: A, address: '192.168.8.11', name: 'Console', clientId: '' }];
  const first = await surroundings.look(config, house, { ...quiet, senders });
  t.is(first.innerPlaces.block4, null);
  // The camera is given no place ahead of time where none is left.
  t.deepEqual(
    surroundings.findings.map(({ code }) => code),
    ['chosen-by-address'],
  );
  seen.nowMs = 1000;
  const all = [...senders, '192.168.8.11', '192.168.8.12'];
  const { innerPlaces } = await surroundings.look(config, house, { ...quiet, senders: all });
  const [finding] = surroundings.findings;
  t.regex(wordsOf(finding!), /more than 253 devices .*, but Camera and 192\.168\.8\.12 share one/);
  t.false(finding!.blocks);
  const again = home(undefined, innerPath);
  const turned = { ...quiet, senders: senders.toReversed() };
  const after = await again.surroundings.look(config, house, turned);
  t.deepEqual(
    new Map(after.innerPlaces.places.map(({ address, low }) => [address, low])),
    new Map(innerPlaces.places.map(({ address, low }) => [address, low])),
  );
});
