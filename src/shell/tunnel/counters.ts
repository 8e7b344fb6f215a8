// Packet counters of the tunnel netdev, read cheaply and often.
import { closeSync, openSync, readSync } from 'node:fs';

/** One counter under /sys/class/net; null while the netdev is not there. */
export class NetdevCounter {
  readonly #path: string;
  readonly #buffer = Buffer.alloc(32);
  #fd: number | null = null;

  constructor(netdev: string, counter: 'rx_packets' | 'tx_packets') {
    this.#path = `/sys/class/net/${netdev}/statistics/${counter}`;
  }

  read(): number | null {
    // A netdev made anew under the same name invalidates the open file: one more try opens the new one.
    return this.#tryRead() ?? this.#tryRead();
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #tryRead(): number | null {
    try {
      this.#fd ??= openSync(this.#path, 'r');
      const length = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, 0);
      return Number(this.#buffer.toString('latin1', 0, length));
    } catch {
      this.close();
      return null;
    }
  }
}
