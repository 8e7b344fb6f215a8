// Whether this machine's clock has been set since it started: a router without a battery begins at some old date.
import { sourceDateS } from '../../version.ts';
import type { System } from './system.ts';

/** Files are looked for so often until the clock is set. */
const LOOK_EVERY_MS = 5000;
/** A clock that jumps by so much was set; drift and leap seconds are far below. */
const JUMP_MS = 10_000;

/** What others leave once the time daemon has set the clock: OpenWrt's dnsmasq, systemd-timesyncd. All go with a reboot. */
const NOTES = ['/var/state/dnsmasqsec', '/run/systemd/timesync/synchronized'];
/** Where one of these is, somebody would say that the clock was set: OpenWrt, systemd-timesyncd. */
const WITNESSES = ['/etc/openwrt_release', '/run/systemd/timesync'];
/** Each battery clock says whether the kernel set its own from it (Documentation/ABI/testing/sysfs-class-rtc). */
const BATTERY_CLOCKS = Array.from({ length: 8 }, (_, number) => `/sys/class/rtc/rtc${number}`);

export interface ClockOptions {
  system: Pick<System, 'files'>;
  /** File that says the clock was set, gone with a reboot; OpenWrt's time daemon has it made (files/etc/hotplug.d/ntp). */
  notePath: string;
  /** The clock can't have been set to before. */
  notBeforeMs?: number;
}

/** One reading of both clocks. */
export interface Instant {
  /** As the clock has it, right or wrong. */
  unixMs: number;
  /** Of the clock that only goes on. */
  monotonicMs: number;
}

/**
 * Watches the clock until it is known to be set. The kernel knows (adjtimex(2)), but only a program could ask it, and
 * OpenWrt ships none that does. A late date proves nothing: OpenWrt starts from the newest file in /etc.
 */
export class ClockWatch {
  readonly #files: System['files'];
  readonly #notePath: string;
  readonly #notBeforeMs: number;
  readonly #bootMs: number;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #set = false;

  constructor({ system, notePath, notBeforeMs }: ClockOptions, start: Instant) {
    this.#files = system.files;
    this.#notePath = notePath;
    this.#notBeforeMs = notBeforeMs ?? sourceDateS * 1000;
    this.#bootMs = start.unixMs - start.monotonicMs;
  }

  /** Once true, always true. */
  isSet({ unixMs, monotonicMs }: Instant): boolean {
    if (this.#set) return true;
    if (unixMs < this.#notBeforeMs) return false;
    if (Math.abs(unixMs - monotonicMs - this.#bootMs) > JUMP_MS) return this.#note();
    if (monotonicMs - this.#lookedMs < LOOK_EVERY_MS) return false;
    this.#lookedMs = monotonicMs;
    const exists = (path: string): boolean => this.#files.exists(path);
    if ([this.#notePath, ...NOTES].some(exists)) return this.#note();
    this.#set = this.#startedFromBattery() || !WITNESSES.some(exists);
    return this.#set;
  }

  /** Keeps for a service that starts again what only this one may have seen. */
  #note(): true {
    this.#set = true;
    // Where it can't be kept, it still holds for as long as the service runs.
    this.#files.write(this.#notePath, '').catch(() => {});
    return true;
  }

  /** Whether the kernel set the clock from one that ran on while the machine was off. */
  #startedFromBattery(): boolean {
    return BATTERY_CLOCKS.some((clock) => {
      const flag = this.#files.readNow(`${clock}/hctosys`);
      return flag !== null && new TextDecoder().decode(flag).trim() === '1';
    });
  }
}
