// What becomes of a profile that a person uploads: put in its place, or tried first where the one there works.
import { isSame } from '../../core/equality/equality.ts';
import { renderMessage } from '../../core/home/answers.ts';
import type { ProfileCheck } from '../../core/home/api.ts';
import { desiredOf, type HomeState } from '../../core/home/machine/state.ts';
import { isProved } from '../../core/home/machine/trial.ts';
import { notice } from '../../core/notices/notice.ts';
import { wordsOf } from '../../core/notices/words.ts';
import type { Profile } from '../../core/openvpn/profile.ts';
import type { ConfigKeeper } from '../config/config-keeper.ts';
import {
  adoptProfile,
  judgeProfile,
  keepProved,
  keepWaiting,
  readProfileText,
  storeProfile,
} from '../openvpn/profile-file.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';
import { findRangesTaken, profilePath, readProfile } from './config-source.ts';

export interface HomeProfilesOptions {
  system: System;
  configPath: string;
  /** Where the copy of the profile that worked last is kept. */
  provedPath: string;
  log: Log;
  state: () => HomeState;
  /** Reads everything again and puts it in force. */
  reload: () => Promise<void>;
}

/** Netdev of devices' packets; '' where none is wanted yet. */
function netdevOf(state: HomeState): string {
  return desiredOf(state)?.config.tunnel.interface ?? '';
}

export class HomeProfiles {
  readonly #options: HomeProfilesOptions;

  constructor(options: HomeProfilesOptions) {
    this.#options = options;
  }

  /** Puts a profile in the place the configuration names and in force, if nothing is wrong with it. */
  async store(text: string): Promise<ProfileCheck> {
    const { system, configPath, state, reload } = this.#options;
    const verdict = judgeProfile(text);
    if (!verdict.ok) return verdict;
    const uploaded = readProfileText(text)!;
    const taken = await findRangesTaken(system, netdevOf(state()), uploaded.inside);
    if (taken.length > 0) {
      return { ok: false, errors: taken.map((why) => ({ line: 0, ...renderMessage(why) })) };
    }
    const path = await profilePath(system, configPath);
    const isTried = await this.#isTried(path, uploaded);
    await (isTried ? keepWaiting : storeProfile)(system, path, text);
    await reload();
    return { ...verdict, tried: isTried };
  }

  /**
   * The profile in force works.
   *
   * @param isNew it was tried, and takes its place now
   */
  prove(config: ConfigKeeper, isNew: boolean): void {
    if (!config.good) return;
    const { profile } = desiredOf(this.#options.state()) ?? config.good;
    const path = config.good.config.tunnel.profile;
    config.proved = profile;
    if (!isNew) {
      void this.keepProved(path);
      return;
    }
    config.adopt(profile);
    void this.adopt(path);
  }

  /** Ends the waiting of the profile that has come into force; it takes the place of the one before it. */
  async adopt(path: string): Promise<void> {
    const { system, state, log } = this.#options;
    const inForce = desiredOf(state())?.profile;
    await adoptProfile(system, path, (profile) => isSame(profile, inForce)).catch((error: Error) =>
      log('warning', wordsOf(notice('profile-unkept', { error: error.message }))),
    );
  }

  /** Keeps a copy (0600) of the profile in force, which works, for a start after the one in its place was broken. */
  async keepProved(path: string): Promise<void> {
    const { system, state, log, provedPath } = this.#options;
    const inForce = desiredOf(state())?.profile;
    await keepProved(system, path, provedPath, (profile) => isSame(profile, inForce)).catch(
      (error: Error) =>
        log('warning', wordsOf(notice('profile-proved-unkept', { error: error.message }))),
    );
  }

  /** Whether the one in this place works, and another one is to be seen to connect first. */
  async #isTried(path: string, uploaded: Profile): Promise<boolean> {
    const state = this.#options.state();
    const { profile } = await readProfile(this.#options.system, path);
    return (
      isProved(state) && isSame(profile, desiredOf(state)?.profile) && !isSame(profile, uploaded)
    );
  }
}
