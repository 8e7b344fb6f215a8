// OpenVPN on the stand-in machine: its management connection, its netdev, and the path to the other end.
import type { Connection } from '../../../src/shell/system/system.ts';
import type { FilesModel } from './files-model.ts';
import type { IpModel } from './ip-model.ts';
import type { Life, Program, ProgramStart } from './processes.ts';
import type { UnixSockets } from './unix-sockets.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What OpenVPN finds on the Internet; a test scripts it. */
export interface OpenVpnWorld {
  /** Whether datagrams reach the other end and come back. */
  isReachable: boolean;
  /** Whether the machine there, and the resolvers of the Internet, answer otherwise. */
  answersPing: boolean;
  answersNames: boolean;
  /** Share of what the home sends that the line carries, 0…1. */
  carriedShare: number;
  /** Whether nobody answers who is asked with this configuration. */
  refuses: (config: string) => boolean;
  /** From leave to connect until connected. */
  connectMs: number;
  /** Address that the other end assigns, with its prefix length. */
  assigned: string;
  /** The other end's on the Internet. */
  remote: string;
  /** Lines by which a server lists who is connected; none where a test is not about them. */
  clients?: readonly string[];
  /** Connections that a server was told to end, with what is said to the other end. */
  sentOn?: string[];
}

/** Between two tries while nobody answers, and until it gives up and starts over. */
const RETRY_MS = 1000;
const GIVE_UP_MS = 60_000;
/** The other end's silence after which it starts over (`ping-restart`). */
const PING_RESTART_MS = 60_000;
const MAX_PAUSE_S = 30;
const BYTE_COUNT_MS = 5000;

export interface OpenVpnOptions {
  files: FilesModel;
  unix: UnixSockets;
  ip: IpModel;
  time: VirtualTime;
  world: OpenVpnWorld;
  /** Makes its netdev, with what counts there. */
  makeNetdev: (name: string, address: string) => void;
  /** Told when it connects, or is connected no longer. */
  onConnected: (isConnected: boolean) => void;
}

/** All OpenVPNs of a machine: one at a time holds the netdev. */
export class OpenVpnModel {
  readonly #options: OpenVpnOptions;
  readonly #running = new Set<OpenVpnProgram>();

  constructor(options: OpenVpnOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return [...this.#running].some(({ isConnected, isTrial }) => isConnected && !isTrial);
  }

  /** `[setpriv …] openvpn --config FILE` */
  readonly start: ProgramStart = (argv, life) => {
    const words = argv[0] === 'setpriv' ? argv.slice(2) : argv;
    if (words[0] !== 'openvpn' || words[1] !== '--config') return null;
    const config = this.#options.files.text(words[2]!);
    if (config === null) {
      life.printError(`Options error: In [CMD-LINE]:1: Error opening configuration file\n`);
      life.exit(1);
      return {};
    }
    const program = new OpenVpnProgram(this.#options, config, life, () => {
      this.#running.delete(program);
    });
    this.#running.add(program);
    return program;
  };

  /** The other end said that it goes away, or came back: noticed at once. */
  notice(): void {
    for (const program of this.#running) program.notice();
  }
}

class OpenVpnProgram implements Program {
  readonly #options: OpenVpnOptions;
  readonly #life: Life;
  readonly #onGone: () => void;
  readonly #netdev: string;
  readonly #isServer: boolean;
  readonly #address: string;
  readonly #isRefused: boolean;
  #management: Connection | null = null;
  #state: 'starting' | 'holding' | 'connecting' | 'connected' | 'over' = 'starting';
  #pauseS = 0;
  #triedMs = 0;
  #rest = '';
  readonly #cancels = new Set<() => void>();

  constructor(options: OpenVpnOptions, config: string, life: Life, onGone: () => void) {
    this.#options = options;
    this.#life = life;
    this.#onGone = onGone;
    const word = (pattern: RegExp): string => pattern.exec(config)?.[1] ?? '';
    this.#netdev = word(/^dev (\S+)$/m);
    this.#isRefused = options.world.refuses(config);
    this.#isServer = /^mode server$/m.test(config);
    const own = word(/^ifconfig (\S+) 255\.255\.255\.0$/m);
    this.#address = this.#isServer ? `${own}/24` : options.world.assigned;
    const path = word(/^management (\S+) unix$/m);
    this.#after(10, () => this.#connectManagement(path));
  }

  get isConnected(): boolean {
    return this.#state === 'connected';
  }

  /** It only tries whether it connects, without a netdev. */
  get isTrial(): boolean {
    return this.#netdev === 'null';
  }

  onTerm(): void {
    this.#tellState('EXITING', 'SIGTERM');
    this.#exit(0);
  }

  onEnd(): void {
    const wasConnected = this.isConnected;
    this.#state = 'over';
    for (const cancel of this.#cancels) cancel();
    this.#management?.close();
    this.#onGone();
    if (wasConnected && !this.isTrial) this.#options.onConnected(false);
    // Nobody holds it any more.
    if (this.#holdsNetdev) this.#options.ip.removeNetdev(this.#netdev);
  }

  #holdsNetdev = false;

  /** The path changed: explicit-exit-notify, or datagrams that come again. */
  notice(): void {
    if (this.#state === 'connected' && !this.#options.world.isReachable && !this.#isServer) {
      this.#restart('remote-exit');
    }
  }

  #after(ms: number, work: () => void): void {
    const cancel = this.#options.time.timers.after(ms, () => {
      this.#cancels.delete(cancel);
      work();
    });
    this.#cancels.add(cancel);
  }

  #exit(status: number): void {
    // Its last words go out first.
    this.#options.time.timers.soon(() => this.#life.exit(status));
  }

  #connectManagement(path: string): void {
    try {
      this.#management = this.#options.unix.open(path);
    } catch {
      this.#life.printError(`MANAGEMENT: connect to unix socket ${path} failed\n`);
      this.#life.exit(1);
      return;
    }
    const decoder = new TextDecoder();
    this.#management.onData((piece) => {
      const lines = (this.#rest + decoder.decode(piece)).split('\n');
      this.#rest = lines.pop()!;
      for (const line of lines) this.#obey(line);
    });
    this.#management.onClose(() => {
      if (this.#state !== 'over') this.#exit(0);
    });
    this.#say(">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info");
    this.#hold(0);
  }

  #say(line: string): void {
    this.#management?.write(`${line}\r\n`);
  }

  #tellState(name: string, detail = '', local = '', remote = ''): void {
    const seconds = Math.floor(this.#options.time.clock.unixMs() / 1000);
    const port = remote === '' ? '' : '1194';
    this.#say(`>STATE:${seconds},${name},${detail},${local},${remote},${port},,`);
  }

  #hold(pauseS: number): void {
    this.#state = 'holding';
    this.#say(`>HOLD:Waiting for hold release:${pauseS}`);
  }

  #obey(line: string): void {
    if (line === 'state on') this.#say('SUCCESS: real-time state notification set to ON');
    else if (line.startsWith('bytecount ')) this.#say('SUCCESS: bytecount interval changed');
    // Its far homes are told by nothing but their datagrams.
    else if (line === 'status 3') {
      for (const client of this.#options.world.clients ?? []) this.#say(client);
      this.#say('END');
    } else if (line.startsWith('client-kill ')) {
      this.#options.world.sentOn?.push(line);
      this.#say('SUCCESS: client-kill command succeeded');
    } else if (line === 'hold release') {
      this.#say('SUCCESS: hold release succeeded');
      if (this.#state === 'holding') this.#begin();
    } else if (line === 'signal SIGUSR1') {
      this.#say('SUCCESS: signal SIGUSR1 thrown');
      if (this.#state === 'connecting' || this.#state === 'connected') this.#restart('SIGUSR1');
    } else if (line.startsWith('kill ')) {
      this.#say(`ERROR: common name '${line.slice('kill '.length)}' not found`);
    } else throw new Error(`the model of OpenVPN does not understand "${line}"`);
  }

  #begin(): void {
    this.#state = 'connecting';
    this.#triedMs = 0;
    if (this.#isServer) {
      this.#after(20, () => this.#connected());
      return;
    }
    this.#tellState('CONNECTING');
    this.#life.print(`UDPv4 link remote: [AF_INET]${this.#options.world.remote}:1194\n`);
    this.#tellState('WAIT');
    this.#after(this.#options.world.connectMs, () => this.#tryToConnect());
  }

  #tryToConnect(): void {
    if (this.#state !== 'connecting') return;
    if (!this.#options.world.isReachable || this.#isRefused) {
      this.#triedMs += RETRY_MS;
      if (this.#triedMs >= GIVE_UP_MS) this.#restart('tls-error');
      else this.#after(RETRY_MS, () => this.#tryToConnect());
      return;
    }
    this.#tellState('AUTH');
    this.#tellState('GET_CONFIG');
    this.#tellState('ASSIGN_IP', '', this.#address.split('/')[0]);
    this.#connected();
  }

  #connected(): void {
    const { ip, world, makeNetdev, onConnected } = this.#options;
    if (this.#state !== 'connecting') return;
    if (!this.isTrial && !ip.netdevs.has(this.#netdev)) {
      makeNetdev(this.#netdev, this.#address);
      this.#holdsNetdev = true;
    }
    this.#state = 'connected';
    this.#pauseS = 0;
    if (!this.isTrial) onConnected(true);
    this.#life.print('Initialization Sequence Completed\n');
    const local = this.#address.split('/')[0]!;
    this.#tellState('CONNECTED', 'SUCCESS', local, this.#isServer ? '' : world.remote);
    if (this.#isServer) return;
    this.#watchSilence(0);
    this.#countBytes();
  }

  /** Starts over once nothing has come for long. */
  #watchSilence(silentMs: number): void {
    this.#after(RETRY_MS, () => {
      if (this.#state !== 'connected') return;
      const silent = this.#options.world.isReachable ? 0 : silentMs + RETRY_MS;
      if (silent >= PING_RESTART_MS) this.#restart('ping-restart');
      else this.#watchSilence(silent);
    });
  }

  #countBytes(): void {
    this.#after(BYTE_COUNT_MS, () => {
      if (this.#state !== 'connected') return;
      this.#say('>BYTECOUNT:0,0');
      this.#countBytes();
    });
  }

  /** Connects anew; its netdev stays (`persist-tun`). */
  #restart(why: string): void {
    const wasConnected = this.isConnected;
    this.#state = 'connecting';
    if (wasConnected) this.#options.onConnected(false);
    this.#tellState('RECONNECTING', why);
    this.#pauseS = Math.min(MAX_PAUSE_S, Math.max(1, this.#pauseS * 2));
    this.#hold(this.#pauseS);
  }
}
