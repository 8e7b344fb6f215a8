// The clock behind OpenVPN as it is put on a machine and taken away, on a stand-in for that machine.
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { CLOCK_END_NETDEV, CLOCK_NETDEV } from '../../src/core/plan/names.ts';
import {
  CLOCK_TABLE,
  type ClockWish,
  planClock,
  renderClockChains,
} from '../../src/core/plan/outer-clock.ts';
import { OuterClock } from '../../src/shell/shaper/outer-clock.ts';
import { FakeMachine } from '../stand-ins/fake-system/machine.ts';

const shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
const way = { netdev: 'wan', index: 1, isEthernet: true, address: '203.0.113.7', port: 1194 };
const wish: ClockWish = { way, minor: 0x10, shape, standing: 2 };

function build(): FakeMachine {
  const machine = new FakeMachine({
    controlKey: new Uint8Array(32),
    inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
  });
  machine.ip.addNetdev({ name: 'wan', addresses: ['203.0.113.2/24'] });
  machine.ip.addNetdev({ name: 'wwan', addresses: ['198.51.100.2/24'] });
  return machine;
}

test('made twice there is one, taken away there is nothing', async (t) => {
  const machine = build();
  const before = machine.printKernel();
  const clock = new OuterClock(machine.system, 'home');
  const place = (some: ClockWish) =>
    machine.finish(clock.place(planClock(some, machine.processes.uid)));
  t.is(await place(wish), null);
  const once = machine.printKernel();
  t.true(once.includes('fwd to "iotclk0"'));
  for (const netdev of [CLOCK_NETDEV, CLOCK_END_NETDEV]) {
    t.is(machine.settings.read(`net/ipv6/conf/${netdev}/disable_ipv6`), '1\n');
  }
  t.is(await place(wish), null);
  t.is(machine.printKernel(), once);
  t.is(await place({ ...wish, way: { ...way, netdev: 'wwan', index: 2 } }), null);
  t.regex(machine.printKernel(), /hook egress device "wwan"/);
  t.notRegex(machine.printKernel(), /device "wan"/);
  // Another service than the one that made it finds it, too.
  await machine.finish(new OuterClock(machine.system, 'home').remove());
  t.is(machine.printKernel(), before);
});

test('chains that somebody has changed, or that went with their netdev, are seen', async (t) => {
  const machine = build();
  const clock = new OuterClock(machine.system, 'home');
  const look = () => machine.finish(clock.readChains());
  t.is(await look(), null);
  await machine.finish(clock.place(planClock(wish, machine.processes.uid)));
  t.deepEqual(await look(), { intact: true, ledPackets: 0 });
  machine.nft.load('table netdev theirs {\nchain c {\naccept\n}\n}\n', true);
  machine.nft.tables.get(CLOCK_TABLE)!.counters.get('led')!.packets = 7;
  t.deepEqual(await look(), { intact: true, ledPackets: 7 });
  machine.ip.removeNetdev('wan');
  t.false((await look())?.intact);
  machine.nft.load('flush ruleset\n', true);
  t.false((await look())?.intact);
});

test('what the kernel has no part for is said, and nothing stays', async (t) => {
  const withoutPairs = build();
  withoutPairs.ip.missingKinds.add('veth');
  const withoutChains = build();
  withoutChains.nft.hasNetdevTables = false;
  const cases: [FakeMachine, RegExp][] = [
    [withoutPairs, /its kernel has no veth; run "opkg update; opkg install kmod-veth"/],
    [withoutChains, /none of the rules .*Operation not supported.*kmod-nft-netdev/],
  ];
  for (const [machine, said] of cases) {
    const before = machine.printKernel();
    const why = await machine.finish(
      new OuterClock(machine.system, 'home').place(planClock(wish, machine.processes.uid)),
    );
    t.regex(why ? wordsOf(why) : '', said);
    t.is(machine.printKernel(), before);
  }
});

test('packets without an Ethernet header get one for the pair, and as many hops as they had', (t) => {
  const headless = { ...way, netdev: 'pppoe-wan', isEthernet: false };
  t.regex(
    renderClockChains(headless, 0x10, 0),
    /ip daddr 203\.0\.113\.7 udp dport 1194 counter name led ip ttl set 66 fwd ip to 192\.0\.0\.8 device "iotclk0"\n[\s\S]*meta protocol ip fwd ip to 192\.0\.0\.8 device "pppoe-wan"\n/,
  );
  t.regex(
    renderClockChains({ ...headless, address: '2001:db8::7' }, 0x10, 0),
    /ip6 daddr 2001:db8::7 .* ip6 hoplimit set 66 fwd ip6 to fe80::1 device "iotclk0"\n/,
  );
});
