// The emulated household at run time: sends each planned exchange from its device's own address, on time.
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import type { Exchange } from '../emulators/plan.ts';
import { decodeAnswer, encodeQuestion } from '../traffic/dns.ts';
import { decodeMessage, encodeMessage, MessageStream, messageKey } from '../traffic/message.ts';
import { playOnTime } from '../traffic/play-on-time.ts';
import { openReplayDevice } from '../traffic/replay-driver.ts';
import { monotonicMs, TrafficRecorder } from '../traffic/traffic-log.ts';
import { type DevicesConfig, readProcessConfig } from './process-config.ts';

/** Devices ask again for a name after so long, as most do not trust a cache. */
const dnsCacheMs = 20_000;
const dnsRetryMs = 1_000;
const dnsTries = 8;
/** A connection that failed is tried again after so long. */
const reconnectMs = 1_000;

/** Runs until standard input ends, then writes its log; `lab emulate` of the command line. */
export async function runDevices(): Promise<void> {
  const recorder = new TrafficRecorder();
  let logPath: string | null = null;
  const config = await readProcessConfig<DevicesConfig>(() => {
    if (logPath) recorder.write(logPath);
    process.exit(0);
  });
  logPath = config.logPath;
  if (config.replay) openReplayDevice(config.replay, config.startMs, recorder);
  const devices = new Map(
    config.devices.map(({ id, ip }) => [id, new Device(id, ip, config.dns, recorder)]),
  );
  playOnTime(config.exchanges, config.startMs, (exchange, index) =>
    devices.get(exchange.device)?.play(exchange, index + 1),
  );
}

/** One device: its name cache, its connections, its datagram socket, all bound to its address. */
class Device {
  readonly #id: string;
  readonly #ip: string;
  readonly #recorder: TrafficRecorder;
  readonly #resolver: Resolver;
  readonly #connections = new Map<string, Connection>();
  #datagrams: DatagramSocket | null = null;

  constructor(id: string, ip: string, dns: DevicesConfig['dns'], recorder: TrafficRecorder) {
    this.#id = id;
    this.#ip = ip;
    this.#recorder = recorder;
    this.#resolver = new Resolver(ip, dns, (words) => recorder.fault(`${id}: ${words}`));
  }

  /** Looks up the server and sends the message; delay is counted from the sending on, not the look-up. */
  async play(exchange: Exchange, id: number): Promise<void> {
    const address = await this.#resolver.resolve(exchange.name);
    if (address === null) return;
    const message = encodeMessage({
      id,
      part: 0,
      totalBytes: exchange.upBytes,
      replyBytes: exchange.downBytes,
    });
    this.#recorder.sent({
      key: messageKey(id, 0),
      bytes: message.length,
      device: this.#id,
      protocol: exchange.protocol,
    });
    if (exchange.protocol === 'udp') this.#sendDatagram(message, exchange.port, address);
    else this.#connection(address, exchange.port).send(message);
  }

  #sendDatagram(message: Buffer, port: number, address: string): void {
    if (!this.#datagrams) {
      this.#datagrams = createSocket('udp4');
      this.#datagrams.on('error', (error) => this.#recorder.fault(`${this.#id}: ${error.message}`));
      this.#datagrams.on('message', (datagram) => {
        const header = decodeMessage(datagram);
        if (header) this.#arrived(header.id, header.part, datagram.length, 'udp');
      });
      this.#datagrams.bind(0, this.#ip);
    }
    this.#datagrams.send(message, port, address, (error) => {
      if (error) this.#recorder.fault(`${this.#id}: ${error.message}`);
    });
  }

  #connection(address: string, port: number): Connection {
    const key = `${address}:${port}`;
    let connection = this.#connections.get(key);
    if (!connection) {
      connection = new Connection(this.#ip, address, port, {
        arrived: (header) => this.#arrived(header.id, header.part, header.totalBytes, 'tcp'),
        fault: (words) => this.#recorder.fault(`${this.#id}: ${words}`),
      });
      this.#connections.set(key, connection);
    }
    return connection;
  }

  #arrived(id: number, part: number, bytes: number, protocol: 'tcp' | 'udp'): void {
    this.#recorder.received({ key: messageKey(id, part), bytes, device: this.#id, protocol });
  }
}

interface ConnectionCallbacks {
  arrived: (header: { id: number; part: number; totalBytes: number }) => void;
  fault: (words: string) => void;
}

/** A lasting TCP connection that comes back after a failure; what was written before the failure is lost. */
class Connection {
  #socket: Socket | null = null;
  readonly #open: () => Socket;

  constructor(own: string, address: string, port: number, { arrived, fault }: ConnectionCallbacks) {
    this.#open = () => {
      const stream = new MessageStream();
      const socket = connect({ host: address, port, localAddress: own, noDelay: true });
      socket.on('data', (chunk) => {
        try {
          for (const header of stream.push(chunk)) arrived(header);
        } catch (error) {
          fault((error as Error).message);
          socket.destroy();
        }
      });
      socket.on('error', (error) => fault(error.message));
      socket.on('close', () => {
        setTimeout(() => {
          if (this.#socket === socket) this.#socket = null;
        }, reconnectMs);
      });
      return socket;
    };
  }

  send(message: Buffer): void {
    this.#socket ??= this.#open();
    if (!this.#socket.destroyed) this.#socket.write(message);
  }
}

/** Asks the DNS server from the device's own address and remembers the answer for a while. */
class Resolver {
  readonly #ip: string;
  readonly #dns: DevicesConfig['dns'];
  readonly #fault: (words: string) => void;
  readonly #cache = new Map<string, { untilMs: number; address: Promise<string | null> }>();
  #nextId = 1;

  constructor(ip: string, dns: DevicesConfig['dns'], fault: (words: string) => void) {
    this.#ip = ip;
    this.#dns = dns;
    this.#fault = fault;
  }

  resolve(name: string): Promise<string | null> {
    const known = this.#cache.get(name);
    if (known && known.untilMs > monotonicMs()) return known.address;
    const address = this.#ask(name).then((found) => {
      if (found === null) this.#cache.delete(name);
      return found;
    });
    this.#cache.set(name, { untilMs: monotonicMs() + (this.#dns.cacheMs ?? dnsCacheMs), address });
    return address;
  }

  #ask(name: string): Promise<string | null> {
    return new Promise((resolve) => {
      const socket = createSocket('udp4');
      const question = encodeQuestion({ id: this.#nextId++ & 0xffff, name, type: 'A' });
      let tries = 0;
      const finish = (address: string | null) => {
        clearInterval(timer);
        socket.close();
        resolve(address);
      };
      const ask = () => {
        if (++tries > dnsTries) {
          this.#fault(
            `no answer for ${name} from ${this.#dns.address} after ${dnsTries} questions`,
          );
          finish(null);
          return;
        }
        socket.send(question, this.#dns.port, this.#dns.address, () => {});
      };
      const timer = setInterval(ask, dnsRetryMs);
      socket.on('error', () => {}); // asked again by the timer
      socket.on('message', (answer) => {
        try {
          const { addresses } = decodeAnswer(answer);
          if (!addresses || addresses.length === 0) this.#fault(`${name} has no address`);
          finish(addresses?.[0] ?? null);
        } catch (error) {
          this.#fault(`${name}: ${(error as Error).message}`);
        }
      });
      socket.bind(0, this.#ip, ask);
    });
  }
}
