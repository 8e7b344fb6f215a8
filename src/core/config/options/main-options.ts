// The option table's first part: what is sent, and how. Every other section is in options.ts.
import { defaultMode, modeChoices, modes, variedModes } from '../../pacing/modes.ts';
import {
  packetBounds,
  rateBounds,
  sdBounds,
  standingBounds,
  streamDefaults,
} from '../../stream/stream.ts';
import * as kind from './option-kinds.ts';
import { section } from './option-table.ts';

const rate = kind.decimal(rateBounds);
const code = (text: string) => `\`${text}\``;

export const mainSection = section({
  type: 'iotshaper',
  name: 'main',
  hint: 'What is sent, and how.',
  options: [
    {
      name: 'enabled',
      kind: kind.boolean,
      default: '0',
      hint: 'Whether the service shapes at all.',
    },
    {
      name: 'rate',
      field: 'rateKBps',
      kind: rate,
      default: `${streamDefaults.rateKBps}`,
      hint: 'Rate of the tunnel in each direction, sent whether devices are active or not.',
      page: { label: 'Rate in each direction' },
    },
    {
      name: 'upload_rate',
      field: 'uploadKBps',
      kind: rate,
      default: '',
      hint: 'Rate from the home to the endpoint, where it differs from `rate`.',
      page: { label: 'Upload' },
    },
    {
      name: 'download_rate',
      field: 'downloadKBps',
      kind: rate,
      default: '',
      hint: 'Rate from the endpoint to the home, where it differs from `rate`.',
      page: { label: 'Download' },
    },
    {
      name: 'packet_size',
      field: 'packetBytes',
      kind: kind.integer(packetBounds),
      default: `${streamDefaults.packetBytes}`,
      hint: 'Size of every IP packet on the tunnel. Devices keep their MTU of 1500.',
      page: {
        label: 'Packet size',
        hint: 'Every packet on the tunnel. Devices keep their own size of 1500.',
      },
    },
    {
      name: 'mode',
      kind: kind.choice(...modeChoices),
      default: defaultMode,
      hint: `${modeChoices.map((mode) => `${code(mode)} ${modes[mode].words.does}`).join('; ')}.`,
      page: {
        label: 'Intervals',
        choices: Object.fromEntries(modeChoices.map((mode) => [mode, modes[mode].words])),
      },
    },
    {
      name: 'interval_sd',
      field: 'intervalSdPercent',
      kind: kind.decimal(sdBounds),
      default: `${streamDefaults.intervalSdPercent}`,
      hint: `Standard deviation of the interval in percent of its mean, in mode ${variedModes.map(code).join(' or ')}.`,
      page: {
        label: 'Variation',
        hint: 'Standard deviation of the varied intervals, of their mean.',
      },
    },
    {
      name: 'max_delay',
      field: 'maxDelayMs',
      kind: kind.duration(0.1, 60),
      default: `${streamDefaults.maxDelayMs / 1000}`,
      hint: "Longest a device's packet may wait before it is dropped.",
      page: {
        label: 'Longest wait',
        hint: 'A packet of a device that waited longer is dropped.',
        unit: 'seconds',
      },
    },
    {
      name: 'standing_slots',
      field: 'standingSlots',
      kind: kind.integer(standingBounds),
      default: '',
      hint: 'Encrypted slots that wait behind OpenVPN at either end, so that a busy machine does not show in their times; device packets wait for them. Left empty: as many as 10 ms hold, two at least. 0: no clock behind OpenVPN.',
    },
    {
      name: 'killswitch',
      kind: kind.boolean,
      default: '1',
      hint: 'Device traffic never leaves outside the tunnel, nor unshaped through it.',
      page: {
        label: 'Kill switch',
        hint: 'Devices are cut off rather than exposed when the tunnel fails.',
      },
    },
    {
      name: 'dns',
      kind: kind.boolean,
      default: '1',
      hint: "Devices' DNS goes through the tunnel to the endpoint's resolver.",
      page: {
        label: 'DNS through the tunnel',
        hint: 'The names your devices look up would tell your provider what they are.',
      },
    },
    {
      name: 'house',
      kind: kind.netdev,
      default: '',
      list: true,
      hint: 'Network devices that belong to the home beside those found: devices reach what is behind them without the tunnel.',
      page: {
        label: 'Also part of the home',
        hint: 'Network devices of the router, such as br-guest, that your devices reach without the tunnel, beside those the service finds.',
      },
    },
    {
      name: 'data_cap',
      field: 'dataCapGB',
      kind: kind.positive('GB a month'),
      default: '',
      hint: "The provider's data cap, to show the share that shaping uses.",
      page: { label: 'Data cap' },
    },
    {
      name: 'price_per_gb',
      field: 'pricePerGB',
      kind: kind.notNegative('a GB'),
      default: '',
      hint: 'Price of a GB in any currency, to show what shaping costs.',
      page: { label: 'Price', unit: 'for a GB' },
    },
    {
      name: 'page',
      kind: kind.boolean,
      default: '1',
      hint: 'On Debian: whether the service serves its page, once `iotshaper password` has set a password. OpenWrt has it in LuCI.',
    },
    {
      name: 'page_port',
      kind: kind.port,
      default: '8443',
      hint: "On Debian: port of the page, at this machine's addresses in the devices' networks and nowhere else.",
    },
  ],
});
