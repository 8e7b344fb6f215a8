// What the lab hands its own processes on standard input: one line of JSON.
import type { Exchange } from '../emulators/plan.ts';
import type { ReplayPacket } from '../traffic/replay.ts';

/** The devices' side: whose traffic, from which addresses, beginning when. */
export interface DevicesConfig {
  /** Monotonic clock. */
  startMs: number;
  devices: { id: string; ip: string }[];
  exchanges: Exchange[];
  dns: { address: string; port: number };
  replay: ReplaySide | null;
  logPath: string;
}

/** A side of a replayed capture; `packets` are those this side sends. */
export interface ReplaySide {
  /** The cloud's address and port. */
  address: string;
  port: number;
  /** Own address of the device. */
  deviceIp: string;
  packets: ReplayPacket[];
}

/** The servers' side. */
export interface ServersConfig {
  startMs: number;
  /** Addresses to listen on, and on which ports. */
  listen: { address: string; tcp: number[]; udp: number[] }[];
  dns: { address: string; port: number; answers: Record<string, string> } | null;
  /** Passes questions on, as a router's resolver does. */
  forwarder: { address: string; upstream: string } | null;
  replay: ReplaySide | null;
  logPath: string;
}

/** Reads the configuration from standard input's first line, and calls `onEnd` when the input ends. */
export function readProcessConfig<T>(onEnd: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = '';
    let parsed = false;
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk: string) => {
      if (parsed) return;
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      parsed = true;
      try {
        resolve(JSON.parse(text.slice(0, end)));
      } catch (error) {
        reject(error);
      }
      text = '';
    });
    process.stdin.on('end', onEnd);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onEnd);
  });
}
