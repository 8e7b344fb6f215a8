// IPv6 of devices: carried where the endpoint has it, refused at once where it has not; and networks of many prefixes.
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import type { DeviceStatus } from '../../src/core/home/api.ts';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { CLOUD, CLOUD6, DEVICE, DEVICE6, HomeNetwork } from './home-network.ts';
import { readWire } from './wire.ts';

let network: HomeNetwork;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'six', ipv6: true });
  network.startEndpoint();
  network.startHome();
  await network.startCloud(CLOUD);
  await network.startCloud(CLOUD6);
  await network.await('shaping');
});

test.after.always(() => network?.close());

test.serial('carries IPv6 where the endpoint has it', async (t) => {
  const stop = await network.capture('six.pcap');
  t.like(await network.device('echo', CLOUD6, '1452,10'), { missing: 0, damaged: 0 });
  t.deepEqual(await network.device('download', CLOUD6), { intact: true });
  t.deepEqual((await readWire(await stop())).outside, []);
});

test.serial('hosts on the server’s own link are no Internet, in either family', async (t) => {
  const ask = (from: string, to: string, seconds = 20) =>
    network.netns('devices', ['sh', '-c', `ping -n -c1 -w${seconds} -I ${from} ${to} || true`]);
  const refused = async () => {
    const counter = 'nft list counter inet iotshaper refused'.split(' ');
    return Number(/packets (\d+)/.exec(await network.netns('endpoint', counter))?.[1]);
  };
  for (const [from, to, beyond] of [
    [DEVICE, '203.0.113.1', CLOUD],
    [DEVICE6, '2001:db8:203::1', CLOUD6],
  ] as const) {
    t.regex(await ask(from, beyond), / 1 received/);
    const before = await refused();
    t.regex(await ask(from, to, 3), / 0 received/);
    t.true((await refused()) > before);
  }
  // The server itself goes on asking whom it likes.
  t.regex(await network.netns('endpoint', ['ping', '-n', '-c1', '-w20', '203.0.113.1']), / 1 rec/);
});

/** The row of the device that has this address, once `ready` says so of it. */
async function row(
  address: string,
  ready: (device: DeviceStatus) => boolean = () => true,
): Promise<DeviceStatus> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const devices = (await network.status())?.devices ?? [];
    const found = devices.find(({ ip }) => ip.includes(address));
    if (found && ready(found)) return found;
    if (performance.now() > untilMs) throw new Error(`${address}: ${JSON.stringify(devices)}`);
    await new Promise((again) => setTimeout(again, 100)); // the service tells no other way here
  }
}

/** Gives one of the devices another address; `way` is the table of its own cable. */
async function addAddress(address: string, netdev: string, way: string): Promise<void> {
  const six = address.includes(':');
  const ip = (...words: string[]) => network.netns('devices', ['ip', six ? '-6' : '-4', ...words]);
  const how = ['noprefixroute', ...(six ? ['nodad'] : [])];
  await ip('addr', 'add', `${address}/${six ? 64 : 22}`, 'dev', netdev, ...how);
  await ip('rule', 'add', 'from', address, 'lookup', way);
}

/** Pings until five are answered, and waits until the device's row has them and nothing else. */
async function ping(t: ExecutionContext, from: string, to: string): Promise<void> {
  const bytes = to.includes(':') ? 104 : 84;
  const before = await row(from);
  const said = await pings(from, to, 5);
  const sent = Number(/(\d+) packets transmitted, 5 received/.exec(said)?.[1]);
  t.true(sent >= 5, said);
  t.log(`answered from ping ${/icmp_seq=(\d+)/.exec(said)?.[1]} of five a second on`);
  const after = await row(from, ({ tx_bytes, rx_bytes }) => {
    return tx_bytes - before.tx_bytes >= 5 * bytes && tx_bytes === rx_bytes;
  });
  // Those that were held are not counted.
  const counted = (after.tx_bytes - before.tx_bytes) / bytes;
  t.true(Number.isInteger(counted) && counted <= sent, `${counted} of ${sent}`);
  t.true(after.online);
}

function pings(from: string, to: string, count: number): Promise<string> {
  const words = ['-n', `-c${count}`, '-i0.2', '-w20', '-I', from, to];
  return network.netns('devices', ['ping', ...words]);
}

test.serial(
  'a /22 and two /64: devices of one last byte are told apart, and one is silent',
  async (t) => {
    const [, second, third] = network.topology.devices;
    const [other, other6, silent, far] = [
      '192.168.9.11',
      '2001:db8:9::11',
      '192.168.10.11',
      '10.77.0.11',
    ];
    const flow = network.startDevice('flow');
    const events: string[] = [];
    flow.stdout!.on('data', (text) => events.push(...String(text).trim().split('\n')));
    t.teardown(() => flow.kill('SIGKILL'));
    await row(DEVICE, ({ rx_bytes }) => rx_bytes > 0);
    t.regex(await rules(), /snat ip prefix to/);
    const stop = await network.capture('fleet.pcap');

    for (const address of [`${lab.lanAddress}/22`, '2001:db8:9::1/64']) {
      const nodad = address.includes(':') ? ['nodad'] : [];
      await network.netns('router', ['ip', 'addr', 'add', address, 'dev', lab.bridge, ...nodad]);
    }
    await addAddress(other, second!.netdev, '102');
    await addAddress(other6, second!.netdev, '102');
    await addAddress(silent, third!.netdev, '103');
    for (const address of [other, other6, silent]) {
      await network.netns('router', ['ping', '-nq', '-c1', '-w10', address]);
    }
    t.like(await row(other), { tx_bytes: 0, rx_bytes: 0, online: false });

    await ping(t, other, CLOUD);
    t.regex(await rules(), /snat ip to ip saddr map @inner4/);
    await ping(t, other6, CLOUD6);
    t.like(await row(silent), { tx_bytes: 0, rx_bytes: 0, online: false });
    t.like(await row(DEVICE), { online: true });

    t.deepEqual(await network.device('download', CLOUD, '', other), { intact: true });
    t.like(await network.device('echo', CLOUD, '1200,10', other), { missing: 0, damaged: 0 });
    // Behind a router of its own no neighbour tells of it: what it sends first is held for a look.
    await network.netns('devices', ['ip', 'addr', 'add', `${far}/32`, 'dev', 'lo']);
    await network.netns('devices', ['ip', 'rule', 'add', 'from', far, 'lookup', '102']);
    const way = `${far}/32 via ${other} dev ${lab.bridge}`;
    await network.netns('router', `ip route add ${way}`.split(' '));
    t.regex(await pings(far, CLOUD, 1), / 1 received/);

    const map = await network.netns('router', 'nft list map inet iotshaper inner4'.split(' '));
    const inner = [...map.matchAll(/ : (\S+?),?\s/g)].map(([, address]) => address);
    t.true(inner.length >= 4, map);
    t.is(new Set(inner).size, inner.length, map);
    const answers = events.filter((event) => event === 'udp').length;
    while (events.filter((event) => event === 'udp').length === answers) {
      await once(flow.stdout!, 'data', { signal: AbortSignal.timeout(20_000) });
    }
    t.deepEqual(
      [...new Set(events)].sort(),
      ['connected', 'udp'],
      'connections begun before go on',
    );
    t.is(events.filter((event) => event === 'connected').length, 1);
    t.deepEqual((await readWire(await stop())).outside, []);
  },
);

function rules(): Promise<string> {
  return network.netns('router', ['nft', 'list', 'chain', 'inet', 'iotshaper', 'source_nat']);
}

test.serial('refuses IPv6 at once where the endpoint has none, and lets none out', async (t) => {
  const network = await HomeNetwork.build({ id: 'four', ipv6: true });
  t.teardown(() => network.close());
  await network.netns('endpoint', ['ip', '-6', 'route', 'del', 'default']);
  network.startEndpoint();
  network.startHome();
  await network.startCloud(CLOUD6);
  await network.await('shaping');
  const stop = await network.capture('four.pcap');
  const beganMs = performance.now();
  const { error } = await network.device('download', CLOUD6);
  t.regex(String(error), /EHOSTUNREACH|ENETUNREACH|EACCES|ECONNREFUSED/);
  t.true(performance.now() - beganMs < 30_000);
  t.deepEqual((await readWire(await stop())).outside, []);
});
