// What became of the configured networks, in words.
import test from 'ava';
import type { ListedNetdev } from '../../src/core/home/netdev-kinds.ts';
import {
  findNetworkFindings,
  parseNetworkMemory,
  rememberPrefixes,
  renderNetworkMemory,
} from '../../src/core/home/network-findings.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { parsePppoe } from '../../src/shell/network/house-reader.ts';
import { netdev, recorded } from './netdevs.ts';

const network = (device: string, section = '@network[0]') => ({ section, device });
const lan = netdev('br-lan', ['192.168.1.1/24'], { kind: 'bridge' });
const iot = netdev('br-iot', ['192.168.8.1/24', '2001:db8:8::1/64'], { kind: 'bridge' });
const none = new Map<string, string[]>();

function findings(
  device: string,
  listed: ListedNetdev[],
  { uplinks = [] as string[], memory = none, named = [] as string[] } = {},
) {
  return findNetworkFindings([network(device)], listed, new Set(uplinks), memory, named);
}

test('a network that is there has nothing to tell', (t) => {
  t.deepEqual(findings('br-iot', [lan, iot]), []);
});

test('a network that took another name is found by its prefix', (t) => {
  const renamed = { ...iot, ifname: 'br-lan.20' };
  const [one, ...others] = findings('br-iot', [lan, renamed], {
    memory: new Map([['br-iot', ['192.168.8.0/24']]]),
  });
  t.deepEqual(others, []);
  t.like(one, { section: '@network[0]', blocks: true });
  t.is(
    wordsOf(one!),
    'iotshaper.@network[0].device: "br-iot" is no network device now, so nobody knows whose traffic to hide; br-lan.20 has its addresses: if your devices are behind br-lan.20 now, run "uci set iotshaper.@network[0].device=br-lan.20; uci commit iotshaper; reload_config"',
  );
});

test('an interface’s name is not its bridge’s', (t) => {
  const [one] = findings('iot', [lan, iot]);
  t.regex(
    wordsOf(one!),
    /^iotshaper\.@network\[0\]\.device: "iot" is no network device now.*device=br-iot;/,
  );
});

test('without a trace the user is asked', (t) => {
  const [one] = findings('br-tv', [lan, iot]);
  t.regex(wordsOf(one!), /; name the one your devices are behind now, or remove this section$/);
  t.true(one?.blocks);
});

test('a port of a bridge sees none of its devices', (t) => {
  const [one] = findings('iot1', recorded('router'));
  t.regex(wordsOf(one!), /"iot1" is a port of br-iot, .*device=br-iot; uci commit/);
  t.true(one?.blocks);
});

test('a WAN is no network of devices', (t) => {
  const [one] = findings('wan', recorded('router'), { uplinks: ['wan'] });
  t.regex(wordsOf(one!), /device: "wan" leads to the Internet, so no device is behind it; name/);
  t.true(one?.blocks);
});

test('a network that may reach beyond the home is told, not blocked, unless the user vouches for it', (t) => {
  const [one] = findings('br-vpn', recorded('router'));
  t.regex(
    wordsOf(one!),
    /device: br-vpn has the port tap8 \(tap\), which may lead out of your home/,
  );
  t.false(one?.blocks);
  t.deepEqual(findings('br-vpn', recorded('router'), { named: ['br-vpn'] }), []);
});

const memories: {
  name: string;
  before: Record<string, string[]>;
  listed: ListedNetdev[];
  uplinks?: string[];
  after: Record<string, string[]>;
}[] = [
  {
    name: 'what a network has',
    before: {},
    listed: [lan, iot],
    after: { 'br-iot': ['192.168.8.0/24', '2001:db8:8::/64'] },
  },
  {
    name: 'what one had that is gone, though another netdev has it now',
    before: { 'br-iot': ['192.168.8.0/24'] },
    listed: [lan, { ...iot, ifname: 'br-lan.20' }],
    after: { 'br-iot': ['192.168.8.0/24'] },
  },
  {
    name: 'an old prefix beside the new ones',
    before: { 'br-iot': ['2001:db8:7::/64', '192.168.8.0/24'] },
    listed: [lan, iot],
    after: { 'br-iot': ['192.168.8.0/24', '2001:db8:8::/64', '2001:db8:7::/64'] },
  },
  {
    name: 'an old prefix no longer, once another netdev has it',
    before: { 'br-iot': ['192.168.1.0/24', '192.168.8.0/24'] },
    listed: [lan, iot],
    after: { 'br-iot': ['192.168.8.0/24', '2001:db8:8::/64'] },
  },
  {
    name: 'nothing of one that leads out',
    before: { 'br-iot': ['192.168.9.0/24'] },
    listed: [lan, iot],
    uplinks: ['br-iot'],
    after: { 'br-iot': ['192.168.9.0/24'] },
  },
  {
    name: 'nothing of what is configured no longer',
    before: { 'br-tv': ['192.168.9.0/24'] },
    listed: [],
    after: { 'br-iot': [] },
  },
  {
    name: 'eight prefixes at most',
    before: { 'br-iot': Array.from({ length: 9 }, (_, i) => `2001:db8:f${i}::/64`) },
    listed: [iot],
    after: {
      'br-iot': [
        '192.168.8.0/24',
        '2001:db8:8::/64',
        ...Array.from({ length: 6 }, (_, i) => `2001:db8:f${i}::/64`),
      ],
    },
  },
];

for (const { name, before, listed, uplinks = [], after } of memories) {
  test(`remembered: ${name}`, (t) => {
    const memory = rememberPrefixes(
      new Map(Object.entries(before)),
      [network('br-iot')],
      listed,
      new Set(uplinks),
    );
    t.deepEqual(Object.fromEntries(memory), after);
  });
}

test('netdevs that carry PPPoE are read from the kernel’s table', (t) => {
  const table = 'Id       Address              Device\n000100B3 00:11:22:33:44:55     eth1.7\n';
  t.deepEqual([...parsePppoe(table)], ['eth1.7']);
  t.deepEqual([...parsePppoe('')], []);
});

test('what networks had is kept whole, and what is damaged is not believed', (t) => {
  const memory = rememberPrefixes(none, [network('br-iot')], [lan, iot], new Set());
  t.deepEqual(parseNetworkMemory(renderNetworkMemory(memory)), memory);
  t.deepEqual(memory, new Map([['br-iot', ['192.168.8.0/24', '2001:db8:8::/64']]]));
  for (const text of [
    '',
    'null',
    '7',
    '{"version":1}',
    '{"version":1,"networks":null}',
    '{"version":1,"networks":7}',
    '{"version":2,"networks":{"br-iot":["192.168.8.0/24"]}}',
    '{"version":1,"networks":{"br-iot":"192.168.8.0/24"}}',
  ]) {
    t.deepEqual(parseNetworkMemory(text), none, text);
  }
  const bad = ['192.168.8.0/24', '192.168.8.9/24', '0.0.0.0/0', '} accept', 8, null];
  t.deepEqual(
    parseNetworkMemory(JSON.stringify({ version: 1, networks: { 'br-iot': bad } })),
    new Map([['br-iot', ['192.168.8.0/24']]]),
  );
});
