// `iot` is `br-iot`: OpenWrt's names of interfaces where network devices are asked for.
import { readFileSync } from 'node:fs';
import test from 'ava';
import { parseConfig } from '../../src/core/config/config.ts';
import {
  namedNetdevs,
  parseInterfaces,
  resolveInterfaces,
} from '../../src/core/config/interface-names.ts';
import { wordsOf } from '../../src/core/notices/words.ts';

// As netifd of OpenWrt 24.10 answers `ubus call network.interface dump`.
const dump = JSON.parse(readFileSync('test/fixtures/netdevs/interfaces.json', 'utf8'));
const interfaces = parseInterfaces(dump);
const there = (...names: string[]) => names.includes.bind(names);

test('the interface’s network device is read, also while it is down', (t) => {
  t.deepEqual(
    [...interfaces],
    [
      ['iot', 'br-iot'],
      ['loopback', 'lo'],
      ['guest', 'br-guest'],
      ['wan', 'pppoe-wan'],
    ],
  );
});

test('what is no answer of netifd’s names nothing', (t) => {
  const answers = [null, undefined, 7, [], {}, { interface: {} }, { interface: [null, 3, {}] }];
  for (const answer of [...answers, { interface: [{ interface: 'iot', l3_device: 5 }] }])
    t.is(parseInterfaces(answer).size, 0, JSON.stringify(answer));
});

test('network-device-is-the-uci-name.conf: iot is br-iot, and that is said', (t) => {
  const file = 'test/fixtures/real-homes/network-device-is-the-uci-name.conf';
  const { config: written } = parseConfig(readFileSync(file));
  t.deepEqual(namedNetdevs(written), ['iot']);
  const { config, notes } = resolveInterfaces(written, interfaces, there('br-iot'));
  t.deepEqual(
    config.networks.map(({ device }) => device),
    ['br-iot'],
  );
  t.deepEqual(
    notes.map((note) => wordsOf(note)),
    [
      'iotshaper.@network[0].device: iot is br-iot (what stands there is the name of an interface of OpenWrt)',
    ],
  );
});

test('a network device of that name is what is meant, and an unknown name stays', (t) => {
  const text = ['iot', 'nowhere'].map((name) => `config network\n\toption device '${name}'\n`);
  const { config: written } = parseConfig(text.join('\n'));
  const { config, notes } = resolveInterfaces(written, interfaces, there('iot', 'br-iot'));
  t.deepEqual(config, written);
  t.deepEqual(notes, []);
});

test('the house is named so, too, and one network device under two names is one network', (t) => {
  const { config: written } = parseConfig(
    "config iotshaper 'main'\n\tlist house 'guest'\n\tlist house 'br-guest'\n\n" +
      "config network\n\toption device 'br-iot'\n\nconfig network\n\toption device 'iot'\n",
  );
  const { config, notes } = resolveInterfaces(written, interfaces, there('br-iot', 'br-guest'));
  t.deepEqual(config.main.house, ['br-guest']);
  t.deepEqual(
    config.networks.map(({ section, device }) => [section, device]),
    [['@network[0]', 'br-iot']],
  );
  t.deepEqual(
    notes.map(({ values }) => values.path),
    ['iotshaper.@network[1].device', 'iotshaper.main.house'],
  );
});
