// What differs between the systems that a home runs on, as the package says that brought the program.
import type { System } from './system.ts';

export interface Platform {
  /** The configuration, in UCI's format everywhere. */
  configPath: string;
  /** ubusd's socket; '' where there is no bus. */
  ubusSocket: string;
  /** Files of the page that the service serves itself; '' where LuCI has the page. */
  pageFolder: string;
  /** Whether sentences have to name OpenWrt's commands. */
  isOpenWrt: boolean;
}

const openWrt: Platform = {
  configPath: '/etc/config/iotshaper',
  // Before OpenWrt 21.02 it was `/var/run/ubus.sock`.
  ubusSocket: '/var/run/ubus/ubus.sock',
  pageFolder: '',
  isOpenWrt: true,
};

/** Debian, and Raspberry Pi OS, which is one. */
const debian: Platform = {
  configPath: '/etc/iotshaper/iotshaper',
  ubusSocket: '',
  pageFolder: '/usr/share/iotshaper/page',
  isOpenWrt: false,
};

/** By the variable that the package's `iotshaper` sets; a command in the source tree is as on OpenWrt. */
export function platformOf({ processes }: Pick<System, 'processes'>): Platform {
  return processes.environment('IOTSHAPER_PLATFORM') === 'debian' ? debian : openWrt;
}
