// The product's queues, watched for where in the stream of frames each packet ends.
import { type DequeuedPacket, DeviceQueues } from '../framing/queues.ts';

export interface BegunPacket {
  device: string;
  arrivalMs: number;
  bytes: number;
  /** Where in the stream of frames it ends. */
  endByte: number;
}

/** The product's queues, remembering where in the stream of frames each packet ends. */
export class WatchedQueues extends DeviceQueues {
  #begun: BegunPacket[] = [];
  #streamBytes = 0;

  override dequeue(nowMs: number): DequeuedPacket | null {
    const taken = super.dequeue(nowMs);
    if (taken) {
      const bytes = taken.packet.length;
      this.#streamBytes += bytes;
      const arrivalMs = nowMs - taken.waitedMs;
      this.#begun.push({ device: taken.key, arrivalMs, bytes, endByte: this.#streamBytes });
    }
    return taken;
  }

  /** Takes the packets that lie within the first `bytes` of the stream. */
  takeEnded(bytes: number): BegunPacket[] {
    // At most one packet, the last, is still being split.
    const split = this.#begun.at(-1);
    const ended = this.#begun;
    this.#begun = [];
    if (split && split.endByte > bytes) this.#begun.push(ended.pop()!);
    return ended;
  }
}
