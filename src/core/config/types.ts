// The typed configuration: what every other part reads, in units and names of TypeScript. Its fields are the option table's.
import type { ChoiceOf, Values } from './options/option-table.ts';
import type {
  deviceSection,
  mainSection,
  networkSection,
  scheduleSection,
  tunnelSection,
} from './options/options.ts';

/** What happens to a device's traffic: through the shaped tunnel, kept in the LAN, or left alone. */
export type Policy = ChoiceOf<typeof deviceSection, 'policy'>;

/** Three-letter days as UCI writes them. */
export type Day = ChoiceOf<typeof scheduleSection, 'days'>;

/** Rates of IP packets on the tunnel interface, KB/s (1 KB = 1000 bytes). */
export interface Rate {
  uploadKBps: number;
  downloadKBps: number;
  /** What set the rate; `section rate` is the literal `uci set iotshaper.rate=40`. */
  source: 'main.rate' | 'section rate';
}

type MainValues = Values<typeof mainSection>;

/** The three options of the rate are one value: what is in force in each direction. */
export interface MainConfig extends Omit<MainValues, 'rateKBps' | keyof Rate> {
  rate: Rate;
}

export type TunnelConfig = Values<typeof tunnelSection>;

/** A section of which there may be several. */
interface Named {
  /** As `uci show` names it: `@network[0]` or its name. */
  section: string;
}

export interface NetworkConfig extends Named, Values<typeof networkSection> {}

/** `mac` is lower case, `ip` in canonical CIDR form (`192.168.1.50/32`, `fd00::/64`). */
export interface DeviceConfig extends Named, Omit<Values<typeof deviceSection>, 'name'> {
  name: string;
}

/** An end at or before the start runs into the next day; rate 0 = shaping off, plain tunnel. */
export interface ScheduleConfig extends Named, Values<typeof scheduleSection> {}

export interface Config {
  main: MainConfig;
  tunnel: TunnelConfig;
  networks: NetworkConfig[];
  devices: DeviceConfig[];
  schedules: ScheduleConfig[];
}
