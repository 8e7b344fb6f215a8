// What the two sides of the emulated traffic note down, and how the two logs become delays.
import { writeFileSync } from 'node:fs';

/** One message sent or received, at a time of the machine's monotonic clock. */
export interface LogEntry {
  /** Message's key, the same at both sides. */
  key: number;
  timeMs: number;
  bytes: number;
  device: string;
  protocol: 'tcp' | 'udp';
}

export interface TrafficLog {
  sent: LogEntry[];
  received: LogEntry[];
  /** What went wrong, in words. */
  faults: string[];
}

/** One message's way. */
export interface Delay {
  /** When it was sent, unix seconds. */
  timeS: number;
  device: string;
  direction: 'up' | 'down';
  protocol: 'tcp' | 'udp';
  bytes: number;
  /** Null: it never arrived. */
  delayMs: number | null;
}

/** Milliseconds of the monotonic clock all processes of one machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Collects entries in memory and writes them once, so that logging costs the traffic nothing. */
export class TrafficRecorder {
  readonly log: TrafficLog = { sent: [], received: [], faults: [] };
  #written = false;

  sent(entry: Omit<LogEntry, 'timeMs'>): void {
    this.log.sent.push({ ...entry, timeMs: monotonicMs() });
  }

  received(entry: Omit<LogEntry, 'timeMs'>): void {
    this.log.received.push({ ...entry, timeMs: monotonicMs() });
  }

  /** Notes a fault; the same words are noted up to a hundred times. */
  fault(words: string): void {
    if (this.log.faults.length < 100) this.log.faults.push(words);
  }

  write(path: string): void {
    if (this.#written) return;
    this.#written = true;
    writeFileSync(path, JSON.stringify(this.log), { mode: 0o600 });
  }
}

/**
 * Joins what one side sent with what the other received, in the order of sending.
 * @param unixOffsetMs what to add to the monotonic clock to get unix time
 */
export function joinDelays(devices: TrafficLog, cloud: TrafficLog, unixOffsetMs: number): Delay[] {
  // The cloud knows a message's number only; whose it was, the devices' side knows.
  const owners = new Map(devices.sent.map(({ key, device }) => [Math.floor(key / 65536), device]));
  const oneWay = (sent: LogEntry[], received: LogEntry[], direction: Delay['direction']) => {
    const arrivals = new Map(received.map((entry) => [entry.key, entry.timeMs]));
    return sent.map(({ key, timeMs, bytes, device, protocol }): Delay => {
      const arrivedMs = arrivals.get(key);
      return {
        timeS: (timeMs + unixOffsetMs) / 1000,
        device: device || (owners.get(Math.floor(key / 65536)) ?? ''),
        direction,
        protocol,
        bytes,
        delayMs: arrivedMs === undefined ? null : arrivedMs - timeMs,
      };
    });
  };
  return [
    ...oneWay(devices.sent, cloud.received, 'up'),
    ...oneWay(cloud.sent, devices.received, 'down'),
  ].sort((a, b) => a.timeS - b.timeS);
}
