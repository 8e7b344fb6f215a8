// The shaping thread: rates and cover, on an event loop that device packets never keep busy.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { notice } from '../../core/notices/notice.ts';
import { LineSplitter } from '../../core/openvpn/management.ts';
import { RatePacer } from '../../core/pacing/rate-pacer.ts';
import { TUNNEL_NETDEV } from '../../core/plan/names.ts';
import { classBytesPerSecond, renderClassChange } from '../../core/plan/tc.ts';
import { TcListingReader } from '../../core/plan/tc-listing.ts';
import { isPaced, slotsPerSecond } from '../../core/stream/stream.ts';
import { systemEnvironment } from '../system/command.ts';
import { cryptoRandom } from '../system/crypto-random.ts';
import { raisePriority } from '../system/priority.ts';
import { Serial } from '../system/serial.ts';
import { Cover, unsentFault } from './cover.ts';
import type { FromShaper, ShapedStream, ToShaper } from './messages.ts';

/** Marks a worker as this thread among others of the one bundle. */
export const SHAPER_ROLE = 'iotshaper-shaper';

const REPORT_MS = 1000;

interface RunningStream {
  stream: ShapedStream;
  pacer: RatePacer | null;
  cover: Cover | null;
}

class ShaperThread {
  readonly #port: MessagePort;
  readonly #serial = new Serial();
  readonly #streams = new Map<number, RunningStream>();
  readonly #listing = new TcListingReader((id, packets) => {
    const running = this.#streams.get(Number.parseInt(id.split(':')[1]!, 16));
    running?.pacer?.observe(packets, performance.now());
  });
  #tc: ChildProcessByStdio<Writable, Readable, Readable> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** Streams for which tc was last asked to list the queue. */
  #asked: number[] | null = null;
  readonly #reporter: NodeJS.Timeout;

  constructor(port: MessagePort) {
    this.#port = port;
    raisePriority(-15);
    port.on('message', (message: ToShaper) => {
      if (message.kind === 'stop') this.#stop();
      else {
        void this.#serial
          .run(() => this.#apply(message.streams, message.fresh))
          .finally(() => this.#say({ kind: 'applied', id: message.id }));
      }
    });
    this.#reporter = setInterval(() => this.#report(), REPORT_MS);
  }

  #say(message: FromShaper): void {
    this.#port.postMessage(message);
  }

  async #apply(streams: readonly ShapedStream[], fresh: boolean): Promise<void> {
    if (fresh) this.#restartTc();
    for (const [minor, running] of this.#streams) {
      if (!streams.some((stream) => stream.minor === minor)) {
        running.cover?.close();
        this.#streams.delete(minor);
      }
    }
    for (const stream of streams) {
      const running = this.#streams.get(stream.minor);
      if (!fresh && running && JSON.stringify(running.stream) === JSON.stringify(stream)) continue;
      await this.#begin(stream, running ?? null);
    }
    this.#pace();
  }

  /** New cover stands ready before the old is taken away. */
  async #begin(stream: ShapedStream, old: RunningStream | null): Promise<void> {
    const { minor, shape, local, peer } = stream;
    const paced = isPaced(shape);
    const pacer = paced ? new RatePacer(shape, cryptoRandom, performance.now()) : null;
    const cover = paced
      ? new Cover({
          local,
          peer,
          packetBytes: shape.packetBytes,
          packetsPerS: slotsPerSecond(shape),
          onFault: (fault) => this.#say({ kind: 'fault', minor, fault }),
        })
      : null;
    this.#streams.set(minor, { stream, pacer, cover });
    if (!paced) {
      this.#writeTc(renderClassChange(minor, classBytesPerSecond(shape), shape.packetBytes));
    }
    try {
      await cover?.open();
    } catch (error) {
      this.#say({ kind: 'fault', minor, fault: unsentFault(error as Error) });
    }
    old?.cover?.close();
  }

  #restartTc(): void {
    // tc remembers a netdev's index by its name; one made anew needs a new tc.
    this.#tc?.stdin.end();
    const child = spawn('tc', ['-s', '-force', '-batch', '-'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: systemEnvironment(),
    });
    const splitter = new LineSplitter();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.#tc !== child) return;
      for (const line of splitter.push(text)) this.#listing.push(line);
    });
    child.stderr.resume();
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      const fault = notice('command-failed', { command: 'tc', error: error.message });
      this.#say({ kind: 'fault', minor: 0, fault });
    });
    child.on('exit', () => {
      if (this.#tc === child) this.#tc = null;
    });
    this.#listing.take();
    this.#asked = null;
    this.#tc = child;
  }

  #writeTc(line: string): void {
    this.#tc?.stdin.write(line);
  }

  #pace(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const nowMs = performance.now();
    let text = '';
    let dueMs = Number.POSITIVE_INFINITY;
    for (const [minor, { pacer, stream }] of this.#streams) {
      if (!pacer) continue;
      const bytesPerSecond = pacer.step(nowMs);
      if (bytesPerSecond !== null) {
        text += renderClassChange(minor, bytesPerSecond, stream.shape.packetBytes);
      }
      dueMs = Math.min(dueMs, pacer.dueMs);
    }
    if (text !== '') this.#writeTc(text);
    if (dueMs < Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.#pace(), Math.max(0, dueMs - performance.now()));
    }
  }

  #report(): void {
    const listing = this.#listing.take();
    this.#say({
      kind: 'report',
      listing: this.#asked ? listing : null,
      minors: this.#asked ?? [],
    });
    this.#asked = this.#streams.size === 0 ? null : [...this.#streams.keys()];
    if (!this.#asked) return;
    this.#writeTc(`class show dev ${TUNNEL_NETDEV}\nqdisc show dev ${TUNNEL_NETDEV}\n`);
    // Constant intervals are only touched when the last count asked for it.
    this.#pace();
  }

  #stop(): void {
    clearInterval(this.#reporter);
    if (this.#timer) clearTimeout(this.#timer);
    for (const { cover } of this.#streams.values()) cover?.close();
    this.#streams.clear();
    this.#tc?.stdin.end();
    this.#tc = null;
    this.#port.close();
  }
}

if (!isMainThread && workerData?.role === SHAPER_ROLE && parentPort) new ShaperThread(parentPort);

/** Address from which a worker of this thread is started. */
export const SHAPER_THREAD_URL = new URL(import.meta.url);
