// The clock behind OpenVPN as it is put on a machine and taken away, on a stand-in for that machine.
import test from 'ava';
import { wordsOf } from '../../src/core/notices/words.ts';
import { CLOCK_NETDEV } from '../../src/core/plan/names.ts';
import { placeClock, removeClock } from '../../src/shell/shaper/outer-clock.ts';
import { FakeMachine } from '../stand-ins/fake-system/machine.ts';

const shape = { rateKBps: 40, packetBytes: 512, mode: 'vit', sdPercent: 30 } as const;
const way = { netdev: 'wan', index: 1, address: '203.0.113.7', port: 1194 };
const wish = { way, minor: 0x10, shape };

function build(): FakeMachine {
  const machine = new FakeMachine({
    controlKey: new Uint8Array(32),
    inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
  });
  machine.ip.addNetdev({ name: 'wan', addresses: ['203.0.113.2/24'] });
  machine.ip.addNetdev({ name: 'wwan', addresses: ['198.51.100.2/24'] });
  return machine;
}

const tc = (machine: FakeMachine, line: string): string => machine.tc.run(line.split(' ')).stdout;

test('made twice there is one, taken away there is nothing', async (t) => {
  const machine = build();
  const before = machine.printKernel();
  t.is(await machine.finish(placeClock(machine.system, wish)), null);
  const once = machine.printKernel();
  t.true(once.includes('mirred (Egress Redirect to device iotclk0)'));
  t.is(machine.settings.read(`net/ipv6/conf/${CLOCK_NETDEV}/disable_ipv6`), '1\n');
  t.is(await machine.finish(placeClock(machine.system, wish)), null);
  t.is(machine.printKernel(), once);
  const moved = { ...way, netdev: 'wwan', index: 2 };
  t.is(await machine.finish(placeClock(machine.system, { ...wish, way: moved })), null);
  t.is(machine.tc.queueOf('wan')?.hook, null);
  t.true(machine.tc.queueOf('wwan')?.hook !== null);
  await machine.finish(placeClock(machine.system, { ...wish, way: null }));
  t.is(machine.printKernel(), before);
});

test('filters of others stay, and the hook they stand in', async (t) => {
  const machine = build();
  tc(machine, 'qdisc add dev wan clsact');
  machine.ip.addNetdev({ name: 'ifb4wan', kind: 'ifb' });
  const match = 'match ip dst 192.0.2.1/32 match ip protocol 17 0xff match ip dport 53 0xffff';
  const action = 'action mirred egress redirect dev ifb4wan';
  tc(machine, `filter add dev wan egress protocol ip pref 10 u32 ${match} ${action}`);
  const before = tc(machine, 'filter show dev wan egress');
  t.is(await machine.finish(placeClock(machine.system, wish)), null);
  await machine.finish(removeClock(machine.system));
  t.is(tc(machine, 'filter show dev wan egress'), before);
});

test('what the kernel or another program does not leave to us is said, and nothing stays', async (t) => {
  const withoutIfb = build();
  withoutIfb.ip.missingKinds.add('ifb');
  const withSqm = build();
  withSqm.files.plant('/etc/init.d/sqm', '#!/bin/sh\n');
  const withIngress = build();
  tc(withIngress, 'qdisc add dev wan ingress');
  const withoutFilters = build();
  withoutFilters.tc.hasFilters = false;
  const cases: [FakeMachine, RegExp][] = [
    [withoutIfb, /its kernel has no ifb; run "opkg update; opkg install kmod-ifb"/],
    [withSqm, /SQM limits downloads by the hook of wan/],
    [withIngress, /SQM limits downloads by the hook of wan/],
    [withoutFilters, /none of the filters .*Failed to load TC action module.*kmod-sched-core/],
  ];
  for (const [machine, said] of cases) {
    const before = machine.printKernel();
    const why = await machine.finish(placeClock(machine.system, wish));
    t.regex(why ? wordsOf(why) : '', said);
    t.is(machine.printKernel(), before);
  }
});
