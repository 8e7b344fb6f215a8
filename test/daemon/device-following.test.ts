// Chosen devices are followed through new leases and new hardware; nobody else is swallowed.
import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../src/core/config/config.ts';
import { DeviceFollower } from '../../src/core/home/devices/device-following.ts';
import type { Neighbour } from '../../src/core/home/devices/device-table.ts';
import { parseTracks, renderTracks } from '../../src/core/home/devices/follow-state.ts';
import { parseDnsmasqLeases } from '../../src/core/home/devices/leases.ts';
import { runs } from '../property-runs.ts';

const A = 'f4:b8:5e:00:00:01';
const B = 'da:a1:19:12:34:56';
const LAPTOP = '00:11:22:33:44:55';
const ROUTER = '02:00:00:00:00:01';

const byIp = "config device\n\toption name 'Camera'\n\tlist ip '192.168.8.11'\n";
const byMac = `config device\n\toption name 'Camera'\n\toption mac '${A}'\n`;
const bypass = `config device\n\toption name 'Laptop'\n\toption mac '${LAPTOP}'\n\toption policy 'bypass'\n`;

/** `ADDRESS MAC [STATE [NETDEV]]`. */
function neighbour(line: string): Neighbour {
  const [dst = '', lladdr = '', state = 'REACHABLE', dev = 'br-iot'] = line.split(' ');
  return { dst, dev, state: [state], ...(lladdr === '-' ? {} : { lladdr }) };
}

/** Lines after dnsmasq's expiry: `MAC ADDRESS NAME CLIENTID`. */
const leasesOf = (lines: string[]) =>
  parseDnsmasqLeases(lines.map((line) => `1763855512 ${line}`).join('\n'));

class Home {
  follower = new DeviceFollower();
  readonly #config;

  constructor(text: string) {
    this.#config = parseConfig(text).config;
  }

  /** What is known of the first device at `atS` seconds. */
  see(atS: number, neighbours: string[], leases: string[] = []) {
    const own = new Set(['', ROUTER, '192.168.8.1']);
    const followed = this.follower.observe({
      config: this.#config,
      neighbours: neighbours.map(neighbour),
      leases: leasesOf(leases),
      own,
      nowMs: atS * 1000,
    });
    return { macs: followed[0]?.macs, addresses: followed[0]?.addresses };
  }
}

const known = (macs: string[], addresses: string[]) => ({ macs, addresses });

/** Looks ten seconds apart; what is known after the last. */
const cases: {
  name: string;
  config: string;
  looks: { neighbours?: string[]; leases?: string[] }[];
  macs?: string[];
  addresses?: string[];
}[] = [
  {
    name: 'chosen by address: its hardware is learned',
    config: byIp,
    looks: [{ neighbours: [`192.168.8.11 ${A.toUpperCase()}`] }],
    macs: [A],
  },
  {
    name: 'chosen by address: an old entry will do, a failed one not',
    config: byIp,
    looks: [
      { neighbours: [`192.168.8.11 ${A} STALE`] },
      { neighbours: [`192.168.8.11 ${B} FAILED`] },
    ],
    macs: [A],
  },
  {
    name: 'chosen by address: an incomplete entry tells nothing',
    config: byIp,
    looks: [{ neighbours: ['192.168.8.11 - INCOMPLETE'] }],
  },
  {
    name: 'chosen by address: the lease alone tells the hardware',
    config: byIp,
    looks: [{ leases: [`${A} 192.168.8.11 Camera 01:${A}`] }],
    macs: [A],
  },
  {
    name: 'chosen by address: followed to its new lease, with all its addresses',
    config: byIp,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [
          `192.168.8.50 ${A}`,
          `2001:db8:8::50 ${A}`,
          `fd00:8::50 ${A}`,
          `fe80::50 ${A}`,
        ],
        leases: [`${A} 192.168.8.50 Camera 01:${A}`],
      },
    ],
    macs: [A],
    addresses: ['192.168.8.50', '2001:db8:8::50', 'fd00:8::50'],
  },
  {
    name: 'chosen by address: who gets its old lease under another name is not it',
    config: byIp,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [`192.168.8.50 ${A}`, `192.168.8.11 ${LAPTOP}`],
        leases: [`${A} 192.168.8.50 Camera 01:${A}`, `${LAPTOP} 192.168.8.11 laptop 01:${LAPTOP}`],
      },
    ],
    macs: [A],
    addresses: ['192.168.8.50'],
  },
  {
    name: 'chosen by address: hardware of another section that sits there is not it',
    config: byIp + bypass,
    looks: [{ neighbours: [`192.168.8.11 ${LAPTOP}`] }],
  },
  {
    name: 'chosen by address: hardware that holds an address of another section is not it',
    config: `${byIp}config device\n\toption name 'tv'\n\tlist ip '192.168.8.12'\n\toption policy 'bypass'\n`,
    looks: [{ neighbours: [`192.168.8.11 ${A}`, `192.168.8.12 ${A}`] }],
  },
  {
    name: 'chosen by address: a repeater that answers for others is not it, the hardware of its lease is',
    config: byIp,
    looks: [
      {
        neighbours: [`192.168.8.11 ${B}`, `192.168.8.60 ${B}`],
        leases: [`${A} 192.168.8.11 Camera 01:${A}`, `${LAPTOP} 192.168.8.60 laptop 01:${LAPTOP}`],
      },
    ],
    macs: [A],
  },
  {
    name: 'chosen by address: the router is not it',
    config: byIp,
    looks: [{ neighbours: [`192.168.8.11 ${ROUTER}`] }],
  },
  {
    name: 'chosen by hardware: its addresses of every family, but for link-local ones and the router’s',
    config: byMac,
    looks: [
      {
        neighbours: [
          `192.168.8.11 ${A}`,
          `2001:db8:8::11 ${A} STALE`,
          `fe80::f6b8:5eff:fe00:1 ${A}`,
          `169.254.3.4 ${A}`,
          `192.168.8.1 ${A}`,
          `192.168.8.12 ${B}`,
        ],
        leases: [`${A} 192.168.8.13 Camera 01:${A}`],
      },
    ],
    addresses: ['192.168.8.13', '192.168.8.11', '2001:db8:8::11'],
  },
  {
    name: 'chosen by hardware: new hardware with its name is it',
    config: byMac,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [`192.168.8.77 ${B}`],
        leases: [`${A} 192.168.8.11 Camera 01:${A}`, `${B} 192.168.8.77 camera 01:${B}`],
      },
    ],
    macs: [B],
    addresses: ['192.168.8.11', '192.168.8.77'],
  },
  {
    name: 'chosen by hardware: new hardware with its client id is it, whatever its name',
    config: byMac,
    looks: [
      { leases: [`${A} 192.168.8.11 Camera ff:00:01:aa`] },
      { leases: [`${B} 192.168.8.77 cam2 ff:00:01:aa`] },
    ],
    macs: [B],
    addresses: ['192.168.8.11', '192.168.8.77'],
  },
  {
    name: 'chosen by hardware: a name it shares with one of another lasting client id is no proof',
    config: byMac,
    looks: [
      { leases: [`${A} 192.168.8.11 Camera ff:00:01:aa`] },
      { leases: [`${A} 192.168.8.11 Camera ff:00:01:aa`, `${B} 192.168.8.77 Camera ff:00:01:bb`] },
    ],
    addresses: ['192.168.8.11'],
  },
  {
    name: 'chosen by hardware: who answers for its address without a lease is it',
    config: byMac,
    looks: [{ neighbours: [`192.168.8.11 ${A}`] }, { neighbours: [`192.168.8.11 ${B}`] }],
    macs: [B],
    addresses: ['192.168.8.11'],
  },
  {
    name: 'chosen by hardware: who answers for its address and leased as another is not, and has it now',
    config: byMac,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [`192.168.8.11 ${LAPTOP}`],
        leases: [`${LAPTOP} 192.168.8.11 laptop 01:${LAPTOP}`],
      },
    ],
  },
  {
    name: 'chosen by hardware: whoever has a lease as another is not it, wherever it answers',
    config: byMac,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [`192.168.8.11 ${LAPTOP}`],
        leases: [`${LAPTOP} 192.168.8.60 laptop 01:${LAPTOP}`],
      },
    ],
    addresses: ['192.168.8.11'],
  },
  {
    name: 'chosen by hardware: a name without any device of it before is no proof',
    config: byMac,
    looks: [{ leases: [`${B} 192.168.8.77 * 01:${B}`] }],
  },
  {
    name: 'chosen by hardware: one that bypasses is not swallowed by name or address',
    config: byMac + bypass,
    looks: [
      { neighbours: [`192.168.8.11 ${A}`], leases: [`${A} 192.168.8.11 Camera 01:${A}`] },
      {
        neighbours: [`192.168.8.11 ${LAPTOP}`],
        leases: [`${LAPTOP} 192.168.8.60 Camera 01:${LAPTOP}`],
      },
    ],
    addresses: ['192.168.8.11'],
  },
  {
    name: 'an address of another section is never learned',
    config: `${byMac}config device\n\toption name 'tv'\n\tlist ip '192.168.8.0/24'\n\toption policy 'bypass'\n`,
    looks: [{ neighbours: [`192.168.8.11 ${A}`, `fd00:8::11 ${A}`] }],
    addresses: ['fd00:8::11'],
  },
];

for (const { name, config, looks, macs = [], addresses = [] } of cases) {
  test(name, (t) => {
    const home = new Home(config);
    let last = known([], []) as ReturnType<Home['see']>;
    for (const [index, { neighbours = [], leases = [] }] of looks.entries())
      last = home.see(10 * index, neighbours, leases);
    t.deepEqual(last, known(macs, addresses));
  });
}

test('who has the device’s name and is seen beside it is let go, for good', (t) => {
  const home = new Home(byMac);
  const leases = [`${A} 192.168.8.11 cam 01:${A}`, `${B} 192.168.8.12 cam 01:${B}`];
  const both = [`192.168.8.11 ${A}`, `192.168.8.12 ${B}`];
  t.deepEqual(home.see(0, both, leases), known([B], ['192.168.8.11', '192.168.8.12']));
  t.deepEqual(home.see(60, both, leases).macs, [B], 'an entry of a host that left may be as old');
  t.deepEqual(home.see(61, both, leases), known([], ['192.168.8.11']));
  t.deepEqual(home.see(90, both, leases), known([], ['192.168.8.11']));
  t.deepEqual(home.see(400, [`192.168.8.12 ${B}`], leases), known([], ['192.168.8.11']));
});

test('one that took the device’s place stays while the device does not come back', (t) => {
  const home = new Home(byMac);
  const leases = [`${A} 192.168.8.11 cam 01:${A}`, `${B} 192.168.8.12 cam 01:${B}`];
  home.see(0, [`192.168.8.11 ${A}`], leases);
  for (const atS of [10, 100, 1000])
    t.deepEqual(home.see(atS, [`192.168.8.11 ${A} STALE`, `192.168.8.12 ${B}`], leases).macs, [B]);
});

test('two devices never share hardware', (t) => {
  const two = `${byIp}config device\n\toption name 'Bell'\n\tlist ip '192.168.8.12'\n`;
  const home = new Home(two);
  home.see(0, [`192.168.8.11 ${A}`], [`${A} 192.168.8.11 cam 01:${A}`]);
  const followed = home.follower.observe({
    config: parseConfig(two).config,
    neighbours: [neighbour(`192.168.8.12 ${A}`)],
    leases: [],
    own: new Set(),
    nowMs: 10_000,
  });
  t.deepEqual(
    followed.map(({ macs }) => macs),
    [[A], []],
  );
});

test('prefixes and devices that bypass are not followed, blocked ones are', (t) => {
  const prefix = "config device\n\tlist ip '192.168.7.0/24'\n";
  t.deepEqual(new Home(prefix + bypass).see(0, [`192.168.7.3 ${A}`]), {
    macs: undefined,
    addresses: undefined,
  });
  const blocked = new Home(`${byIp}\toption policy 'block'\n`);
  t.deepEqual(blocked.see(0, [`192.168.8.11 ${A}`]), known([A], []));
});

test('what is not seen for a week of running is forgotten; time that nobody looked is not counted', (t) => {
  const home = new Home(byIp);
  home.see(0, [`192.168.8.11 ${A}`, `192.168.8.12 ${A}`]);
  const week = 7 * 24 * 3600;
  t.deepEqual(home.see(week + 100, []).macs, [A], 'one long pause');
  for (let atS = week + 200; atS < 2 * week - 600; atS += 600) home.see(atS, []);
  t.deepEqual(home.see(2 * week - 600, []), known([A], ['192.168.8.12']));
  t.deepEqual(home.see(2 * week, []), known([], []));
});

test('a device with no end of addresses keeps those in use, and the list stands still', (t) => {
  const home = new Home(byMac);
  const crowd = Array.from({ length: 50 }, (_, i) => `fd00::${i + 1} ${A} STALE`);
  const first = home.see(0, crowd);
  t.is(first.addresses?.length, 32);
  t.deepEqual(home.see(10, [...crowd].reverse()), first);
  const later = home.see(1000, [`fd00::99 ${A}`]);
  t.is(later.addresses?.length, 32);
  t.true(later.addresses?.includes('fd00::99'));
});

test('a device chosen anew starts afresh, one whose section moved goes on', (t) => {
  const home = new Home(byIp);
  home.see(0, [`192.168.8.11 ${A}`]);
  const observe = (text: string) =>
    home.follower.observe({
      config: parseConfig(text).config,
      neighbours: [],
      leases: [],
      own: new Set(),
      nowMs: 1000,
    });
  t.deepEqual(observe(bypass + byIp), [{ section: '@device[1]', macs: [A], addresses: [] }]);
  t.deepEqual(observe(byIp.replace('.11', '.12')), [
    { section: '@device[0]', macs: [], addresses: [] },
  ]);
});

test('what was learned outlives a restart; only what was learned counts as a change', (t) => {
  const home = new Home(byIp);
  const leases = [`${A} 192.168.8.11 Camera 01:${A}`];
  home.see(0, [`192.168.8.11 ${A}`], leases);
  const before = home.follower.fingerprint;
  home.see(500, [], leases);
  t.is(home.follower.fingerprint, before);
  home.follower = new DeviceFollower(parseTracks(renderTracks(home.follower.tracks)));
  t.deepEqual(home.see(0, [`192.168.8.50 ${A}`]), known([A], ['192.168.8.50']));
  t.not(home.follower.fingerprint, before);
  t.deepEqual(home.see(10, [], [`${B} 192.168.8.70 camera *`]).macs, [A, B], 'its name, too');
});

test('a kept state that is not ours is nothing', (t) => {
  t.deepEqual(parseTracks(''), []);
  t.deepEqual(parseTracks('{"version":2,"tracks":[]}'), []);
  const odd = {
    version: 1,
    tracks: [
      7,
      { key: 5 },
      {
        key: 'x',
        macs: [
          { value: 'rm -rf' },
          { value: '01:00:5e:00:00:01' },
          { value: A, idleMs: 'old' },
          null,
        ],
        addresses: [{ value: '1.2.3.4; drop' }, { value: 'fd00::1', idleMs: 5, guess: true }],
        names: ['cam', 7],
        others: ['x', B],
      },
    ],
  };
  t.deepEqual(parseTracks(JSON.stringify(odd)), [
    {
      key: 'x',
      macs: [{ value: A, idleMs: 0, guess: false }],
      addresses: [{ value: 'fd00::1', idleMs: 5, guess: true }],
      names: ['cam'],
      clientIds: [],
      others: [B],
      dev: '',
    },
  ]);
  fc.assert(fc.property(fc.json(), (text) => Array.isArray(parseTracks(text))));
});

test('whatever is seen, lists stay bounded and hold neither the router nor other sections', (t) => {
  const mac = fc.constantFrom(
    A,
    B,
    LAPTOP,
    ROUTER,
    ...Array.from({ length: 12 }, (_, i) => `02:11:00:00:00:${i + 10}`),
  );
  const address = fc.integer({ min: 1, max: 60 }).map((host) => `192.168.8.${host}`);
  const name = fc.constantFrom('cam', 'laptop', '*', 'x y');
  const look = fc.record({
    neighbours: fc.array(
      fc
        .tuple(address, mac, fc.constantFrom('REACHABLE', 'STALE', 'FAILED'))
        .map((words) => words.join(' ')),
    ),
    leases: fc.array(fc.tuple(mac, address, name, name).map((words) => words.join(' '))),
    stepS: fc.integer({ min: 0, max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
      const home = new Home(byIp + bypass);
      let atS = 0;
      for (const { neighbours, leases, stepS } of looks) {
        atS += stepS;
        const { macs = [], addresses = [] } = home.see(atS, neighbours, leases);
        t.true(macs.length <= 8 && addresses.length <= 32);
        t.false(macs.includes(ROUTER) || macs.includes(LAPTOP));
        t.false(addresses.includes('192.168.8.1') || addresses.includes('192.168.8.11'));
        t.is(new Set(macs).size, macs.length);
      }
    }),
    { numRuns: runs(300) },
  );
});
