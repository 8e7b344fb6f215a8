// An endpoint's life on a stand-in for its machine: whatever the world does to it by chance, and what comes of that.
import { TUNNEL_NETDEV } from '../../src/core/plan/names.ts';
import { INNER_NETDEV } from '../../src/core/plan/nft/nft-endpoint.ts';
import { drawIndex, seededRandom } from '../../src/core/random/random.ts';
import type { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import { EndpointMachine } from './endpoint-machine.ts';

interface StatusOfHomes {
  homes: { name: string; online: boolean }[];
}

/** Names of the homes that it says are there. */
export function online({ service }: EndpointMachine): string[] {
  const { homes } = service.status() as unknown as StatusOfHomes;
  return homes.filter((home) => home.online).map(({ name }) => name);
}

/** Starts the service, and homes that speak as soon as they can. */
export async function startAll(endpoint: EndpointMachine): Promise<void> {
  await endpoint.start();
  for (const home of endpoint.homes.values()) home.start();
}

/** After how long, in virtual time, these homes' devices get their packets and no other home is there; null for never. */
export async function servedAfterMs(
  endpoint: EndpointMachine,
  hosts: readonly number[],
  withinMs: number,
): Promise<number | null> {
  const { time } = endpoint.machine;
  const sinceMs = time.nowMs;
  endpoint.takeDelivered();
  while (time.nowMs - sinceMs < withinMs) {
    await endpoint.advance(2000);
    const delivered = endpoint.takeDelivered();
    const isServed = hosts.every((host) => delivered[host]! >= 7);
    if (isServed && isWhole(endpoint) && online(endpoint).length === hosts.length)
      return time.nowMs - sinceMs;
  }
  return null;
}

const kill =
  (word: string) =>
  ({ processes }: FakeMachine): void => {
    for (const { pid } of processes.find(word)) processes.signal(pid, 'SIGKILL');
  };

const loseAddresses =
  (name: string) =>
  ({ ip }: FakeMachine): void => {
    for (const address of ip.netdevs.get(name)?.addresses ?? []) ip.removeAddress(name, address);
  };

/** Whether what homes' packets need beside streams is as the endpoint made it. */
export function isWhole({ machine: { ip, settings } }: EndpointMachine): boolean {
  const stands = (name: string, address: string): boolean => {
    const netdev = ip.netdevs.get(name);
    return netdev?.isUp === true && netdev.addresses.includes(address);
  };
  return (
    stands(INNER_NETDEV, '10.214.0.1/16') &&
    stands(TUNNEL_NETDEV, '10.213.0.1/24') &&
    settings.read('net/ipv4/ip_forward')?.trim() === '1'
  );
}

/** What waits in it is dropped. */
function deleteClass({ tc }: FakeMachine): void {
  const queue = tc.queueOf(TUNNEL_NETDEV);
  const known = queue?.classes.get(2);
  if (known) queue!.removeClass(known);
}

/** What the world does to an endpoint. */
export const troubles: Readonly<Record<string, (machine: FakeMachine) => void>> = {
  'somebody flushes all rules': ({ plants }) => plants.flushRuleset(),
  'somebody changes a rule': ({ plants }) => plants.editChain('output'),
  'somebody replaces the queue': ({ plants }) => plants.changeQueue(),
  'somebody deletes a class': deleteClass,
  'somebody adds a class': ({ plants }) => plants.addClass(),
  'the classes lose their priorities': ({ plants }) => plants.dropLeaves(),
  'somebody takes the tunnel down': ({ plants }) => plants.takeDown(TUNNEL_NETDEV),
  'somebody takes the netdev of devices’ packets down': ({ plants }) =>
    plants.takeDown(INNER_NETDEV),
  'it loses its addresses': loseAddresses(INNER_NETDEV),
  'the tunnel loses its address': loseAddresses(TUNNEL_NETDEV),
  'the tunnel loses its route': ({ plants }) => plants.loseTunnelRoute(),
  'somebody deletes the tunnel’s netdev': ({ plants }) => plants.deleteTunnel(),
  'somebody switches forwarding off': ({ settings }) => settings.write('net/ipv4/ip_forward', '0'),
  'OpenVPN dies': kill('openvpn'),
  'socat dies': kill('socat'),
  'dnsmasq dies': kill('dnsmasq'),
  'what watches the rules dies': kill('monitor'),
  'the socket to traffic control dies': ({ plants }) => plants.routeSocketDies(),
  'the shaping thread dies': ({ plants }) => plants.threadThrows(),
  'cover takes nothing any more': ({ plants }) => plants.coverStops(),
  'the clock jumps': ({ plants }) => plants.clockJumps(86_400_000),
};

/** From when the queue is asked for to when it is judged a second passes, and another one between two times. */
export const NOTICED_MS = 2500;

/** What came of a trouble once it was to be noticed is a violation. */
export function forgiveUnnoticed(
  { violations }: EndpointMachine,
  plantedMs: number,
  noticedMs = NOTICED_MS,
): void {
  const seen = violations.filter(({ atMs }) => atMs > plantedMs + noticedMs);
  violations.splice(0, violations.length, ...seen);
}

const MOMENTS = 12;

/** Lives one life, in which effects fail by chance; what should not have been, and what happened. */
export async function liveEndpoint(
  seed: number,
): Promise<{ violations: string[]; story: readonly string[] }> {
  const endpoint = new EndpointMachine([2, 3]);
  const { machine, logged: story } = endpoint;
  const random = seededRandom(seed, 2);
  const draw = <T>(from: readonly T[]): T => from[drawIndex(random, from.length)]!;
  const before = machine.printKernel();
  const violations: string[] = [];
  const look = (plantedMs: number): void => {
    forgiveUnnoticed(endpoint, plantedMs);
    violations.push(...endpoint.violations.splice(0).map(({ atMs, what }) => `${atMs} ${what}`));
  };
  await startAll(endpoint);
  for (let count = 0; count < MOMENTS && violations.length === 0; count++) {
    const plantedMs = machine.time.nowMs;
    if (random() < 0.5) machine.failNext(1 + drawIndex(random, 12));
    story.push(`${plantedMs} ${happen(endpoint, random(), draw)}`);
    await endpoint.advance(Math.floor(300 * 20 ** random()));
    look(plantedMs);
  }
  machine.door.forgive();
  for (const host of [2, 3]) endpoint.want(host, { rateKBps: 4 });
  endpoint.store([2, 3]);
  const wellMs = machine.time.nowMs;
  await endpoint.advance(1000);
  if ((await servedAfterMs(endpoint, [2, 3], 60_000)) === null) violations.push('not served');
  look(wellMs);
  for (const home of endpoint.homes.values()) home.stop();
  await machine.finish(endpoint.service.stop());
  if (machine.printKernel() !== before) violations.push(`left behind:\n${machine.printKernel()}`);
  return { violations, story };
}

function happen(
  endpoint: EndpointMachine,
  kind: number,
  draw: <T>(from: readonly T[]) => T,
): string {
  if (kind < 0.2) {
    const hosts = draw([[2], [3], [2, 3], []]);
    endpoint.store(hosts);
    return `homes: ${hosts.join(' ')}`;
  }
  const host = draw([2, 3]);
  if (kind < 0.4) {
    const change = { rateKBps: draw([4, 6, 90]), packetBytes: draw([512, 900]) };
    endpoint.want(host, change);
    return `home ${host} wants ${JSON.stringify(change)}`;
  }
  if (kind < 0.5) {
    endpoint.home(host).start();
    return `home ${host} starts over`;
  }
  const name = draw(Object.keys(troubles));
  troubles[name]!(endpoint.machine);
  return name;
}
