// Homes on one wire: nothing is lost, ports are what NAT leaves, servers of one home alone stay that home's.
import test from 'ava';
import { seededRandom } from '../../src/core/random/random.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import { defaultVariantOptions, variantOf } from '../../src/research/simulation/variants.ts';
import type { Connection, FarPacket } from './far-side.ts';
import { departuresOf, findPartners, linkToTunnels, togetherness } from './linking.ts';
import { byConnection, homesOfServers, mixHomes, turnHome } from './mix.ts';
import { delaysThroughEndpoint, RESOLVER } from './recording.ts';
import { liveHome } from './served-home.ts';

function connection(over: Partial<Connection> = {}): Connection {
  return { protocol: 'tcp', server: 'a.example:443', port: 40_000, device: 'echo', ...over };
}

function packet(timeS: number, own: Connection, direction: 'up' | 'down' = 'up'): FarPacket {
  return { timeS, bytes: 100, direction, connection: own };
}

const random = () => seededRandom(1, 1);
const portsOf = (packets: readonly FarPacket[]) => packets.map(({ connection: { port } }) => port);

test('packets of all homes are there in order of time, each with its home', (t) => {
  const [one, other] = [connection(), connection({ port: 50_000 })];
  const mixed = mixHomes(
    [
      [packet(1, one), packet(3, one, 'down')],
      [packet(2, other), packet(4, other)],
    ],
    random(),
  );
  t.deepEqual(
    mixed.map(({ timeS, connection: { home } }) => [timeS, home]),
    [
      [1, 0],
      [2, 1],
      [3, 0],
      [4, 1],
    ],
  );
  t.deepEqual(
    [...byConnection(mixed).values()].map((own) => own.map(({ timeS }) => timeS)),
    [
      [1, 3],
      [2, 4],
    ],
  );
});

test('a port that another home’s connection to the same server has is given another, both ways', (t) => {
  const [first, second, elsewhere, datagrams] = [
    connection(),
    connection(),
    connection({ server: 'b.example:443' }),
    connection({ protocol: 'udp' }),
  ];
  const mixed = mixHomes(
    [
      [packet(1, first), packet(5, first, 'down')],
      [packet(2, second), packet(6, second, 'down')],
      [packet(3, elsewhere), packet(4, datagrams)],
    ],
    random(),
  );
  const [kept, given, away, udp, keptDown, givenDown] = portsOf(mixed);
  t.deepEqual([kept, away, udp, keptDown], [40_000, 40_000, 40_000, 40_000]);
  t.not(given, 40_000);
  t.true(given! >= 1024 && given! <= 65_535, `${given}`);
  t.is(givenDown, given);
});

test('no two connections to one server have the same port, however many homes there are', (t) => {
  const homes = Array.from({ length: 50 }, (_, k) => [packet(k, connection())]);
  t.is(new Set(portsOf(mixHomes(homes, random()))).size, 50);
});

test('servers that no other home talks to show the home as it is alone', (t) => {
  const home = (seed: number, devices: readonly ('sense' | 'echo')[]) =>
    liveHome(planHousehold({ seed, durationS: 60, devices }).exchanges, {
      ...{ seed, durationS: 60, endpointMs: () => 0.3 },
      variant: variantOf('packed-vit', defaultVariantOptions),
    }).far;
  const own = home(1, ['sense']);
  const mixed = mixHomes([own, home(2, ['echo']), home(3, ['echo'])], random());
  const servers = homesOfServers(mixed.map((one) => one.connection));
  t.is(servers.get('sense-in.hello.is:443'), 1);
  t.is(servers.get('pindorama.amazon.com:443'), 2);
  const seen = mixed.filter(({ connection: { server } }) => server.includes('hello.is'));
  const bare = (packets: readonly FarPacket[]) =>
    packets.map(({ timeS, bytes, direction }) => ({ timeS, bytes, direction }));
  t.true(seen.length > 20);
  t.deepEqual(bare(seen), bare(own));
});

test('connections are given to the tunnel that brings something before each of their packets', (t) => {
  const tunnels = [
    [1, 2, 3, 4],
    [1.5, 2.0001, 3.5, 4.5],
  ].map((times) => Float64Array.from(times));
  const leaving = (...times: number[]) => ({ timesS: Float64Array.from(times) });
  const called = linkToTunnels(
    [leaving(1.0002, 2.0002, 3.0002), leaving(1.5002, 3.5002), leaving(2.0002), leaving(9)],
    tunnels,
    0.001,
  );
  t.deepEqual(called, [0, 1, -1, -1]);
  // What a tunnel brings afterwards says nothing.
  t.deepEqual(linkToTunnels([leaving(0.9999)], tunnels, 0.001), [-1]);
});

test('connections that leave together belong together, those that are merely busy at once do not', (t) => {
  const every = (firstS: number, stepS: number, count: number) =>
    Float64Array.from({ length: count }, (_, k) => firstS + k * stepS);
  const stream = every(0, 0.0128, 1000);
  const withIt = Float64Array.from(stream.filter((_, k) => k % 50 === 0));
  const beside = every(0.006, 0.64, 20);
  t.true(togetherness(withIt, stream) > 5);
  t.is(togetherness(withIt, stream), togetherness(stream, withIt));
  t.true(togetherness(beside, stream) < 0);
  const silent = every(500, 1, 20);
  t.is(togetherness(silent, stream), 0);
  const leaving = (times: Float64Array, own: Connection) => [...times].map((s) => packet(s, own));
  const mixed = mixHomes(
    [
      [
        ...leaving(stream, connection({ device: 'nest-cam' })),
        ...leaving(withIt, connection({ port: 40_001 })),
      ],
      [
        ...leaving(beside, connection({ port: 40_002 })),
        ...leaving(silent, connection({ port: 40_003, device: 'sense' })),
      ],
    ],
    random(),
  );
  const departures = departuresOf(mixed);
  const names = [40_000, 40_001, 40_002, 40_003].map((port) =>
    departures.findIndex((one) => one.connection.port === port),
  );
  const partners = findPartners(departures);
  t.is(partners[names[0]!], names[1]!);
  t.is(partners[names[1]!], names[0]!);
  t.deepEqual([partners[names[2]!], partners[names[3]!]], [-1, -1]);
});

test('the way through the endpoint is measured from the slot before, of device packets up alone', (t) => {
  const own = connection();
  const asked = connection({ device: RESOLVER });
  const delays = delaysThroughEndpoint({
    far: [
      packet(0.5, own),
      packet(1.002, own),
      packet(1.5, own, 'down'),
      packet(1.6, asked),
      packet(2.001, own),
    ],
    tunnelS: [1, 2],
    activity: [],
    dropped: 0,
  });
  t.deepEqual(
    delays.map((ms) => Math.round(ms * 1000)),
    [1000, 2000],
  );
});

test('a home that is turned round has the same packets at other times, and connections of its own', (t) => {
  const own = connection();
  const home = {
    far: [packet(1, own), packet(6, own), packet(9, own, 'down')],
    tunnelS: [0, 5, 8],
    activity: [{ timeS: 7, bytes: 1, direction: 'up' as const, device: 'echo' }],
    dropped: 2,
  };
  const turned = turnHome(home, 6, 10);
  t.deepEqual(
    turned.far.map(({ timeS, direction }) => [timeS, direction]),
    [
      [0, 'up'],
      [3, 'down'],
      [5, 'up'],
    ],
  );
  t.deepEqual(turned.tunnelS, [2, 4, 9]);
  t.is(turned.activity[0]!.timeS, 1);
  t.is(new Set(turned.far.map((one) => one.connection)).size, 1);
  t.not(turned.far[0]!.connection, own);
  t.deepEqual(turned.far[0]!.connection, own);
  t.is(turned.dropped, 2);
  t.deepEqual(turnHome(home, 0, 10), home);
});
