// The receiving end of the tunnel: datagrams in, whole device packets out, in order.

import { isFrame } from './frame.ts';
import { Reassembler, type ReassemblerStats } from './reassembler.ts';
import { Sequencer, type SequencerStats } from './sequencer.ts';

export interface UnpackerOptions {
  /** Larger device packets are refused; default 1500. */
  maxPacketBytes?: number;
  /** How many later frames a missing one is waited for; default 4. */
  reorderFrames?: number;
  /** How long a missing frame is waited for; default 100. */
  reorderMs?: number;
  /** Takes each packet as it is completed; push and flush then return empty arrays. */
  emit?: (packet: Uint8Array) => void;
}

export interface UnpackerStats extends SequencerStats, ReassemblerStats {
  /** Datagrams pushed, whatever they were. */
  frames: number;
}

/**
 * Unpacks frames of a {@link Packer}: any size, in any order, with loss, duplicates, garbage and
 * restarts of the sender. Packets given out are copies that stay valid; so may the pushed
 * datagram's buffer be reused. What is detected and what not: see {@link Reassembler}.
 */
export class Unpacker {
  readonly #sequencer: Sequencer;
  readonly #reassembler: Reassembler;
  #packets: Uint8Array[] = [];
  #frames = 0;
  #damagedFrames = 0;

  constructor(options: UnpackerOptions = {}) {
    const { maxPacketBytes = 1500, reorderFrames = 4, reorderMs = 100 } = options;
    const emit = options.emit ?? ((packet: Uint8Array) => void this.#packets.push(packet));
    const reassembler = new Reassembler(maxPacketBytes, emit);
    this.#reassembler = reassembler;
    this.#sequencer = new Sequencer({
      reorderFrames,
      reorderMs,
      deliver: (frame) => reassembler.read(frame),
      deliverFuller: (frame) => reassembler.readOn(frame),
      skip: () => reassembler.skip(),
    });
  }

  /** A snapshot; `damaged` counts datagrams that are no frames, and contradictions within frames. */
  get stats(): UnpackerStats {
    const { stats } = this.#reassembler;
    const damaged = stats.damaged + this.#damagedFrames;
    return { frames: this.#frames, ...this.#sequencer.stats, ...stats, damaged };
  }

  /** Takes one datagram; returns the packets it completes, in order. */
  push(frame: Uint8Array, nowMs: number): Uint8Array[] {
    this.#frames += 1;
    if (isFrame(frame)) {
      this.#sequencer.push(frame, nowMs);
    } else {
      this.#damagedFrames += 1;
      this.#sequencer.flush(nowMs);
    }
    return this.#takePackets();
  }

  /** Gives up frames waited for too long; returns the packets this releases, in order. */
  flush(nowMs: number): Uint8Array[] {
    this.#sequencer.flush(nowMs);
    return this.#takePackets();
  }

  /** When to call {@link flush} next, on the clock of `nowMs`; null when nothing is waited for. */
  nextDeadlineMs(): number | null {
    return this.#sequencer.nextDeadlineMs();
  }

  #takePackets(): Uint8Array[] {
    const packets = this.#packets;
    if (packets.length > 0) this.#packets = [];
    return packets;
  }
}
