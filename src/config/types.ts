// The typed configuration: what every other part reads, in units and names of TypeScript.

/** How intervals between slots are drawn: `vit` varies them, `constant` does not. */
export type Mode = 'vit' | 'constant';

/** What happens to a device's traffic: through the shaped tunnel, kept in the LAN, or left alone. */
export type Policy = 'shape' | 'block' | 'bypass';

/** Three-letter days as UCI writes them. */
export type Day = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/** Rates of IP packets on the tunnel interface, KB/s (1 KB = 1000 bytes). */
export interface Rate {
  uploadKBps: number;
  downloadKBps: number;
  /** What set the rate; `section rate` is the literal `uci set iotshaper.rate=40`. */
  source: 'main.rate' | 'section rate';
}

export interface MainConfig {
  enabled: boolean;
  rate: Rate;
  /** Bytes of every IP packet on the tunnel, 256…1400. */
  packetBytes: number;
  mode: Mode;
  /** Standard deviation of the interval between slots, percent of its mean (mode `vit`). */
  intervalSdPercent: number;
  /** Longest a device packet may wait before it is dropped. */
  maxDelayMs: number;
  killswitch: boolean;
  dns: boolean;
  /** Netdevs of the house beside those found. */
  house: string[];
  /** GB a month, null when not given. */
  dataCapGB: number | null;
  pricePerGB: number | null;
}

export interface TunnelConfig {
  /** Path of the OpenVPN profile. */
  profile: string;
  /** Name of the netdev that carries devices' packets to user space. */
  interface: string;
}

export interface NetworkConfig {
  /** Section as `uci show` names it: `@network[0]` or its name. */
  section: string;
  /** Netdev (bridge or interface) behind which everything is a device. */
  device: string;
}

export interface DeviceConfig {
  section: string;
  name: string;
  /** Lower-case `aa:bb:cc:dd:ee:ff`, or null when the device is named by address. */
  mac: string | null;
  /** Addresses and prefixes in canonical CIDR form (`192.168.1.50/32`, `fd00::/64`). */
  ip: string[];
  policy: Policy;
}

export interface ScheduleConfig {
  section: string;
  days: Day[];
  /** Minutes after local midnight; an end at or before the start runs into the next day. */
  startMinute: number;
  endMinute: number;
  /** KB/s in each direction; 0 = shaping off, plain tunnel. */
  rateKBps: number;
}

export interface Config {
  main: MainConfig;
  tunnel: TunnelConfig;
  networks: NetworkConfig[];
  devices: DeviceConfig[];
  schedules: ScheduleConfig[];
}
