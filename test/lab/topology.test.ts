// The lab's network as data: names of its own, an address a device, a server for every name; and how it is undone.
import test from 'ava';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import { Cleanup } from '../../src/research/lab/bed/cleanup.ts';
import { cloudAddresses, labDevices, planTopology } from '../../src/research/lab/bed/topology.ts';
import { joinDelays } from '../../src/research/lab/traffic/traffic-log.ts';
import { renderHomeConfig } from '../../src/research/lab/variants/shaped.ts';

test('every command acts in a namespace of this lab and no other', (t) => {
  const { names, commands } = planTopology({ id: 'x1', ipv6: true });
  const own = new Set<string>(Object.values(names));
  for (const name of own) t.regex(name, /^iotlab-x1-/);
  for (const argv of commands) {
    const within = argv[1] === '-n' ? ['ip', '-n'] : ['ip', 'netns', 'exec'];
    t.deepEqual(argv.slice(0, within.length), within);
    t.true(own.has(argv[within.length]!), argv.join(' '));
    const peer = argv.indexOf('netns', 2);
    t.true(peer < 0 || own.has(argv[peer + 1]!), argv.join(' '));
  }
});

test('names of network devices fit in the kernel’s 15 characters', (t) => {
  const { commands } = planTopology({ id: 'x1', ipv6: false });
  const named = commands.flatMap((argv) =>
    argv.flatMap((word, index) => (argv[index - 1] === 'dev' ? [word] : [])),
  );
  t.true(named.length > 0 && named.every((name) => name.length <= 15));
});

test('IPv6 is there when asked for and switched off otherwise', (t) => {
  t.true(planTopology({ id: 'a', ipv6: true }).commands.some((argv) => argv.includes('-6')));
  const without = planTopology({ id: 'a', ipv6: false });
  t.false(without.commands.some((argv) => argv.includes('-6')));
  for (const settings of Object.values(without.settings)) {
    t.true(settings.includes('net.ipv6.conf.all.disable_ipv6=1'));
  }
});

test('each device has its maker’s MAC and an address of its own; each name a server', (t) => {
  const devices = labDevices('00:11:22:33:44:55');
  t.is(devices[0]!.ip, '192.168.8.11');
  t.is(new Set(devices.map(({ ip }) => ip)).size, deviceCatalogue.length + 1);
  t.is(devices.at(-1)!.mac, '00:11:22:33:44:55');
  for (const { id, macPrefix } of deviceCatalogue) {
    t.true(devices.find((device) => device.id === id)!.mac.startsWith(macPrefix));
  }
  const addresses = cloudAddresses();
  for (const name of deviceCatalogue.flatMap(({ dnsNames }) => dnsNames))
    t.true(addresses.has(name));
  t.is(new Set(addresses.values()).size, addresses.size);
});

test('the home’s configuration names rate, mode and devices', (t) => {
  const options = {
    rateKBps: 25,
    packetBytes: 600,
    intervalSdPercent: 20,
    variant: 'placebo' as const,
  };
  const text = renderHomeConfig(options, '/x/home.ovpn', labDevices());
  for (const line of [
    "option rate '25'",
    "option packet_size '600'",
    "option mode 'vit'",
    "option interval_sd '20'",
    "option profile '/x/home.ovpn'",
    "option device 'br-iot'",
    "option mac '18:b4:30:00:00:01'",
  ]) {
    t.true(text.includes(line), line);
  }
  t.true(
    renderHomeConfig({ ...options, variant: 'constant' }, '', []).includes(
      "option mode 'constant'",
    ),
  );
});

test('cleaning up undoes last things first, goes on after a fault, and only once', async (t) => {
  const undone: string[] = [];
  const faults: unknown[] = [];
  const cleanup = new Cleanup((fault) => faults.push(fault));
  cleanup.add(() => undone.push('first'));
  cleanup.add(() => {
    throw new Error('stuck');
  });
  cleanup.add(async () => undone.push('last'));
  await Promise.all([cleanup.run(), cleanup.run()]);
  await cleanup.run();
  t.deepEqual(undone, ['last', 'first']);
  t.is(faults.length, 1);
});

test('logs of both sides are joined to delays, lost messages and owners included', (t) => {
  const entry = (key: number, timeMs: number, device: string) => ({
    key,
    timeMs,
    bytes: 10,
    device,
    protocol: 'udp' as const,
  });
  const delays = joinDelays(
    {
      sent: [entry(65536, 1000, 'echo'), entry(131072, 1500, 'sense')],
      received: [entry(65537, 1030, 'echo')],
      faults: [],
    },
    { sent: [entry(65537, 1020, '')], received: [entry(65536, 1015, '')], faults: [] },
    500_000,
  );
  t.deepEqual(
    delays.map(({ timeS, device, direction, delayMs }) => [timeS, device, direction, delayMs]),
    [
      [501, 'echo', 'up', 15],
      [501.02, 'echo', 'down', 10],
      [501.5, 'sense', 'up', null],
    ],
  );
});
