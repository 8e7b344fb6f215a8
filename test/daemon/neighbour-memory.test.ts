// A device that says nothing stays one of the house.
import test from 'ava';
import type { Neighbour } from '../../src/core/home/devices/device-table.ts';
import { NeighbourMemory } from '../../src/core/home/devices/neighbour-memory.ts';

const HOUR = 3_600_000;
const at = (dst: string, lladdr?: string, state = 'REACHABLE'): Neighbour => ({
  dst,
  dev: 'br-iot',
  ...(lladdr ? { lladdr } : {}),
  state: [state],
});
const plug = at('192.168.8.9', '18:b4:30:00:00:09');

test('who is quiet, and reached no longer, stays for a day', (t) => {
  const memory = new NeighbourMemory();
  t.deepEqual(memory.observe([plug], 0), [plug]);
  t.deepEqual(memory.observe([], 23 * HOUR), [plug]);
  t.deepEqual(memory.observe([at('192.168.8.9', undefined, 'FAILED')], 24 * HOUR), [plug]);
  t.deepEqual(memory.observe([], 25 * HOUR), []);
});

test('who never answered is nobody, and an address is its newest owner’s', (t) => {
  const memory = new NeighbourMemory();
  t.deepEqual(memory.observe([at('192.168.8.7', undefined, 'INCOMPLETE')], 0), []);
  memory.observe([plug], 1);
  const heir = at('192.168.8.9', '18:b4:30:00:00:0a');
  t.deepEqual(memory.observe([heir], 2), [heir]);
});

test('what is remembered has a bound; the oldest go first', (t) => {
  const memory = new NeighbourMemory();
  const crowd = Array.from({ length: 3000 }, (_, index) =>
    at(`10.0.${index >> 8}.${index & 255}`, '18:b4:30:00:00:09'),
  );
  const kept = memory.observe(crowd, 0);
  t.is(kept.length, 1024);
  t.is(kept.at(-1), crowd.at(-1));
});
