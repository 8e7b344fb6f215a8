// Each device's address has an inner address of its own, and keeps it.
import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../src/core/config/config.ts';
import type { Neighbour } from '../../src/core/home/devices/device-table.ts';
import {
  hasNewcomer,
  InnerAddresses,
  type InnerSight,
  ownersOf,
  sharersOf,
} from '../../src/core/home/devices/inner-addresses.ts';
import { parsePlaces, renderPlaces } from '../../src/core/home/devices/inner-memory.ts';
import { addressIn, lowPart } from '../../src/core/ip/address.ts';
import type { InnerPlaces } from '../../src/core/plan/facts.ts';
import { runs } from '../property-runs.ts';

const HOUR_MS = 3600_000;
const network = "config network\n\toption device 'br-iot'\n";
const none: InnerSight = {
  config: parseConfig(network).config,
  networkPrefixes: [],
  neighbours: [],
  leases: [],
  followed: [],
  senders: [],
  own: new Set(['192.168.8.1']),
  nowMs: 0,
};

function neighbour(dst: string, dev = 'br-iot', state = 'REACHABLE'): Neighbour {
  return { dst, dev, lladdr: '02:00:00:00:00:01', state: [state] };
}

function lows({ places }: InnerPlaces): Record<string, string> {
  return Object.fromEntries(places.map(({ address, low }) => [address, low]));
}

function prefixed(...networkPrefixes: string[]): InnerSight {
  return { ...none, networkPrefixes };
}

/** All hosts of a /24. */
function hostsOf(third: number, count = 254): string[] {
  return Array.from({ length: count }, (_, index) => `192.168.${third}.${index + 1}`);
}

for (const [title, sight, block4, block6] of [
  ['a /24 and a /64', prefixed('192.168.8.0/24', 'fd00:8::/64'), '192.168.8.0/24', 'fd00:8::/64'],
  ['a /26', prefixed('192.168.8.64/26'), '192.168.8.0/24', null],
  ['two halves of a /24', prefixed('192.168.8.0/25', '192.168.8.128/25'), '192.168.8.0/24', null],
  ['a /22 and a /56', prefixed('192.168.8.0/22', 'fd00:8::/56'), null, null],
  ['two networks', prefixed('192.168.8.0/24', '192.168.9.0/24'), null, null],
  ['two halves of two /24', prefixed('192.168.8.0/25', '192.168.9.128/25'), null, null],
  ['two /64', prefixed('fd00:8::/64', '2001:db8:8::/64'), null, null],
  [
    'a network and a device elsewhere',
    {
      ...prefixed('192.168.8.0/24'),
      config: parseConfig(`${network}config device\n\tlist ip '192.168.1.11'\n`).config,
    },
    null,
    null,
  ],
  [
    'a network and a device in it',
    {
      ...prefixed('192.168.8.0/24'),
      config: parseConfig(`${network}config device\n\tlist ip '192.168.8.11'\n`).config,
    },
    '192.168.8.0/24',
    null,
  ],
  [
    'a network and a device elsewhere that bypasses',
    {
      ...prefixed('192.168.8.0/24'),
      config: parseConfig(
        `${network}config device\n\tlist ip '192.168.1.11'\n\toption policy 'bypass'\n`,
      ).config,
    },
    '192.168.8.0/24',
    null,
  ],
  ['nothing known', none, null, null],
] as const) {
  test(`low parts suffice or do not: ${title}`, (t) => {
    t.like(new InnerAddresses().observe(sight), { block4, block6 });
  });
}

test('two of one last byte get two addresses, the second one the next that is free', (t) => {
  const inner = new InnerAddresses();
  const found = inner.observe({
    ...prefixed('192.168.8.0/22', 'fd00:8::/64', 'fd00:9::/64'),
    neighbours: ['192.168.8.11', '192.168.9.11', 'fd00:8::11', 'fd00:9::11', 'fe80::11'].map(
      (one) => neighbour(one),
    ),
    leases: [{ mac: '', address: '192.168.10.11', name: '', clientId: '' }],
  });
  t.deepEqual(lows(found), {
    '192.168.8.11': '0.0.0.11',
    '192.168.9.11': '0.0.0.12',
    '192.168.10.11': '0.0.0.13',
    'fd00:8::11': '::11',
    'fd00:9::11': '::1',
  });
});

test('only whom the configuration chooses is given a place ahead of time', (t) => {
  const text = `${network}config device\n\tlist ip '192.168.3.0/24'\nconfig device\n\toption mac '02:00:00:00:00:09'\nconfig device\n\tlist ip '192.168.4.4'\n\toption policy 'block'\n`;
  const found = new InnerAddresses().observe({
    ...prefixed('192.168.8.0/24'),
    config: parseConfig(text).config,
    neighbours: [
      neighbour('192.168.8.1'),
      neighbour('192.168.8.11'),
      neighbour('192.168.8.12', 'br-iot', 'FAILED'),
      neighbour('192.168.3.3', 'br-lan'),
      neighbour('192.168.2.2', 'br-lan'),
    ],
    leases: [{ mac: '', address: '192.168.1.50', name: '', clientId: '' }],
    followed: [
      { section: '@device[1]', macs: [], addresses: ['192.168.1.9'] },
      { section: '@device[2]', macs: [], addresses: ['192.168.4.4'] },
    ],
  });
  t.deepEqual(Object.keys(lows(found)).sort(), ['192.168.1.9', '192.168.3.3', '192.168.8.11']);
});

test('a sender without a place is a newcomer until the next look; link-local ones never are', (t) => {
  const inner = new InnerAddresses();
  const sight = prefixed('192.168.8.0/24', '192.168.9.0/24');
  const senders = ['192.168.9.11', '10.9.9.9', '169.254.1.1'];
  const before = inner.observe(sight);
  t.true(hasNewcomer(senders, before));
  t.false(hasNewcomer(['169.254.1.1', 'fe80::1'], before));
  const after = inner.observe({ ...sight, senders });
  t.false(hasNewcomer(senders, after));
  t.deepEqual(Object.keys(lows(after)), ['192.168.9.11', '10.9.9.9']);
});

test('a stranger in a single /24 makes a map of it, in which everybody stays where they were', (t) => {
  const inner = new InnerAddresses();
  const sight = {
    ...prefixed('192.168.8.0/24'),
    neighbours: ['192.168.8.11', '192.168.8.254'].map((one) => neighbour(one)),
  };
  const before = inner.observe(sight);
  t.is(before.block4, '192.168.8.0/24');
  t.is(ownersOf(before)('10.214.2.254'), '192.168.8.254');
  // One that no neighbour tells of has its place by what it sends.
  t.is(inner.observe({ ...sight, senders: ['192.168.8.12'], nowMs: 500 }).block4, before.block4);
  const after = inner.observe({ ...sight, senders: ['192.168.7.12'], nowMs: 1000 });
  t.is(after.block4, null);
  t.like(lows(after), { '192.168.8.12': '0.0.0.12', '192.168.7.12': '0.0.0.13' });
  t.is(ownersOf(after)('10.214.2.254'), '192.168.8.254');
  t.is(ownersOf(after)('10.214.2.13'), '192.168.7.12');
  // A day after it was last seen it is forgotten, and nobody else is needed to tell devices apart.
  const late = inner.observe({ ...sight, nowMs: 25 * HOUR_MS });
  t.is(late.block4, '192.168.8.0/24');
});

test('more than there are inner addresses: who sends has one, the rest share', (t) => {
  const inner = new InnerAddresses();
  const sight = prefixed('192.168.8.0/22');
  const silent = [...hostsOf(8), ...hostsOf(9)].filter((one) => one !== '192.168.8.1');
  const crowd = { ...sight, neighbours: silent.map((one) => neighbour(one)) };
  const quiet = inner.observe(crowd);
  t.is(quiet.places.length, 253);
  t.deepEqual(sharersOf(quiet), []);
  // Nobody has to go for a neighbour, but for one who sends the silent do.
  const senders = [...hostsOf(9, 250), '192.168.10.1', '192.168.10.2', '192.168.10.3'];
  const busy = inner.observe({ ...crowd, senders, nowMs: 1000 });
  t.deepEqual(sharersOf(busy), []);
  t.is(busy.places.length, 253);
  const full = inner.observe({ ...crowd, senders: [...senders, '192.168.10.4'], nowMs: 2000 });
  t.deepEqual(sharersOf(full), ['192.168.10.4']);
  t.is(ownersOf(full)('10.214.2.255'), null);
  t.false(hasNewcomer(['192.168.10.4'], full));
  // An hour on, those that fell silent give way, and what the newcomer began before goes on.
  const later = { ...crowd, senders: ['192.168.10.4'], nowMs: 2000 + HOUR_MS };
  const after = inner.observe(later);
  t.deepEqual(sharersOf(after), []);
  t.true(after.places.find(({ address }) => address === '192.168.10.4')?.hasShared);
});

test('places are kept over a restart, and nothing else is taken for them', (t) => {
  const sight = {
    ...prefixed('192.168.8.0/22'),
    neighbours: ['192.168.9.11', '192.168.8.11'].map((one) => neighbour(one)),
  };
  const before = new InnerAddresses().observe(sight);
  const kept = parsePlaces(renderPlaces(before));
  t.deepEqual(kept, [...before.places]);
  const turned = { ...sight, neighbours: sight.neighbours.toReversed() };
  t.deepEqual(lows(new InnerAddresses(kept, 0).observe(turned)), lows(before));
  const place = { address: '192.168.8.11', low: '0.0.0.11' };
  for (const bad of [
    '',
    'null',
    '{"version":2,"places":[]}',
    JSON.stringify({ version: 1, places: 7 }),
    JSON.stringify({ version: 1, places: [null, 7, { ...place, low: '0.0.1.11' }] }),
    JSON.stringify({
      version: 1,
      places: [
        { ...place, low: '::11' },
        { ...place, address: 'x' },
      ],
    }),
  ]) {
    t.deepEqual(parsePlaces(bad), [], bad);
  }
  // Of two that say the same, one is wrong.
  const twice = [
    { ...place, hasShared: false },
    { ...place, address: '192.168.9.11', hasShared: false },
  ];
  t.is(new InnerAddresses(twice).places.places.length, 1);
});

/** An address of one of a few networks, often with the low part of another. */
const someAddress = fc
  .tuple(fc.constantFrom('192.168.8', '192.168.9', '10.0.0', 'fd00:8:', 'fd00:9:'), fc.nat(255))
  .map(([prefix, host]) =>
    prefix.includes(':') ? `${prefix}:${host.toString(16)}` : `${prefix}.${host}`,
  )
  .filter((address) => address !== '192.168.8.1' && !address.endsWith('::0'));

const someLook = fc.record({
  near: fc.array(someAddress, { maxLength: 60 }),
  senders: fc.array(someAddress, { maxLength: 60 }),
  passedMs: fc.constantFrom(1000, 10_000, HOUR_MS, 30 * HOUR_MS),
});

test('whatever a home is like: no two that send have one inner address, and each keeps its own', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(someLook, { minLength: 1, maxLength: 8 }), (looks) => {
        const inner = new InnerAddresses();
        const prefixes = prefixed('192.168.8.0/24', '192.168.9.0/24', '10.0.0.0/24');
        let nowMs = 0;
        const sentMs = new Map<string, number>();
        let before: Record<string, string> = {};
        for (const { near, senders, passedMs } of looks) {
          nowMs += passedMs;
          for (const one of senders) sentMs.set(one, nowMs);
          const neighbours = near.map((one) => neighbour(one));
          const found = inner.observe({ ...prefixes, neighbours, senders, nowMs });
          const all = lows(found);
          const alone = found.places.filter(({ address }) => !sharersOf(found).includes(address));
          const taken = alone.map(({ address, low }) => (address.includes(':') ? `6${low}` : low));
          if (new Set(taken).size !== taken.length) return false;
          if (!senders.every((one) => all[one] !== undefined)) return false;
          if (sharersOf(found).length > 0) return false; // 60 × 8 × 2 of few bytes are no 253
          const owner = ownersOf(found);
          for (const { address, low } of alone) {
            if (lowPart(low) !== low) return false;
            const six = address.includes(':');
            const block = six ? found.block6 : found.block4;
            const prefix = six ? 'fd12:3456:789a:2::/64' : '10.214.2.0/24';
            if (owner(addressIn(prefix, block ? lowPart(address) : low)) !== address) return false;
          }
          for (const [address, low] of Object.entries(before)) {
            const lately = nowMs - (sentMs.get(address) ?? Number.NEGATIVE_INFINITY) < HOUR_MS;
            if (lately && all[address] !== low) return false;
          }
          before = all;
        }
        return true;
      }),
      { numRuns: runs(1000) },
    ),
  );
});

test('whatever a full home is like: who has an address keeps it while it sends, and nobody is without', (t) => {
  const host = fc.nat(1021).map((n) => `192.168.${8 + (n >> 8)}.${n & 255}`);
  const crowd = fc.uniqueArray(host, { minLength: 200, maxLength: 400 });
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(crowd, { minLength: 1, maxLength: 3 }), (looks) => {
        const inner = new InnerAddresses();
        let before: Record<string, string> = {};
        for (const [index, all] of looks.entries()) {
          const senders = all.filter((one) => one !== '192.168.8.1');
          const nowMs = index * 60_000;
          const found = inner.observe({ ...prefixed('192.168.8.0/22'), senders, nowMs });
          const now = lows(found);
          const sharers = new Set(sharersOf(found));
          const alone = found.places.filter(({ address }) => !sharers.has(address));
          if (new Set(alone.map(({ low }) => low)).size !== alone.length) return false;
          if (sharers.size > 0 && alone.length < 253) return false;
          if (!senders.every((one) => now[one] !== undefined)) return false;
          for (const { address } of alone) {
            if (
              before[address] &&
              before[address] !== '0.0.0.255' &&
              before[address] !== now[address]
            )
              return false;
          }
          before = now;
        }
        return true;
      }),
      { numRuns: runs(50) },
    ),
  );
});
