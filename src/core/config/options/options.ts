// The option table: every option of every section, with all that is known about it. main's are in main-options.ts.
import { rateBounds } from '../../stream/stream.ts';
import { mainSection } from './main-options.ts';
import * as kind from './option-kinds.ts';
import { defaultsOf, type OptionSpec, type SectionSpec, section } from './option-table.ts';

export { mainSection };

export const tunnelSection = section({
  type: 'tunnel',
  name: 'tunnel',
  hint: 'The way to the endpoint.',
  options: [
    {
      name: 'profile',
      kind: kind.path,
      default: '/etc/iotshaper/home.ovpn',
      hint: 'OpenVPN profile that the endpoint printed for this home.',
      page: {
        label: 'File of the profile',
        hint: 'Where the router keeps the profile.',
      },
    },
    {
      name: 'interface',
      kind: kind.netdev,
      default: 'iot0',
      hint: "Name of the network device made to take devices' packets.",
      page: {
        label: 'Network device',
        hint: 'What the service calls the network device that takes your devices’ packets.',
      },
    },
  ],
});

export const networkSection = section({
  type: 'network',
  name: null,
  hint: 'Everything behind one LAN interface is a device. Any number of sections.',
  options: [
    {
      name: 'device',
      kind: kind.netdev,
      default: '',
      required: true,
      hint: 'Bridge or interface, such as `br-iot`.',
    },
  ],
});

export const deviceSection = section({
  type: 'device',
  name: null,
  hint: 'One device, by hardware address or by IP address. Any number of sections.',
  oneOf: ['mac', 'ip'],
  options: [
    {
      name: 'name',
      kind: kind.label,
      default: '',
      hint: 'What the page calls it; the address if empty.',
      page: { label: 'Name' },
    },
    {
      name: 'mac',
      kind: kind.mac,
      default: '',
      hint: 'Hardware address.',
      page: { label: 'MAC address' },
    },
    {
      name: 'ip',
      kind: kind.address,
      default: '',
      list: true,
      hint: 'Addresses or prefixes of the device.',
      page: { label: 'IP addresses' },
    },
    {
      name: 'policy',
      kind: kind.choice('shape', 'block', 'bypass'),
      default: 'shape',
      hint: '`shape` through the tunnel, `block` from the Internet (LAN only), or `bypass` the service.',
      page: {
        label: 'Treatment',
        choices: {
          shape: { label: 'Shape' },
          block: { label: 'Block' },
          bypass: { label: 'Bypass' },
        },
      },
    },
  ],
});

export const scheduleSection = section({
  type: 'schedule',
  name: null,
  hint: 'Another rate at times when nothing private happens. Any number of sections; where two meet, the later one counts.',
  options: [
    {
      name: 'days',
      kind: kind.choice('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'),
      default: 'mon tue wed thu fri sat sun',
      list: true,
      hint: 'Days on which it starts.',
      page: { label: 'Days on which it starts' },
    },
    {
      name: 'start',
      field: 'startMinute',
      kind: kind.time,
      default: '',
      required: true,
      hint: 'Local time at which it starts.',
      page: { label: 'From' },
    },
    {
      name: 'end',
      field: 'endMinute',
      kind: kind.time,
      default: '',
      required: true,
      hint: 'Local time at which it ends; not after `start` means on the next day.',
      page: { label: 'Until' },
    },
    {
      name: 'rate',
      field: 'rateKBps',
      kind: kind.decimalOrZero(rateBounds),
      default: '',
      required: true,
      hint: 'Rate in each direction meanwhile; 0 turns shaping off and leaves a plain tunnel.',
      page: { label: 'Rate', hint: '0 lets the shaping rest: a plain tunnel.' },
    },
  ],
});

/** Every section type of /etc/config/iotshaper. */
export const sections: readonly SectionSpec[] = [
  mainSection,
  tunnelSection,
  networkSection,
  deviceSection,
  scheduleSection,
];

/** What holds where main says nothing. */
export const mainDefaults = defaultsOf(mainSection);

/**
 * What `uci set iotshaper.rate=40` writes is a section *named* rate of *type* 40 (`config 40
 * 'rate'`). Sections of these names are read as if their type were the value of main's option.
 */
export const typedOptions: readonly OptionSpec[] = mainSection.options
  .filter(({ name }) => name === 'rate' || name === 'enabled')
  .map((option) => ({ ...option, default: '' }));
