// What networks had outlives the service, so that devices of one that is gone are known from the start.
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import { HouseReader, NETWORKS_FILE } from '../../src/shell/network/house-reader.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const { config } = parseConfig("config network\n\toption device 'br-nowhere'\n");

/** A machine of files alone: no test of these needs an "ip", nor what netdevs this machine has. */
const system = {
  ...nodeSystem,
  processes: { ...nodeSystem.processes, run: async () => ({ stdout: '[]', stderr: '' }) },
};

function place(kept?: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'iotshaper-')), NETWORKS_FILE);
  if (kept !== undefined) writeFileSync(path, kept);
  return path;
}

test('a network that was gone before the service started is known by what it had', async (t) => {
  const path = place('{"version":1,"networks":{"br-nowhere":["192.168.8.0/24"]}}');
  const house = await new HouseReader(system, path).read(config, null);
  t.deepEqual(house.networkPrefixes, ['192.168.8.0/24']);
  t.false(house.networkUnknown);
  t.true(house.networkFindings[0]?.blocks);
  // Kept on, by us alone.
  t.true(readFileSync(path, 'utf8').includes('192.168.8.0/24'));
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('of a network that never was there nothing is known', async (t) => {
  const house = await new HouseReader(system, place()).read(config, null);
  t.deepEqual(house.networkPrefixes, []);
  t.true(house.networkUnknown);
});

test('a place that cannot be written is no fault of the look', async (t) => {
  const house = await new HouseReader(system, '/nonexistent/networks.json').read(config, null);
  t.true(house.networkUnknown);
});
