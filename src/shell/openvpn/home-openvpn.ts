// A home's OpenVPN, and beside it the one that tries a new profile.
import { join } from 'node:path';
import type { Act, HomeEvent } from '../../core/home/machine/events.ts';
import { withoutKeys } from '../../core/openvpn/troubles.ts';
import type { Log } from '../system/log.ts';
import type { System } from '../system/system.ts';
import { managementSocketOf, OpenVpn } from './openvpn.ts';
import { ProfileTrial, trialSocketOf } from './profile-trial.ts';

/** Where both find their management's sockets. */
export function socketsOf(runDir: string): { managementSocket: string; trialSocket: string } {
  return { managementSocket: managementSocketOf(runDir), trialSocket: trialSocketOf(runDir) };
}

export interface HomeOpenVpnOptions {
  system: System;
  runDir: string;
  log: Log;
  tell: (event: HomeEvent) => void;
}

export type OpenVpnAct = Extract<Act, { do: 'reconnect' | 'retry-now' | 'try' }>;

export class HomeOpenVpn {
  readonly #openvpn: OpenVpn;
  readonly #trial: ProfileTrial;

  constructor({ system, runDir, log, tell }: HomeOpenVpnOptions) {
    this.#openvpn = new OpenVpn({
      system,
      configPath: join(runDir, 'openvpn.conf'),
      managementSocket: managementSocketOf(runDir),
      onState: (name, { localAddress: local, remoteAddress: remote, remotePort }) =>
        tell({ kind: 'openvpn', name, local, remote, remotePort }),
      onTrouble: (why) => tell({ kind: 'openvpn-trouble', why }),
      onExit: (why) => tell({ kind: 'openvpn-exited', why }),
      onLine: (line) => log('info', `openvpn: ${withoutKeys(line)}`),
    });
    this.#trial = new ProfileTrial({
      system,
      runDir,
      onEnd: (why) => tell({ kind: 'tried', why }),
      onLine: (line) => log('info', `openvpn, new profile: ${withoutKeys(line)}`),
    });
  }

  start(config: string): Promise<void> {
    return this.#openvpn.start(config);
  }

  /** Does what neither waits nor fails. */
  act(act: OpenVpnAct): void {
    switch (act.do) {
      case 'reconnect':
        this.#openvpn.reconnect(act.next);
        return;
      case 'retry-now':
        this.#openvpn.retryNow();
        return;
      case 'try':
        if (act.trial) this.#trial.try(act.trial);
        else void this.#trial.stop();
    }
  }

  /** Ends both. */
  async stop(): Promise<void> {
    await this.#trial.stop();
    await this.#openvpn.stop();
  }
}
