// The service for real: both ends, real OpenVPN, nftables and tc, devices talking through it.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { lab } from '../../src/research/lab/bed/topology.ts';
import { encodeQuestion } from '../../src/research/lab/traffic/dns.ts';
import { CLOUD, DEVICE, HomeNetwork } from './home-network.ts';
import { eventually } from './support.ts';
import { intervalsMs, packetsPerS, readWire, sizes } from './wire.ts';

const SLOTS_PER_S = 40_000 / 512;
const WIRE_BYTES = 512 + 52;

let network: HomeNetwork;
let before: Record<string, string>;

test.before(async () => {
  network = await HomeNetwork.build({ id: 'svc' });
  before = await network.traces();
  network.startEndpoint();
  network.startHome();
  await network.startCloud();
  await network.await('shaping');
});

test.after.always(() => network?.close());

interface Process {
  pid: number;
  /** proc(5)'s status, fields separated by one space. */
  status: Record<string, string>;
}

async function findProcess(name: string, place: 'router' | 'endpoint'): Promise<Process> {
  const pids = await network.netns(place, ['ip', 'netns', 'pids', network.topology.names[place]]);
  for (const pid of pids.trim().split('\n')) {
    const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const status = Object.fromEntries(
      text.split('\n').map((line) => line.split(/:\s*/)) as [string, string][],
    );
    for (const [field, value] of Object.entries(status))
      status[field] = value?.trim().replace(/\s+/g, ' ');
    const isAsking = await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (words) => words.includes('SOCKET-SENDTO'),
      () => false,
    );
    // The socat by which the service asks the kernel reads nothing of devices.
    if (status.Name === name && !isAsking) return { pid: Number(pid), status };
  }
  throw new Error(`no ${name} at the ${place}`);
}

/** Waits until another process of this name stands in the place of one that was ended. */
async function anotherProcess(
  name: string,
  place: 'router' | 'endpoint',
  pid: number,
): Promise<Process> {
  // Nobody tells of a child's child.
  return eventually(`another ${name} at the ${place}`, async () => {
    const found = await findProcess(name, place).catch(() => undefined);
    return found?.pid !== pid && found;
  });
}

async function carries(t: import('ava').ExecutionContext): Promise<void> {
  const upload = await network.device('upload');
  t.is(upload.got, upload.sent);
  t.deepEqual(await network.device('download'), { intact: true });
  // 1472 bytes of payload fill an Ethernet frame; Linux sends them with "don't fragment".
  const full = await network.device('echo', CLOUD, '1472,20');
  t.like(full, { missing: 0, damaged: 0 });
  const quic = await network.device('echo', CLOUD, '1252,40');
  t.like(quic, { missing: 0, damaged: 0 });
  const lookup = ['build/test/net/programs/lookup.js', DEVICE, '192.168.8.1'];
  const answer = await network.netns('devices', [process.execPath, ...lookup]);
  t.deepEqual(JSON.parse(answer), { answered: true });
  const ping = await network
    .netns('devices', ['ping', '-n', '-c', '5', '-i', '0.2', '-I', '192.168.8.11', CLOUD])
    .catch((error: Error) => error.message);
  t.regex(ping, / [1-5] received/);
}

test.serial('carries TCP, full-size UDP, bursts and ping whole, with offloads on', async (t) => {
  for (const [place, netdev] of [
    ['devices', 'd1'],
    ['router', 'wan'],
    ['router', 'p1'],
  ] as const) {
    const features = await network.netns(place, ['ethtool', '-k', netdev]);
    t.regex(features, /generic-receive-offload: on/);
    t.regex(features, /tcp-segmentation-offload: on/);
    t.regex(features, /generic-segmentation-offload: on/);
  }
  await carries(t);
});

for (const [name, place] of [
  ['openvpn', 'router'],
  ['openvpn', 'endpoint'],
  ['socat', 'router'],
  ['socat', 'endpoint'],
] as const) {
  test.serial(`${name} at the ${place} has no rights but nobody’s`, async (t) => {
    const { status } = await findProcess(name, place);
    // Real, effective, saved, for files.
    t.is(status.Uid, '65534 65534 65534 65534');
    t.is(status.Gid, '65534 65534 65534 65534');
    t.regex(status.Groups!, /^(65534)?$/);
    for (const kind of ['CapEff', 'CapPrm', 'CapInh', 'CapAmb']) {
      t.is(status[kind], '0000000000000000', kind);
    }
  });
}

/** Names of the programs in a network namespace that have run for so long. */
async function programsOlderThan(seconds: number, place: 'router' | 'endpoint') {
  const pids = await network.netns(place, ['ip', 'netns', 'pids', network.topology.names[place]]);
  const upS = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
  const names = new Set<string>();
  for (const pid of pids.trim().split('\n')) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(text) ?? [];
    // proc(5): the 22nd field is when it began, in hundredths of a second.
    if (upS - Number(rest.split(' ')[19]) / 100 > seconds) names.add(name);
  }
  return names;
}

test.serial(
  'what runs beside the service goes on, rather than being started again and again',
  async (t) => {
    for (const place of ['router', 'endpoint'] as const) {
      await eventually(`all of it at the ${place}`, async () => {
        const programs = await programsOlderThan(2, place);
        return ['nft', 'ip', 'openvpn', 'socat'].every((name) => programs.has(name));
      });
      t.true((await programsOlderThan(2, place)).has('nft'), 'which tells of rules that go');
    }
  },
);

test.serial('of the endpoint’s files others may read their tunnel addresses alone', async (t) => {
  const modes: Record<string, string> = {};
  for (const file of await readdir(network.path('run-endpoint'), { recursive: true })) {
    const { mode } = await stat(join(network.path('run-endpoint'), file));
    // A home's file is named for its certificate as well.
    modes[file.replace(/^(homes\/lab)\.[0-9a-f]+$/, '$1')] = (mode & 0o777).toString(8);
  }
  t.deepEqual(modes, {
    'api.sock': '600',
    homes: '711',
    'homes/lab': '644',
    'openvpn.conf': '600',
    'openvpn.sock': '700',
  });
});

test.serial('OpenVPN connects anew without root’s rights, on the netdev it holds', async (t) => {
  const index = () => network.netns('router', ['cat', '/sys/class/net/iotvpn0/ifindex']);
  const [near, netdev] = [await findProcess('openvpn', 'router'), await index()];
  process.kill(near.pid, 'SIGUSR1');
  await network.logged('home', /Preserving previous TUN\/TAP instance: iotvpn0/);
  await network.await('shaping');
  t.is((await findProcess('openvpn', 'router')).pid, near.pid);
  t.is(await index(), netdev);
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });

  const far = await findProcess('openvpn', 'endpoint');
  process.kill(far.pid, 'SIGKILL');
  await network.await('blocked');
  const again = await anotherProcess('openvpn', 'endpoint', far.pid);
  // The home would do so by itself after 15 s of silence.
  process.kill(near.pid, 'SIGUSR1');
  await network.await('shaping');
  t.is(again.status.Uid, '65534 65534 65534 65534');
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
});

test.serial('another address from the endpoint: the netdev is made anew', async (t) => {
  const path = network.path('endpoint/homes.json');
  const homes = await readFile(path, 'utf8');
  await writeFile(path, homes.replace('"host": 2', '"host": 9'));
  await network.logged('home', /Pulled options changed on restart/);
  const { tunnel } = await network.await('shaping');
  t.is(tunnel.address, '10.213.0.9');
  const { status } = await findProcess('openvpn', 'router');
  t.is(status.Uid, '65534 65534 65534 65534');
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
});

test.serial('carries all of it with 2 % of the tunnel’s datagrams lost', async (t) => {
  const lose = 'udp dport 1194 numgen random mod 100 < 2 counter drop';
  const back = 'udp sport 1194 numgen random mod 100 < 2 counter drop';
  const table = `table inet lose {\nchain forward {\ntype filter hook forward priority filter;\n${lose}\n${back}\n}\n}\n`;
  await network.netns('provider', ['nft', '-f', '-'], table);
  t.teardown(() => network.netns('provider', ['nft', 'delete', 'table', 'inet', 'lose']));
  await carries(t);
  const rules = await network.netns('provider', ['nft', 'list', 'table', 'inet', 'lose']);
  for (const [, packets] of rules.matchAll(/counter packets (\d+)/g)) t.true(Number(packets) > 0);
});

test.serial(
  'shows the provider one size, one rate, no name and nothing beside the tunnel',
  async (t) => {
    const stop = await network.capture('wire.pcap');
    const talk = network.startDevice('chatter');
    await network.device('download');
    await network.device('upload');
    talk.kill();
    const wire = await readWire(await stop());
    t.deepEqual(wire.outside, []);
    t.deepEqual(sizes(wire.up), [WIRE_BYTES]);
    t.deepEqual(sizes(wire.down), [WIRE_BYTES]);
    for (const way of [wire.up, wire.down]) {
      const share = packetsPerS(way) / SLOTS_PER_S;
      // Never more than the rate; how close to it from below is the machine's, and `make evaluate-wire` tells.
      t.true(share > 0.3 && share < 1.05, `${share} of the slots asked`);
    }
  },
);

test.serial('a new rate is taken over while packets flow, on the queue that stands', async (t) => {
  const talk = network.startDevice('chatter');
  t.teardown(() => talk.kill());
  const queue = () => network.netns('router', ['tc', 'qdisc', 'show', 'dev', 'iotvpn0']);
  const [queueBefore, { pid }] = [await queue(), await findProcess('openvpn', 'router')];
  const stop = await network.capture('reload.pcap');
  await network.device('echo', CLOUD, '1000,30');
  await network.configure(["option rate '80'"]);
  t.true((await network.reload()).ok);
  const changedS = Date.now() / 1000;
  t.like(await network.await('shaping'), { rate: { upload_kBps: 80, download_kBps: 80 } });
  await network.device('download');
  const { up, down } = await readWire(await stop());
  for (const way of [up, down]) {
    const [slow, fast] = [true, false].map((isBefore) =>
      packetsPerS(way.filter(({ timeS }) => timeS < changedS === isBefore)),
    );
    // Twice as many are asked for; how many a busy machine manages, `make evaluate-wire` tells.
    const ratio = fast! / slow!;
    t.true(ratio > 1.2 && ratio < 4, `${ratio} times as many`);
    // A queue or a tunnel made anew would take seconds; what a pause of less is worth, `make evaluate-wire` tells.
    const longest = Math.max(...intervalsMs(way));
    t.true(longest < 4000, `${longest} ms without a packet`);
  }
  t.is(await queue(), queueBefore);
  t.is((await findProcess('openvpn', 'router')).pid, pid);
});

test.serial('a bad configuration is refused by name and the last good one stays', async (t) => {
  const rules = await network.netns('router', [
    'nft',
    'list',
    'chain',
    'inet',
    'iotshaper',
    'output',
  ]);
  await network.configure(["option rate 'fast'"]);
  const { ok, stderr } = await network.reload();
  t.false(ok);
  t.regex(stderr, /iotshaper\.main\.rate: must be .*got "fast"/);
  const status = await network.await('shaping');
  t.like(status, { rate: { upload_kBps: 80 }, config: { ok: false } });
  t.is(
    await network.netns('router', ['nft', 'list', 'chain', 'inet', 'iotshaper', 'output']),
    rules,
  );
  await network.configure([]);
  t.true((await network.reload()).ok);
  t.like(await network.status(), { rate: { upload_kBps: 40 }, config: { ok: true } });
});

test.serial(
  'a profile that does not connect leaves the one that works in use, and says why',
  async (t) => {
    const path = network.path('home.ovpn');
    const works = await readFile(path, 'utf8');
    const { pid } = await findProcess('openvpn', 'router');
    const tuns = () => network.netns('router', ['ip', '-br', 'link', 'show', 'type', 'tun']);
    const netdevs = await tuns();
    const since = network.logs.get('home')!.length;
    for (const [text, why] of [
      [works.replace(/(<peer-fingerprint>\n)../, (_, tag) => `${tag}00`), /fingerprint differs/],
      [works.replace(/^remote \S+/m, 'remote nosuch.invalid'), /name nosuch\.invalid can't be/],
      [works.replace(/^(remote \S+) \d+/m, '$1 9'), /nothing listens/],
    ] as const) {
      await writeFile(path, text);
      await network.reread();
      await network.warned(new RegExp(`not used.*${why.source}`));
      await network.await('shaping');
    }
    t.is((await findProcess('openvpn', 'router')).pid, pid);
    t.is(await tuns(), netdevs);
    // What else stops devices for a moment on a busy machine is no loss of the tunnel.
    t.notRegex(network.logs.get('home')!.slice(since), /openvpn.*stopped|blocked: .*the tunnel/);

    await writeFile(path, works.replace('proto udp\n', 'proto udp4\n'));
    await network.reread();
    await network.logged('home', /the new profile works, and is used/);
    const status = await network.await('shaping');
    t.deepEqual(status.config.warnings, []);
    t.not((await findProcess('openvpn', 'router')).pid, pid);
    for (const line of works.match(/^[A-Za-z0-9+/=]{40,}$/gm)!)
      t.false(network.logs.get('home')!.includes(line));
  },
);

test.serial('a broken queue stops devices, is made anew, and devices go on', async (t) => {
  await network.netns('router', ['tc', 'qdisc', 'del', 'dev', 'iotvpn0', 'root']);
  const broken = await network.await('blocked');
  t.regex(broken.reason, /^Not protected: .*cut off/);
  await network.await('shaping');
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
});

test.serial(
  'the clock behind OpenVPN is made anew, beside a queue of the user’s own',
  async (t) => {
    const onRouter = (line: string) => network.netns('router', line.split(' '));
    const chains = () => onRouter('nft list ruleset netdev');
    t.regex(await chains(), /fwd to "iotclk0"/);
    await onRouter('nft flush chain netdev iotshaper out');
    await network.await('blocked');
    await network.await('shaping');
    t.regex(await chains(), /fwd to "iotclk0"/);
    await onRouter('ip link del iotclk0');
    await network.await('blocked');
    await network.await('shaping');
    // As SQM does, over and over; what the clock lets go stands there next.
    await onRouter('tc qdisc add dev wan ingress');
    await onRouter('tc qdisc replace dev wan root tbf rate 20mbit burst 10kb latency 50ms');
    const stop = await network.capture('beside.pcap');
    t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
    await onRouter('tc qdisc replace dev wan root htb');
    t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
    const { up, outside } = await readWire(await stop());
    t.deepEqual(outside, []);
    await onRouter('tc qdisc del dev wan root');
    await onRouter('tc qdisc del dev wan ingress');
    const [, counted] = /Sent \d+ bytes (\d+) pkt/.exec(
      await onRouter('tc -s class show dev iotclk0'),
    )!;
    t.true(Number(counted) >= up.length, 'nothing left past it');
    await network.await('shaping');
  },
);

test.serial('rules that someone flushes are put back at once', async (t) => {
  const talk = network.startDevice('chatter');
  t.teardown(() => talk.kill());
  const stop = await network.capture('flushed.pcap');
  await network.netns('router', ['nft', 'flush', 'ruleset']);
  t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
  const { outside } = await readWire(await stop());
  t.log(`${outside.length} packets got out before the kernel told of the deletion`);
  // A device sends 50 packets a second, and a busy machine tells late.
  t.true(outside.length < 150, `${outside.length} packets got out`);
  t.regex(await network.netns('router', ['nft', 'list', 'ruleset']), /chain zone_devices/);
  await network.netns('router', ['nft', '-f', '-'], network.topology.routerRules);
});

test.serial(
  'an endpoint that falls silent stops devices; its return lets them go on',
  async (t) => {
    await network.stop('endpoint', 'SIGKILL');
    await network.await('blocked');
    await network.configure(["option killswitch '0'"]);
    await network.reread();
    // Meanwhile they go on directly, and are answered; with the kill switch they are cut off again.
    const ping = ['ping', '-nq', '-c2', '-i0.2', '-w10', '-I', '192.168.8.12', '192.88.99.100'];
    t.regex(await network.netns('devices', ping), / 2 received/);
    await network.configure([]);
    await network.reread();
    await t.throwsAsync(network.netns('devices', [...ping.slice(0, 4), '-w1', ...ping.slice(5)]));
    // Names of the house are answered all the same: this one with "no such name".
    const asks = `socat -t 1 - UDP4:${lab.lanAddress}:53,bind=${DEVICE} | od -An -v -tx1 | tr -d ' \\n'`;
    const question = encodeQuestion({ id: 7, name: 'nobody.lan', type: 'A' }).toString();
    const answer = await network.netns('devices', ['sh', '-c', asks], question);
    t.regex(answer, /^00078[45]83/);
    network.startEndpoint();
    await network.await('shaping');
    t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });
  },
);

test.serial(
  'killed, it lets nothing of a device out; started again it goes on; stopped it leaves nothing',
  async (t) => {
    const talk = network.startDevice('chatter');
    t.teardown(() => talk.kill());
    await network.stop('home', 'SIGKILL');
    const stop = await network.capture('killed.pcap');
    const sinceMs = performance.now();
    await new Promise((later) => setTimeout(later, 4000)); // what is looked for is that nothing happens
    const wire = await readWire(await stop());
    // The router's kernel tells the endpoint that nobody listens any more; that is no device's packet.
    const refusal = `${lab.homeAddress} > ${lab.endpointAddress} protocol 1 port null`;
    t.deepEqual(
      wire.outside.filter((packet) => packet !== refusal),
      [],
    );
    const seconds = (performance.now() - sinceMs) / 1000;
    t.true(intervalsMs(wire.up).length < seconds * 1.3 * SLOTS_PER_S);
    t.regex(await network.netns('router', ['nft', 'list', 'ruleset']), /table inet iotshaper/);
    const left = await network.device('echo', CLOUD, '100,1,1');
    t.is(left.missing ?? 1, 1);

    network.startHome();
    await network.await('shaping');
    t.like(await network.device('echo', CLOUD, '100,3'), { missing: 0 });

    talk.kill();
    await network.stop('home');
    t.deepEqual(await network.traces(), before);
  },
);
