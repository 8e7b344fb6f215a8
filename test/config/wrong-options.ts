// Every option with values that must be refused and the words they must be refused with.
import type { SectionSpec } from '../../src/core/config/options/option-table.ts';
import { sections } from '../../src/core/config/options/options.ts';

const rate = 'must be between 0.25 and 10000 KB/s';
const bool = 'must be 1 or 0 (or on/off, true/false, yes/no, enabled/disabled)';
export const netdev =
  'must be the name of a network device: 1 to 15 letters, digits, ".", "_" or "-"';
export const time = 'must be a time of day from 00:00 to 23:59';

/** Option, what must be said, and values that must be refused with it. */
export const wrong: [option: string, rule: string, values: string[]][] = [
  ['iotshaper.enabled', bool, ['2', 'On', 'enable', '-1', 'constructor']],
  ['iotshaper.rate', rate, ['fast', '0', '0.24', '10000.1', '-5', '1e3', '0x40', '40 KB', '4,5']],
  ['iotshaper.upload_rate', rate, ['0', '0.1', 'half', '10001']],
  ['iotshaper.download_rate', rate, ['0', '99999', 'NaN', 'Infinity']],
  [
    'iotshaper.packet_size',
    'must be a whole number between 256 and 1400 bytes',
    ['255', '1401', '512.5', 'big'],
  ],
  ['iotshaper.mode', 'must be vit or constant', ['VIT', 'poisson', '1']],
  ['iotshaper.interval_sd', 'must be between 1 and 40 %', ['0', '0.9', '41', '30%']],
  ['iotshaper.max_delay', 'must be between 0.1 and 60 s', ['0', '0.05', '61', '10s']],
  [
    'iotshaper.standing_slots',
    'must be a whole number between 0 and 200 slots',
    ['-1', '1.5', '201', 'two'],
  ],
  ['iotshaper.killswitch', bool, ['maybe', '10']],
  ['iotshaper.dns', bool, ['1.0', '8.8.8.8']],
  ['iotshaper.house', netdev, ['zerotier-network-1', 'zt*', '-zt0', 'zt/0']],
  ['iotshaper.data_cap', 'must be more than 0 GB a month', ['0', '-1', '1TB', '9'.repeat(400)]],
  ['iotshaper.price_per_gb', 'must be 0 or more a GB', ['-0.1', 'free', '€1']],
  ['iotshaper.page', bool, ['2']],
  [
    'iotshaper.page_port',
    'must be a port between 1024 and 65535',
    ['443', '65536', '8443.5', 'https'],
  ],
  [
    'tunnel.profile',
    'must be the absolute path of a file',
    ['home.ovpn', '/', '/etc/', '/a\nb', './x'],
  ],
  ['tunnel.interface', netdev, ['sixteen_letters_', 'a/b', 'a b', '-x', 'a"b', '.', 'eth0:1']],
  ['network.device', netdev, ['br-iot-too-long-x', 'br iot', '../x', '*']],
  [
    'device.name',
    'must be text of 1 to 64 characters on one line',
    ['a\nb', 'x'.repeat(65), 'a\x07'],
  ],
  [
    'device.mac',
    'must be the hardware address of one device, such as 18:b4:30:00:00:01',
    [
      '18:B4:30:00:00',
      '18-B4-30-00-00-01',
      'ff:ff:ff:ff:ff:ff',
      '00:00:00:00:00:00',
      '01:00:5e:00:00:01',
      'g8:b4:30:00:00:01',
    ],
  ],
  [
    'device.ip',
    'must be an IPv4 or IPv6 address or prefix, such as 192.168.1.50, 192.168.2.0/24 or fd00::/64',
    [
      '192.168.1',
      '192.168.1.256',
      '10.0.0.0/33',
      '0.0.0.0/0',
      '::/0',
      'fe80::1%br-lan',
      '::ffff:192.168.1.50',
      'fd00::/129',
      '10.0.0.1/8/8',
      '010.0.0.1',
      'nest.example',
      '10.0.0.0/08',
    ],
  ],
  ['device.policy', 'must be shape, block or bypass', ['drop', 'Shape']],
  ['schedule.days', 'must be mon, tue, wed, thu, fri, sat or sun', ['monday', 'Mon', '1']],
  ['schedule.start', time, ['24:00', '6:00', '0600', '12:60', 'noon']],
  ['schedule.end', time, ['24:00', '6:00', '12:5', '12:00:00']],
  ['schedule.rate', 'must be 0 or between 0.25 and 10000 KB/s', ['0.1', '-1', '10001', 'off']],
];

/** A sound section of each type, to which one wrong option is given. */
export const sound: Record<string, Record<string, string>> = {
  iotshaper: {},
  tunnel: {},
  network: { device: 'br-iot' },
  device: { mac: '18:b4:30:00:00:01' },
  schedule: { start: '01:00', end: '02:00', rate: '5' },
};

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A section of a UCI file with these values. */
export function renderSection(
  { type, name, options }: SectionSpec,
  values: Record<string, string>,
) {
  const lines = Object.entries(values).map(([option, value]) => {
    const list = options.find((one) => one.name === option)?.list;
    return `\t${list ? 'list' : 'option'} ${option} ${quote(value)}\n`;
  });
  return `config ${type} ${name === null ? '' : quote(name)}\n${lines.join('')}`;
}

/** The section an option of the table belongs to, and its name there. */
export function specOf(option: string): [SectionSpec, string] {
  const [type, name] = option.split('.') as [string, string];
  return [sections.find((spec) => spec.type === type) as SectionSpec, name];
}
