// What the lab hands its own processes on standard input: one line of JSON.
import type { Activity, Exchange } from '../emulators/plan.ts';
import type { ReplayPacket } from '../traffic/replay.ts';

/** The devices' side: whose traffic, from which addresses, beginning when. */
export interface DevicesConfig {
  /** Monotonic clock. */
  startMs: number;
  devices: { id: string; ip: string }[];
  exchanges: Exchange[];
  /** Whom to ask for names, and how long an answer is kept; left out: as most devices do. */
  dns: { address: string; port: number; cacheMs?: number };
  replay: ReplaySide | null;
  logPath: string;
}

/** The other program of the router: when it begins to count, and when it is busy. */
export interface LoopsConfig {
  startMs: number;
  activities: readonly Activity[];
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
      if (!chunk.includes('\n')) return;
      const end = text.indexOf('\n');
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
