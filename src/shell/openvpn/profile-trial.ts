// Tries a profile with an OpenVPN of its own, beside the one in use: does it connect, and if not, why?
import { join } from 'node:path';
import type { Trial } from '../../core/home/machine/events.ts';
import { type Notice, notice } from '../../core/notices/notice.ts';
import { noticeOfError } from '../../core/notices/notice-error.ts';
import type { System } from '../system/system.ts';
import { OpenVpn } from './openvpn.ts';

/** How long the first way to the endpoint has; each further one has `FURTHER_MS` more. */
const FIRST_MS = 20_000;
const FURTHER_MS = 8000;
/** An only way that is known to be shut has so long to open. */
const SHUT_MS = 3000;
/** What OpenVPN prints may come behind what it tells at its management interface. */
const LAST_WORDS_MS = 500;

/** Where the trial's OpenVPN finds its management's socket. */
export function trialSocketOf(runDir: string): string {
  return join(runDir, 'trial.sock');
}

export interface ProfileTrialOptions {
  system: System;
  runDir: string;
  /** Called once for each trial that was not given up: why it does not connect, or null. */
  onEnd: (why: Notice | null) => void;
  onLine: (line: string) => void;
}

/** One trial at a time; the last one asked for counts. */
export class ProfileTrial {
  readonly #options: ProfileTrialOptions;
  #latest = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ProfileTrialOptions) {
    this.#options = options;
  }

  /** Begins a trial once the one before it is gone. */
  try(trial: Trial): void {
    this.#latest.abort();
    this.#latest = new AbortController();
    const { signal } = this.#latest;
    this.#ended = this.#ended.then(async () => {
      if (signal.aborted) return;
      const why = await this.#run(trial, signal).catch(noticeOfError);
      if (!signal.aborted) this.#options.onEnd(why);
    });
  }

  /** Gives up; resolves when nothing is left of it. */
  stop(): Promise<void> {
    this.#latest.abort();
    return this.#ended;
  }

  async #run({ config, tries }: Trial, signal: AbortSignal): Promise<Notice | null> {
    const { system, runDir, onLine } = this.#options;
    const { timers } = system;
    const limitMs = FIRST_MS + FURTHER_MS * (tries - 1);
    let why: Notice | null = null;
    let rounds = 0;
    let decide: (why: Notice | null) => void = () => {};
    const verdict = new Promise<Notice | null>((resolve) => {
      decide = resolve;
    });
    const fail = () => decide(why ?? notice('trial-unfinished', { seconds: limitMs / 1000 }));
    const openvpn = new OpenVpn({
      system,
      configPath: join(runDir, 'trial.conf'),
      managementSocket: trialSocketOf(runDir),
      onState: (name) => {
        // The endpoint has let it in, and given it an address.
        if (name === 'ASSIGN_IP' || name === 'CONNECTED') decide(null);
        else if (name === 'RECONNECTING' && ++rounds >= tries) timers.after(LAST_WORDS_MS, fail);
      },
      onTrouble: (trouble) => {
        why = trouble;
        if (tries === 1) timers.after(SHUT_MS, fail);
      },
      onExit: (end) => decide(why ?? notice('openvpn-stopped', { why: end })),
      onLine,
    });
    signal.addEventListener('abort', fail);
    const cancel = timers.after(limitMs, fail);
    try {
      await openvpn.start(config);
      return await verdict;
    } finally {
      cancel();
      await openvpn.stop();
    }
  }
}
