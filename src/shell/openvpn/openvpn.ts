// One supervised OpenVPN: its process, and the management connection it makes to us.
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Notice } from '../../core/notices/notice.ts';
import { LineSplitter, parseManagementLine } from '../../core/openvpn/management.ts';
import { SupervisedChild } from '../system/child.ts';
import { succeeds } from '../system/command.ts';

/**
 * Before OpenVPN where there is util-linux: when it becomes another user it would keep CAP_NET_ADMIN, if linked with
 * libcap-ng (its platform.c); so it can't, and goes on without.
 */
const KEEP_NO_CAPABILITY = ['setpriv', '--securebits=+keep_caps_locked'];

/** Longest pause between two tries to connect. */
const MAX_HOLD_MS = 30_000;

export interface OpenVpnOptions {
  /** Where the configuration file goes (0600). */
  configPath: string;
  managementSocket: string;
  /** Called on every state OpenVPN names: CONNECTING, WAIT, AUTH, GET_CONFIG, ASSIGN_IP, CONNECTED, RECONNECTING, EXITING. */
  onState: (name: string, localAddress: string, remoteAddress: string) => void;
  onExit: (why: Notice) => void;
  onLine?: (line: string) => void;
  command?: string;
}

/** OpenVPN with its configuration given as text; ends with us, because its management client loses its server. */
export class OpenVpn {
  readonly #options: OpenVpnOptions;
  readonly #child: SupervisedChild;
  #prefix: readonly string[] | null = null;
  #server: Server | null = null;
  #client: Socket | null = null;
  #holdTimer: NodeJS.Timeout | null = null;
  /** Bytes OpenVPN has counted on its link since it connected. */
  bytes = { inBytes: 0, outBytes: 0 };

  constructor(options: OpenVpnOptions) {
    this.#options = options;
    this.#child = new SupervisedChild({
      argv: () => [
        ...(this.#prefix ?? []),
        options.command ?? 'openvpn',
        ...['--config', options.configPath],
      ],
      onExit: (why) => options.onExit(why),
      minPauseMs: 500,
      ...(options.onLine ? { onLine: options.onLine } : {}),
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts with this configuration, or starts over when it runs already. */
  async start(config: string): Promise<void> {
    await writeFile(this.#options.configPath, config, { mode: 0o600 });
    if (!this.#server) await this.#listen();
    this.#prefix ??= (await succeeds([...KEEP_NO_CAPABILITY, 'true'])) ? KEEP_NO_CAPABILITY : [];
    await this.#child.restart();
  }

  /** Asks OpenVPN to connect anew, keeping its netdev. */
  reconnect(): void {
    this.#client?.write('signal SIGUSR1\n');
  }

  /** Ends the pause before the next try, where OpenVPN is in one. */
  hurry(): void {
    if (!this.#holdTimer) return;
    clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
    this.#client?.write('hold release\n');
  }

  /** Ends OpenVPN and removes its files. */
  async stop(): Promise<void> {
    if (this.#holdTimer) clearTimeout(this.#holdTimer);
    await this.#child.stop();
    this.#client?.destroy();
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(this.#options.managementSocket, { force: true });
    await rm(this.#options.configPath, { force: true });
  }

  async #listen(): Promise<void> {
    await rm(this.#options.managementSocket, { force: true });
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#options.managementSocket, resolve);
    });
    this.#server = server;
  }

  #serve(socket: Socket): void {
    this.#client = socket;
    const splitter = new LineSplitter();
    socket.setEncoding('utf8');
    socket.on('error', () => {}); // OpenVPN's end is reported by the child
    socket.on('data', (piece) => {
      for (const line of splitter.push(String(piece))) this.#handle(socket, line);
    });
    socket.write('state on\nbytecount 5\n');
  }

  #release(socket: Socket, pauseMs: number): void {
    if (this.#holdTimer) clearTimeout(this.#holdTimer);
    this.#holdTimer = setTimeout(
      () => {
        this.#holdTimer = null;
        socket.write('hold release\n');
      },
      Math.min(pauseMs, MAX_HOLD_MS),
    );
  }

  #handle(socket: Socket, line: string): void {
    const event = parseManagementLine(line);
    if (event.kind === 'state')
      this.#options.onState(event.name, event.localAddress, event.remoteAddress);
    else if (event.kind === 'bytes')
      this.bytes = { inBytes: event.inBytes, outBytes: event.outBytes };
    else if (event.kind === 'hold') this.#release(socket, event.pauseMs);
    else if (event.kind === 'fatal') this.#options.onLine?.(event.text);
  }
}
