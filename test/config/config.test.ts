// The typed configuration: defaults, the rate as typed, checks across sections, warnings.
import { readFileSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { parseConfig } from '../../src/core/config/config.ts';
import { ConfigError } from '../../src/core/config/config-error.ts';
import type { Config } from '../../src/core/config/types.ts';
import type { Notice } from '../../src/core/notices/notice.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { runs } from '../property-runs.ts';

const defaults: Config = {
  main: {
    enabled: false,
    rate: { uploadKBps: 40, downloadKBps: 40, source: 'main.rate' },
    packetBytes: 512,
    mode: 'vit',
    intervalSdPercent: 30,
    standingSlots: null,
    maxDelayMs: 10_000,
    killswitch: true,
    dns: true,
    house: [],
    dataCapGB: null,
    pricePerGB: null,
    page: true,
    pagePort: 8443,
  },
  tunnel: { profile: '/etc/iotshaper/home.ovpn', interface: 'iot0' },
  networks: [],
  devices: [],
  schedules: [],
};

const fixture = (name: string) => readFileSync(`test/fixtures/uci/${name}.uci`);
const rateOf = (text: string | Uint8Array) => parseConfig(text).config.main.rate;

const textsOf = (notices: Notice[]) => notices.map((one) => wordsOf(one));

function messagesOf(text: string | Uint8Array, lateMs: number | null = null): string[] {
  try {
    parseConfig(text, lateMs);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.errors.map((one) => wordsOf(one));
  }
}

test('an empty file is the defaults', (t) => {
  t.deepEqual(parseConfig(''), { config: defaults, warnings: [] });
});

test('the file as shipped is the defaults, without a warning', (t) => {
  const shipped = readFileSync('files/etc/config/iotshaper');
  t.deepEqual(parseConfig(shipped), { config: defaults, warnings: [] });
});

test('the commented examples of the shipped file are sound, too', (t) => {
  const shipped = readFileSync('files/etc/config/iotshaper', 'utf8');
  const examples = shipped.replace(/^(\t?)# (?=\t|config |option )/gm, '$1');
  const { config, warnings } = parseConfig(examples);
  t.deepEqual(warnings, []);
  t.is(config.main.dataCapGB, 1000);
  t.is(config.networks.length + config.devices.length + config.schedules.length, 3);
});

test('a whole configuration', (t) => {
  const { config, warnings } = parseConfig(`
config iotshaper 'main'
	option enabled 'on'
	option rate '40'
	option download_rate '80.5'
	option packet_size '1400'
	option mode 'constant'
	option max_delay '0.1'
	option killswitch '0'
	option dns 'no'
	list house 'zt0'
	option data_cap '1000'
	option price_per_gb '0.1'
	option page '0'
	option page_port '9443'
config tunnel 'tunnel'
	option profile '/etc/x.ovpn'
	option interface 'iot1'
config network 'lan'
	option device 'br-iot'
config device
	option name 'Nest Cam'
	option mac '18:B4:30:00:00:01'
config device 'plug'
	option ip '192.168.1.50 fd00:0::1'
	option policy 'bypass'
config schedule 'night'
	list days 'mon'
	list days 'mon'
	list days 'sun'
	option start '23:30'
	option end '06:00'
	option rate '0'
`);
  t.deepEqual(warnings, []);
  t.deepEqual(config, {
    main: {
      enabled: true,
      rate: { uploadKBps: 40, downloadKBps: 80.5, source: 'main.rate' },
      packetBytes: 1400,
      mode: 'constant',
      intervalSdPercent: 30,
      standingSlots: null,
      maxDelayMs: 100,
      killswitch: false,
      dns: false,
      house: ['zt0'],
      dataCapGB: 1000,
      pricePerGB: 0.1,
      page: false,
      pagePort: 9443,
    },
    tunnel: { profile: '/etc/x.ovpn', interface: 'iot1' },
    networks: [{ section: 'lan', device: 'br-iot' }],
    devices: [
      {
        section: '@device[0]',
        name: 'Nest Cam',
        mac: '18:b4:30:00:00:01',
        ip: [],
        policy: 'shape',
      },
      {
        section: 'plug',
        name: '192.168.1.50',
        mac: null,
        ip: ['192.168.1.50/32', 'fd00::1/128'],
        policy: 'bypass',
      },
    ],
    schedules: [
      {
        section: 'night',
        days: ['mon', 'sun'],
        startMinute: 1410,
        endMinute: 360,
        rateKBps: 0,
      },
    ],
  });
});

test('the rate as `uci set iotshaper.rate=40` leaves it is the one in force', (t) => {
  const typed = (rate: number) => ({
    uploadKBps: rate,
    downloadKBps: rate,
    source: 'section rate',
  });
  t.like(rateOf(fixture('set-as-typed')), typed(40));
  t.like(rateOf(fixture('set-fraction')), typed(7.5));
  t.deepEqual(messagesOf("config abc 'rate'\n"), [
    'iotshaper.rate: must be between 0.25 and 10000 KB/s, got "abc"',
  ]);
  t.deepEqual(messagesOf("config 0 'rate'\n"), [
    'iotshaper.rate: must be between 0.25 and 10000 KB/s, got "0"',
  ]);
});

test('the rate as typed stands above the rates of each direction, and says so', (t) => {
  const main = "config iotshaper 'main'\n\toption upload_rate '3'\n\toption download_rate '4'\n";
  const { config, warnings } = parseConfig(`${main}config 20 'rate'\n`);
  t.deepEqual(config.main.rate, { uploadKBps: 20, downloadKBps: 20, source: 'section rate' });
  t.deepEqual(textsOf(warnings), [
    'iotshaper.rate: the section named rate overrides iotshaper.main.upload_rate and iotshaper.main.download_rate',
  ]);
});

test('`uci set iotshaper.enabled=1` switches on', (t) => {
  const { config } = parseConfig(fixture('enabled-as-typed'));
  t.true(config.main.enabled);
  t.is(config.main.rate.uploadKBps, 20);
  t.false(
    parseConfig('config iotshaper main\n\toption enabled 1\nconfig 0 enabled\n').config.main
      .enabled,
  );
  t.deepEqual(messagesOf("config si 'enabled'\n"), [
    'iotshaper.enabled: must be 1 or 0 (or on/off, true/false, yes/no, enabled/disabled), got "si"',
  ]);
});

test('a wrong option of main is refused though a typed rate stands above it', (t) => {
  t.deepEqual(messagesOf("config iotshaper main\n\toption rate fast\nconfig 20 'rate'\n"), [
    'iotshaper.main.rate: must be between 0.25 and 10000 KB/s, got "fast"',
  ]);
});

test('sections of the wrong name or type are refused', (t) => {
  t.deepEqual(
    messagesOf(
      "config iotshaper\nconfig tunnel 'vpn'\nconfig 1 'main'\nconfig devise\nconfig Device 'd'\n",
    ),
    [
      `iotshaper.@iotshaper[0]: must be named 'main', as in "config iotshaper 'main'", got nothing`,
      `iotshaper.vpn: must be named 'tunnel', as in "config tunnel 'tunnel'", got "vpn"`,
      'iotshaper.main: must be a section of type iotshaper, got "1"',
      'iotshaper.@devise[0]: must be of a known type (iotshaper, tunnel, network, device, schedule; did you mean "device"?), got "devise"',
      'iotshaper.d: must be of a known type (iotshaper, tunnel, network, device, schedule; did you mean "device"?), got "Device"',
    ],
  );
});

test('devices that claim the same traffic are refused', (t) => {
  const text = `
config device
	option name 'Nest Cam'
	option mac '18:b4:30:00:00:01'
	list ip '10.0.0.0/8'
config device
	option name 'Plug'
	option mac '18:B4:30:00:00:01'
	list ip '10.1.2.3'
config device
	list ip 'fd00::1'
config device 'other'
	list ip 'fd00:0:0::/64'
`;
  t.deepEqual(messagesOf(text), [
    'iotshaper.@device[1].mac: "Plug" (18:b4:30:00:00:01) must not have the hardware address of "Nest Cam" (18:b4:30:00:00:01), got "18:B4:30:00:00:01"',
    'iotshaper.@device[1].ip: addresses of "Plug" (18:b4:30:00:00:01) must not overlap 10.0.0.0/8 of "Nest Cam" (18:b4:30:00:00:01), got "10.1.2.3"',
    'iotshaper.other.ip: addresses of iotshaper.other must not overlap fd00::1 of iotshaper.@device[2], got "fd00:0:0::/64"',
  ]);
});

test('network devices must differ from each other and from those of the service', (t) => {
  const networks = ['br-iot', 'br-iot', 'iot7', 'iotvpn0', 'lo'];
  const text = networks.map((name) => `config network\n\toption device '${name}'\n`).join('');
  t.deepEqual(messagesOf(`config tunnel 'tunnel'\n\toption interface 'iot7'\n${text}`), [
    'iotshaper.@network[1].device: must differ from iotshaper.@network[0].device, got "br-iot"',
    'iotshaper.@network[2].device: must differ from iotshaper.tunnel.interface, got "iot7"',
    'iotshaper.@network[3].device: must differ from iotvpn0, which is taken, got "iotvpn0"',
    'iotshaper.@network[4].device: must differ from lo, which is taken, got "lo"',
  ]);
  t.deepEqual(messagesOf("config tunnel 'tunnel'\n\toption interface 'iotvpn0'\n"), [
    'iotshaper.tunnel.interface: must not be lo or iotvpn0, which are taken, got "iotvpn0"',
  ]);
});

test('what may not be meant is a warning', (t) => {
  const { warnings } = parseConfig(`
config iotshaper 'main'
	option enabled '1'
	option kilswitch '0'
	option colour 'blue'
config 512 'packet_size'
config 20 'rates'
config wifi 'radio'
config 20 'rate'
	option rate '30'
config device
	option policy 'block'
	list ip '192.168.1.50/24'
	list ip '192.168.1.7'
config schedule 'a'
	list days 'sun'
	option start '23:00'
	option end '06:00'
	option rate '5'
config schedule 'b'
	option start '05:00'
	option end '05:30'
	option rate '6'
`);
  t.deepEqual(textsOf(warnings), [
    'iotshaper.packet_size: a section of this name does nothing; did you mean: uci set iotshaper.main.packet_size=512',
    'iotshaper.rates: a section of this name does nothing; did you mean: uci set iotshaper.main.rate=20',
    'iotshaper.radio: unknown section type "wifi", ignored',
    'iotshaper.main.kilswitch: unknown option, ignored; did you mean "killswitch"?',
    'iotshaper.main.colour: unknown option, ignored',
    'iotshaper.rate.rate: unknown option, ignored',
    'iotshaper.@device[0].ip: "192.168.1.50/24" is read as 192.168.1.0/24',
    'iotshaper.@device[0].ip: 192.168.1.7 is left out, 192.168.1.50/24 holds it already',
    'iotshaper.b: the schedule 05:00–05:30 overlaps the schedule 23:00–06:00; where both apply, 05:00–05:30 counts, the later one in the list',
    'iotshaper: enabled, but no section of type device or network says whose traffic to shape',
  ]);
});

test('a refused configuration still tells its warnings', (t) => {
  const text = 'config iotshaper main\n\toption rte 4\n\toption mode x\n';
  const error = t.throws(() => parseConfig(text), { instanceOf: ConfigError });
  t.deepEqual(textsOf(error.warnings), [
    'iotshaper.main.rte: unknown option, ignored; did you mean "rate"?',
  ]);
  t.is(error.message, 'iotshaper.main.mode: must be vit or constant, got "x"');
});

test('a file uci refuses is refused with its line', (t) => {
  t.deepEqual(messagesOf(fixture('err-unterminated')), [
    "iotshaper: Parse error (EOF with unterminated ') at line 2, byte 15",
  ]);
  t.deepEqual(messagesOf(fixture('err-unknown-word')), [
    'iotshaper: Parse error (invalid command) at line 2, byte 1',
  ]);
});

test('files far too large are refused at once', (t) => {
  t.deepEqual(messagesOf(new Uint8Array(300_000)), [
    'iotshaper: must be a file of at most 262144 bytes, got 300000',
  ]);
  t.deepEqual(messagesOf('config device\n'.repeat(1001)), [
    'iotshaper: must hold at most 1000 sections, got 1001',
  ]);
  t.deepEqual(messagesOf('config schedule\n'.repeat(101)), [
    'iotshaper: must hold at most 100 schedules, got 101',
  ]);
});

test('the largest files allowed are read in time', (t) => {
  const devices = Array.from({ length: 1000 }, (_, n) => {
    const addresses = Array.from({ length: 9 }, (_, m) => `10.${n >> 8}.${n & 255}.${m}`);
    return `config device\n\toption ip '${addresses.join(' ')}'\n`;
  }).join('');
  const schedules = 'config schedule\n option start 01:00\n option end 02:00\n option rate 5\n';
  const started = performance.now();
  t.is(parseConfig(devices).config.devices.length, 1000);
  t.is(parseConfig(schedules.repeat(100)).warnings.length, (100 * 99) / 2);
  t.true(performance.now() - started < 60_000);
});

const words = fc.constantFrom(
  ...[
    "config iotshaper 'main'\n",
    "config tunnel 'tunnel'\n",
    'config network\n',
    'config device\n',
  ],
  ...['config schedule\n', "config 40 'rate'\n", "config x 'enabled'\n", "config x 'main'\n"],
  ...['rate', 'ip', 'mac', 'device', 'days', 'start', 'policy', 'interface', 'name'].flatMap(
    (name) => [
      `\toption ${name} 'x'\n`,
      `\tlist ${name} '10.0.0.0/8'\n`,
      `\tlist ${name} ''\n`,
      `\toption ${name} '  '\n`,
    ],
  ),
  ...['\toption __proto__ 1\n', "\tlist constructor '1'\n", "'", '\xff', '\0'],
);

test('text of any kind is a configuration or refused with ConfigError', (t) => {
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), (parts) => {
      try {
        parseConfig(Buffer.from(parts.join(''), 'latin1'));
      } catch (error) {
        t.true(error instanceof ConfigError && error.errors.length > 0, String(error));
        const { errors } = error as ConfigError;
        t.true(errors.every((one) => wordsOf(one).startsWith(`${one.path}: `)));
      }
    }),
    { numRuns: runs(1000) },
  );
});

test('netdevs of the house are a list, each once, written as a list or in one line', (t) => {
  const house = (lines: string) =>
    parseConfig(`config iotshaper 'main'\n${lines}`).config.main.house;
  t.deepEqual(house("\tlist house 'zt0'\n\tlist house 'br-vm'\n\tlist house 'zt0'\n"), [
    'zt0',
    'br-vm',
  ]);
  t.deepEqual(house("\toption house 'zt0 br-vm'\n"), ['zt0', 'br-vm']);
});

test('the service’s own netdevs are never the house', (t) => {
  const text =
    "config iotshaper 'main'\n\tlist house 'iot0'\n\tlist house 'lo'\n\tlist house 'iotvpn0'\n";
  t.deepEqual(messagesOf(text), [
    'iotshaper.main.house: must differ from iotshaper.tunnel.interface, got "iot0"',
    'iotshaper.main.house: must differ from lo, which is taken, got "lo"',
    'iotshaper.main.house: must differ from iotvpn0, which is taken, got "iotvpn0"',
  ]);
});

const LATE_MS = 0.02; // holds 1,530 KB/s of 512 bytes at 30 %
const mainOf = (...options: string[]) =>
  `config iotshaper 'main'\n${options.map((one) => `\toption ${one}\n`).join('')}`;
const night =
  "config schedule\n\toption start '22:00'\n\toption end '06:00'\n\toption rate '2000'\n";
const unheld: [what: string, text: string, paths: string[]][] = [
  ['the rate', mainOf("rate '2000'"), ['main.rate']],
  [
    'the upload’s, where the download has its own, which is for the endpoint to hold',
    mainOf("rate '5000'", "upload_rate '2000'", "download_rate '1600'"),
    ['main.upload_rate'],
  ],
  ['one direction’s', mainOf("rate '40'", "upload_rate '2000'"), ['main.upload_rate']],
  ['a schedule’s', night, ['@schedule[0].rate']],
  ['a rate that was typed', "config 2000 'rate'\n", ['rate']],
  ['a rate that others override', `${mainOf("rate '2000'")}config 40 'rate'\n`, []],
  ['what is held', mainOf("rate '1530'"), []],
  ['larger packets', mainOf("rate '2000'", "packet_size '1024'"), []],
  ['intervals that are not varied', mainOf("rate '9000'", "mode 'constant'"), []],
];
for (const [what, text, paths] of unheld) {
  test(`rates that the machine does not hold: ${what}`, (t) => {
    t.deepEqual(
      messagesOf(text, LATE_MS).map((message) => message.split(':')[0]),
      paths.map((path) => `iotshaper.${path}`),
    );
    t.deepEqual(messagesOf(text), [], 'where no machine was measured');
  });
}

test('a rate that the machine does not hold is refused with the one it holds and what else to choose', (t) => {
  t.deepEqual(messagesOf(mainOf("rate '2000'"), LATE_MS), [
    'iotshaper.main.rate: must be at most 1530 KB/s, got "2000": above that this machine’s timers blur the intervals of mode vit; choose a lower rate, a larger packet_size, or mode constant',
  ]);
});
