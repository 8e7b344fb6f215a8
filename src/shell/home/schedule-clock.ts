// What the schedules ask for now, by this machine's clock and zone; nothing while nobody knows the time.
import { join } from 'node:path';
import { type ActiveRate, activeRate, localTimeOf } from '../../core/config/schedule.ts';
import type { Config } from '../../core/config/types.ts';
import type { ConfigVerdict } from '../../core/home/answers.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import { ClockWatch, type Instant } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';
import { TimeZoneReader } from '../system/time-zone.ts';

export interface ScheduleClockOptions {
  system: System;
  runDir: string;
  log: Log;
  /** The clock can't have been set to before. */
  notBeforeMs?: number;
}

/** Looks at clock and zone whenever it is asked; cheap enough for once a second. */
export class ScheduleClock {
  readonly #log: Log;
  readonly #system: System;
  readonly #clock: ClockWatch;
  readonly #zone: TimeZoneReader;
  #warnings: Notice[] = [];

  constructor({ system, runDir, log, ...bounds }: ScheduleClockOptions) {
    this.#log = log;
    this.#system = system;
    const notePath = join(runDir, 'clock-set');
    this.#clock = new ClockWatch({ system, notePath, ...bounds }, this.#now());
    this.#zone = new TimeZoneReader(system);
  }

  /** The rate in force now. */
  rateOf(config: Config): ActiveRate {
    if (config.schedules.length === 0) {
      this.#warnings = [];
      return activeRate(config, null);
    }
    const now = this.#now();
    const isSet = this.#clock.isSet(now);
    const zone = this.#zone.read(now.monotonicMs);
    this.#warn([
      ...(isSet ? [] : [notice('clock-unset')]),
      ...(this.#zone.fault === null ? [] : [this.#zone.fault]),
    ]);
    return activeRate(config, isSet ? localTimeOf(now.unixMs, zone) : null);
  }

  /** The configuration's status with what keeps its schedules from their time. */
  annotate(status: ConfigVerdict, config: Config | null): ConfigVerdict {
    if (!config) return status;
    this.rateOf(config);
    return { ...status, warnings: [...status.warnings, ...this.#warnings] };
  }

  #warn(warnings: Notice[]): void {
    const before = this.#warnings;
    this.#warnings = warnings;
    const told = before.map((one) => wordsOf(one));
    for (const text of warnings.map((one) => wordsOf(one))) {
      if (!told.includes(text)) this.#log('warning', text);
    }
    const isUnset = ({ code }: Notice) => code === 'clock-unset';
    if (before.some(isUnset) && !warnings.some(isUnset)) {
      this.#log('notice', wordsOf(notice('clock-set')));
    }
  }

  #now(): Instant {
    const { clock } = this.#system;
    return { unixMs: clock.unixMs(), monotonicMs: clock.monotonicMs() };
  }
}
