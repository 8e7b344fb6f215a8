// One supervised OpenVPN: its process, and the management connection it makes to us.
import { join } from 'node:path';
import { isSame } from '../../core/equality/equality.ts';
import type { Notice } from '../../core/notices/notice.ts';
import { type Ends, parseManagementLine } from '../../core/openvpn/management.ts';
import { explainSilence, type Remote, TroubleReader } from '../../core/openvpn/troubles.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { netdevExists } from '../network/netdev.ts';
import { SupervisedChild } from '../system/child.ts';
import { succeeds } from '../system/command.ts';
import { lineReader } from '../system/lines.ts';
import type { Cancel, Connection, Listener, System } from '../system/system.ts';
import { tryWay } from './way-trial.ts';

/**
 * Before OpenVPN where there is util-linux: when it becomes another user it would keep CAP_NET_ADMIN, if linked with
 * libcap-ng (its platform.c); so it can't, and goes on without.
 */
const KEEP_NO_CAPABILITY = ['setpriv', '--securebits=+keep_caps_locked'];

/** OpenVPN logs what it is asked all the time. */
const ASKED = "MANAGEMENT: CMD 'status 3'";
/** What OpenVPN does not say by then is asked for a second later. */
const LISTED_WITHIN_MS = 300;

/** Longest pause between two tries to connect. */
const MAX_HOLD_MS = 30_000;

/** States in which the endpoint has answered. */
const GOT_ON = ['AUTH', 'GET_CONFIG', 'ASSIGN_IP', 'CONNECTED'];

/** A try that comes no further for so long is told of. */
const LINGER_MS = 10_000;

/** Where OpenVPN finds its management's socket. */
export function managementSocketOf(runDir: string): string {
  return join(runDir, 'openvpn.sock');
}

export interface OpenVpnOptions {
  system: System;
  /** Where the configuration file goes (0600). */
  configPath: string;
  managementSocket: string;
  /** Called on every state OpenVPN names: CONNECTING, WAIT, AUTH, GET_CONFIG, ASSIGN_IP, CONNECTED, RECONNECTING, EXITING. */
  onState: (name: string, ends: Ends) => void;
  /** Called with why it does not connect, as often as it says so. */
  onTrouble?: (why: Notice) => void;
  onExit: (why: Notice) => void;
  onLine?: (line: string) => void;
  command?: string;
}

/** OpenVPN with its configuration given as text; ends with us, because its management client loses its server. */
export class OpenVpn {
  readonly #options: OpenVpnOptions;
  readonly #child: SupervisedChild;
  #prefix: readonly string[] | null = null;
  #listener: Listener | null = null;
  #client: Connection | null = null;
  /** Set while OpenVPN pauses between two tries. */
  #cancelRelease: Cancel | null = null;
  #cancelLinger: Cancel | null = null;
  /** Its next pause is not waited for: it was asked to connect. */
  #skipsPause = false;
  /** The remote it would ask next says nothing: it is to go on to another one. */
  #skipsRemote = false;
  #troubles = new TroubleReader();
  /** What OpenVPN ends of, in words that say more than its exit status. */
  #fatal: Notice | null = null;
  /** What was found out about an endpoint that says nothing; it is said until something else was. */
  #silence: { remote: Remote | null; explained: Notice | null; isTried: boolean } = {
    ...{ remote: null, explained: null, isTried: false },
  };
  /** What was told last of the try that is under way; null where it got on. */
  #told: Notice | null = null;
  /** The list of clients that is being told; null where none is. */
  #listing: { listed: string[]; waiting: ((listed: string[]) => void)[] } | null = null;
  /** Bytes OpenVPN has counted on its link since it connected. */
  bytes = { inBytes: 0, outBytes: 0 };

  constructor(options: OpenVpnOptions) {
    this.#options = options;
    this.#child = new SupervisedChild({
      system: options.system,
      argv: () => [
        ...(this.#prefix ?? []),
        options.command ?? 'openvpn',
        ...['--config', options.configPath],
      ],
      onExit: (why) => {
        options.onExit(this.#fatal ?? why);
        this.#fatal = null;
        this.#troubles = new TroubleReader();
      },
      minPauseMs: 500,
      onLine: (line) => this.#hear(line),
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts with this configuration, or starts over when it runs already. */
  async start(config: string): Promise<void> {
    const { system, configPath } = this.#options;
    await system.files.write(configPath, config, 0o600);
    if (!this.#listener) await this.#listen();
    this.#prefix ??= (await succeeds(system, [...KEEP_NO_CAPABILITY, 'true']))
      ? KEEP_NO_CAPABILITY
      : [];
    await this.#child.restart(this.#isStranded() ? 0 : undefined);
  }

  /** One whose netdev was deleted reads from what is gone as fast as it can: it neither tells anybody nor ends when asked to. */
  #isStranded(): boolean {
    return this.pid !== undefined && !netdevExists(this.#options.system, TUNNEL_NETDEV);
  }

  /** Asks OpenVPN to connect again, keeping its netdev. @param next to the next remote rather than to the one it had */
  reconnect(next: boolean): void {
    this.#skipsRemote = next;
    this.#restart();
  }

  #restart(): void {
    this.#skipsPause = true;
    this.#client?.write('signal SIGUSR1\n');
  }

  /** Has OpenVPN do this by its management; not waited for. */
  command(line: string): void {
    this.#client?.write(`${line}\n`);
  }

  /** Ends the pause before the next try, where OpenVPN is in one. */
  retryNow(): void {
    if (!this.#cancelRelease) return;
    this.#cancelRelease();
    this.#cancelRelease = null;
    this.#client?.write('hold release\n');
  }

  /** Lines of which some say who is connected to this server; null where OpenVPN does not say so in a moment. */
  clients(): Promise<readonly string[] | null> {
    const client = this.#client;
    if (!client) return Promise.resolve(null);
    return new Promise((done) => {
      // One that was held up answers all questions at once: what it owes is not asked for again.
      if (this.#listing === null) {
        this.#listing = { listed: [], waiting: [] };
        client.write('status 3\n');
      }
      this.#listing.waiting.push(done);
      this.#options.system.timers.after(LISTED_WITHIN_MS, () => done(null));
    });
  }

  /** Ends OpenVPN and removes its files. */
  async stop(): Promise<void> {
    const { system, configPath, managementSocket } = this.#options;
    this.#cancelRelease?.();
    this.#cancelRelease = null;
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    this.#told = null;
    await this.#child.stop();
    const listener = this.#listener;
    this.#listener = null;
    this.#client = null;
    await listener?.close();
    await system.files.remove(managementSocket);
    await system.files.remove(configPath);
  }

  async #listen(): Promise<void> {
    const { system, managementSocket } = this.#options;
    await system.files.remove(managementSocket);
    this.#listener = await system.sockets.listen(managementSocket, (client) => this.#serve(client));
  }

  /** OpenVPN's end is reported by the child. */
  #serve(client: Connection): void {
    this.#client = client;
    this.#listing = null;
    client.onData(lineReader((line) => this.#handle(client, line)));
    client.write('state on\nbytecount 5\n');
  }

  #release(client: Connection, pauseMs: number): void {
    this.#cancelRelease?.();
    const { timers } = this.#options.system;
    const waitMs = this.#skipsPause ? 0 : Math.min(pauseMs, MAX_HOLD_MS);
    this.#skipsPause = false;
    this.#cancelRelease = timers.after(waitMs, () => {
      this.#cancelRelease = null;
      client.write('hold release\n');
    });
  }

  #handle(client: Connection, line: string): void {
    // The endpoint sends us on to the next one: there is nothing that a pause would wait for.
    if (line.endsWith('reset,[N]')) this.#skipsPause = true;
    const event = parseManagementLine(line);
    if (event.kind === 'state') {
      if (GOT_ON.includes(event.name)) this.#told = null;
      // It asks the remote it had once more, for two seconds, unless it is disturbed (init.c, next_connection_entry).
      if (event.name === 'WAIT' && this.#skipsRemote) {
        this.#skipsRemote = false;
        this.#restart();
      }
      this.#awaitNext(event.name);
      this.#options.onState(event.name, event);
    } else if (event.kind === 'bytes')
      this.bytes = { inBytes: event.inBytes, outBytes: event.outBytes };
    else if (event.kind === 'hold') this.#release(client, event.pauseMs);
    else if (event.kind === 'end') {
      for (const done of this.#listing?.waiting ?? []) done(this.#listing!.listed);
      this.#listing = null;
    } else if (event.kind === 'fatal') this.#hear(event.text);
    else this.#listing?.listed.push(line);
  }

  /** Takes what OpenVPN printed. */
  #hear(line: string): void {
    if (line.includes(ASKED)) return;
    this.#options.onLine?.(line);
    const trouble = this.#troubles.hear(line);
    if (trouble?.code === 'endpoint-port-taken') this.#fatal = trouble;
    this.#report(trouble);
  }

  #report(trouble: Notice | null): void {
    if (!trouble || !this.#options.onTrouble) return;
    const { remote } = this.#troubles;
    if (trouble.code !== 'endpoint-mute' || remote === null) {
      this.#tell(trouble);
      return;
    }
    const { explained } = this.#silence;
    this.#tell(isSame(this.#silence.remote, remote) && explained ? explained : trouble);
    void this.#explain(remote);
  }

  #tell(trouble: Notice): void {
    this.#told = trouble;
    this.#options.onTrouble?.(trouble);
  }

  /** Silence alone does not tell whose fault it is. */
  async #explain(remote: Remote): Promise<void> {
    if (this.#silence.isTried) return;
    const said = this.#told;
    this.#silence = { ...this.#silence, isTried: true };
    const explained = explainSilence(remote, await tryWay(this.#options.system, remote.address));
    this.#silence = { remote, explained, isTried: false };
    // It may have ended, or got on, or said more, meanwhile.
    if (this.#told === said && !isSame(said, explained)) this.#tell(explained);
  }

  /** Silence is no line that could be read. */
  #awaitNext(state: string): void {
    this.#cancelLinger?.();
    this.#cancelLinger = this.#options.system.timers.after(LINGER_MS, () =>
      this.#report(this.#troubles.linger(state)),
    );
  }
}
