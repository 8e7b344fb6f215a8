// The stand-in for a machine: that it answers as the real tools do, and that the real service runs on it.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { HomeService } from '../../src/shell/home/home-service.ts';
import { TrafficControl } from '../../src/shell/shaper/traffic-control.ts';
import { CommandError } from '../../src/shell/system/command.ts';
import {
  createHomeMachine,
  defaultConfig,
  homePaths,
  readInterfaces,
} from '../stand-ins/fake-system/home-machine.ts';
import { FakeMachine } from '../stand-ins/fake-system/machine.ts';
import { TcListingReader } from '../stand-ins/tc-listing-reader.ts';

const recorded = (name: string): string =>
  readFileSync(`test/stand-ins/fake-system/recorded/${name}`, 'utf8');
const goldenRules = readFileSync('test/golden/home/default/rules.nft', 'utf8');

function bareMachine(): FakeMachine {
  return new FakeMachine({
    controlKey: new Uint8Array(32),
    inner: { prefix4: '10.214.2.0/24', prefix6: null, resolver4: '10.214.0.1', resolver6: null },
  });
}

/** The machine of `recorded/commands.txt`. */
function recordedMachine(): FakeMachine {
  const machine = bareMachine();
  const { ip } = machine;
  ip.addNetdev({ name: 'lo', addresses: ['127.0.0.1/8'] });
  ip.addNetdev({ name: 'wan', kind: 'bridge', addresses: ['198.51.100.10/24'] });
  ip.addNetdev({ name: 'br-lan', kind: 'bridge', addresses: ['192.168.1.1/24'] });
  ip.addNetdev({ name: 'br-iot', kind: 'bridge', addresses: ['192.168.8.1/24'] });
  ip.addNetdev({ name: 'iot0', kind: 'tun' });
  ip.netdevs.get('lo')!.mtu = 65_536;
  ip.netdevs.get('iot0')!.queuePackets = 500;
  ip.setRoute({
    ...{ family: 4, table: 'main', type: 'unicast', destination: 'default' },
    ...{ dev: 'wan', via: '198.51.100.1', metric: 0, protocol: 'static' },
  });
  return machine;
}

/** Whether all that the model says is in what was recorded, which says more. */
function isWithin(model: unknown, real: unknown): boolean {
  if (Array.isArray(model)) {
    const left = [...(real as unknown[])];
    return model.every((one) => {
      const index = left.findIndex((other) => isWithin(one, other));
      if (index >= 0) left.splice(index, 1);
      return index >= 0;
    });
  }
  if (typeof model !== 'object' || model === null) return model === real;
  if (typeof real !== 'object' || real === null) return false;
  return Object.entries(model).every(([key, value]) =>
    isWithin(value, (real as Record<string, unknown>)[key]),
  );
}

async function answerOf(machine: FakeMachine, command: string): Promise<string> {
  try {
    const { stdout } = await machine.system.processes.run(command.split(' '));
    return stdout.trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return `${error.stderr.trim()}\n[${error.status}]`;
  }
}

test('ip, tc and conntrack answer as the real ones did', async (t) => {
  const machine = recordedMachine();
  const parts = recorded('commands.txt').split(/^\$ /m).slice(1);
  t.true(parts.length > 55);
  for (const part of parts) {
    const [command = '', ...lines] = part.trimEnd().split('\n');
    const real = lines.join('\n').trim();
    const answer = await answerOf(machine, command);
    if (!real.startsWith('[') || /^\[\d\]$/.test(real)) {
      t.is(answer, real, command);
      continue;
    }
    const [modelRows, realRows] = [JSON.parse(answer), JSON.parse(real)] as [unknown[], unknown[]];
    t.is(modelRows.length, realRows.length, `${command}\n${answer}\n${real}`);
    t.true(isWithin(modelRows, realRows), `${command}\n${answer}\n${real}`);
  }
});

/** Without what nft lists in an order of its own, and the time that was left. */
function ordered(listing: string): string {
  return listing
    .replace(/ expires \w+/g, '')
    .replace(/(elements =|oifname !=) \{([^}]*)\}/g, (_, before: string, list: string) => {
      const elements = list.split(',').map((one) => one.trim());
      return `${before} { ${elements.sort().join(', ')} }`;
    });
}

test('nft lists rules as the real one did', async (t) => {
  const machine = bareMachine();
  const { nft } = machine;
  nft.load(goldenRules);
  nft.load('add element inet iotshaper alive { ip timeout 3s, ip6 timeout 3s }\n');
  t.is(ordered(nft.list('inet iotshaper')), ordered(recorded('rules.txt')));
  await machine.advance(412);
  t.regex(nft.list('inet iotshaper'), /ip timeout 3s expires 2s588ms,/);
});

test('a transaction of nft is done as a whole or not at all', (t) => {
  const { nft } = bareMachine();
  nft.load(goldenRules);
  const before = nft.list('inet iotshaper');
  for (const bad of [
    'flush set inet iotshaper house\ndelete element inet iotshaper house { "br-none" }\n',
    'flush table inet iotshaper\ndelete table inet other\n',
    'table inet iotshaper\ndelete table inet iotshaper\ntable inet iotshaper {\n\tchain a {\n\t\tgoto b\n\t}\n}\n',
    'flush set inet iotshaper nothing\n',
  ]) {
    t.throws(() => nft.load(bad), { name: 'NftRefusal' });
    t.is(nft.list('inet iotshaper'), before);
  }
  t.throws(() => nft.load('add map inet iotshaper m\n'), { name: 'NotUnderstood' });
  const rule = goldenRules.replace('goto beside', 'meta day "Saturday" drop');
  t.throws(() => nft.load(rule), { name: 'NotUnderstood' });
});

test('an element of nft lasts for its time, and only one that was deleted is renewed', async (t) => {
  const machine = bareMachine();
  const { nft } = machine;
  nft.load(goldenRules);
  const alive = (): string[] => nft.elements(nft.tables.get('inet iotshaper')!.sets.get('alive')!);
  const add = 'add element inet iotshaper alive { ip timeout 3s }\n';
  nft.load(add);
  await machine.advance(2000);
  nft.load(add);
  await machine.advance(999);
  t.deepEqual(alive(), ['ip']);
  await machine.advance(1);
  t.deepEqual(alive(), []);
  nft.load(add);
  await machine.advance(2000);
  nft.load(`${add}delete element inet iotshaper alive { ip }\n${add}`);
  await machine.advance(2999);
  t.deepEqual(alive(), ['ip']);
  await machine.advance(1);
  t.deepEqual(alive(), []);
});

test('flushing a table keeps its sets, counters and place, and tells who watches, as deleting it does', (t) => {
  const { nft } = bareMachine();
  const told: string[] = [];
  nft.monitors.add((line) => told.push(line));
  nft.load(goldenRules);
  // The text deletes what it declares first, in which there are no rules.
  t.deepEqual(told, []);
  nft.tables.get('inet iotshaper')!.counters.get('held')!.packets = 7;
  nft.load('add element inet iotshaper known { 02:00:00:00:08:0b }\n');
  const listing = nft.list('inet iotshaper');
  nft.load(goldenRules.replace('delete table', 'flush table'));
  t.is(nft.list('inet iotshaper'), listing);
  t.regex(told[0]!, /^delete rule inet iotshaper \S+ handle 1$/);
  const rules = told.length;
  nft.load('flush ruleset\n');
  t.is(told.length, 2 * rules, 'a line for each rule');
  t.is(nft.print(), '');
});

test('the queue of a golden case is listed as the recording of a real one is read', async (t) => {
  const machine = bareMachine();
  machine.ip.addNetdev({ name: 'iotvpn0', kind: 'tun', addresses: ['10.213.0.2/24'] });
  const input = readFileSync('test/golden/home/default/queue.tc', 'utf8');
  await machine.system.processes.run(['tc', '-batch', '-'], { input });
  const queue = machine.tc.queueOf('iotvpn0')!;
  for (let count = 0; count < 35; count++) {
    const packet = { bytes: 512, priority: 2, destination: '10.213.0.1', isAwaited: false };
    queue.enqueue({ ...packet, onFreed: () => {} });
  }
  await machine.advance(29 * 12.8 + 1);
  const control = new TrafficControl(machine.system, ({ code }) => t.fail(code));
  const listed = await machine.finish(control.list(false));
  const reader = new TcListingReader();
  const printed = readFileSync('test/fixtures/tc/home.txt', 'utf8');
  for (const line of printed.split('\n')) reader.push(line);
  const { classes, qdiscs } = reader.take();
  const waiting = classes.map((one) => ({ ...one, backlogPackets: 5 }));
  t.deepEqual(listed, { classes: waiting, qdiscs });
});

test('a home service starts on it, shapes, and leaves nothing when it stops', async (t) => {
  const machine = createHomeMachine({ config: defaultConfig });
  const before = machine.printKernel();
  const service = new HomeService({
    system: machine.system,
    ...homePaths,
    readInterfaces,
    log: () => {},
  });
  await machine.finish(service.start());
  t.false(machine.devicesMaySend());
  t.is(machine.wayOfDevices(), 'held');
  await machine.advance(6000);
  t.is(service.status().state, 'shaping', machine.print());
  t.true(machine.devicesMaySend());
  t.is(machine.wayOfDevices(), 'tunnel');
  await machine.finish(service.stop());
  t.is(machine.printKernel(), before);
  t.deepEqual(machine.strayed, []);
});
