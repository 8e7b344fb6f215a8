// The configuration in force: the good one that was read last, and what is said of the one that stands in UCI.
import { join } from 'node:path';
import { bare, type ConfigVerdict } from '../../core/home/answers.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Profile } from '../../core/openvpn/profile.ts';
import {
  type ConfigReading,
  type GoodConfig,
  keepGoodConfig,
  readGoodConfig,
  understandAnew,
} from '../home/config-source.ts';
import { measureLateness } from '../machine/lateness.ts';
import type { InterfaceReader } from '../network/interfaces.ts';
import { readProfileText } from '../openvpn/profile-file.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';

/** Below the state directory: a copy of the profile under which the endpoint answered last. */
export const PROVED_FILE = 'last-good.ovpn';

async function readProved({ files }: System, stateDir: string): Promise<Profile | null> {
  return readProfileText(await files.readText(join(stateDir, PROVED_FILE)).catch(() => ''));
}

export interface ConfigKeeperOptions {
  system: System;
  configPath: string;
  /** Where the last good configuration is kept. */
  stateDir: string;
  log: Log;
  /** Who knows OpenWrt's names of interfaces. */
  readInterfaces: InterfaceReader;
}

/** Keeps it from one {@link ConfigKeeper.read} to the next. */
export class ConfigKeeper {
  readonly #options: ConfigKeeperOptions;
  /** In force; null while there was none. */
  good: GoodConfig | null = null;
  status: ConfigVerdict = { ok: true, errors: [], warnings: [] };
  /** The profile that worked last, in this run or one before; null for none. */
  proved: Profile | null = null;
  /** Measured once, at the start; null before. */
  #lateMs: number | null = null;

  constructor(options: ConfigKeeperOptions) {
    this.#options = options;
  }

  /** The first thing that is wrong with the one in UCI; null for nothing. */
  get refusal(): Notice | null {
    const [error] = this.status.errors;
    return error ? bare(error) : null;
  }

  /** Reads it again; a bad one leaves the last good one in force, also after a start. */
  async read(): Promise<void> {
    const { system, configPath, stateDir, log, readInterfaces } = this.#options;
    const keptPath = join(stateDir, 'last-good');
    if (this.#lateMs === null) {
      this.proved = await readProved(system, stateDir);
      this.#lateMs = measureLateness(system);
    }
    const { good, status } = await this.#judge();
    this.status = status;
    for (const warning of status.warnings) log('warning', wordsOf(warning));
    for (const error of status.errors) log('err', wordsOf(error));
    if (good) {
      this.good = good;
      await keepGoodConfig(system, configPath, keptPath).catch((error: Error) =>
        log('warning', wordsOf(notice('last-good-unkept', { error: error.message }))),
      );
    } else if (!this.good) {
      const { proved } = this;
      // Its rates were held when it was kept: a bad moment of this start takes nobody's shaping away.
      const spare = { spare: proved };
      this.good = (await readGoodConfig(system, keptPath, readInterfaces, spare)).good;
      if (this.good) log('warning', wordsOf(notice('last-good-used')));
    }
  }

  /** A profile that was tried takes the place of the one before. */
  adopt(profile: GoodConfig['profile']): void {
    if (this.good) this.good = { ...this.good, profile, waiting: null };
  }

  /** What is said of what stands in UCI now. */
  async check(): Promise<ConfigVerdict> {
    return (await this.#judge()).status;
  }

  #judge(): Promise<ConfigReading> {
    const { system, configPath, readInterfaces } = this.#options;
    return readGoodConfig(system, configPath, readInterfaces, { lateMs: this.#lateMs });
  }

  /** Looks whether interfaces' names stand for other network devices now; tells whether they do. */
  async understandAnew(): Promise<boolean> {
    const { system, readInterfaces } = this.#options;
    const before = this.good;
    const anew = before && (await understandAnew(system, before, readInterfaces));
    if (!anew || this.good !== before) return false;
    this.good = anew.good;
    this.status = { ...this.status, notes: anew.notes };
    return true;
  }
}
