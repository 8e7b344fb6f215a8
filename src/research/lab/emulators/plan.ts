// What an emulated device does: timed exchanges with its cloud and the events its owner would recognise.

import type { Random } from '../../../core/random/random.ts';
import type { DeviceId, HouseDevice } from '../../devices/catalogue.ts';

/** One message to a cloud server, and what the server sends back. */
export interface Exchange {
  /** Seconds after the run's start. */
  atS: number;
  device: HouseDevice;
  protocol: 'tcp' | 'udp';
  /** DNS name of the server, looked up first. */
  name: string;
  port: number;
  /** Application bytes, at least {@link MIN_MESSAGE_BYTES}; a UDP message fits in one datagram. */
  upBytes: number;
  /** Application bytes of the answer; 0 = none. The server cuts UDP answers into datagrams. */
  downBytes: number;
}

/** Something that happened at home, of the kind an observer must not learn. */
export interface PlannedEvent {
  atS: number;
  device: HouseDevice;
  event: string;
}

/** A stretch of time in which the device is in use. */
export interface Activity {
  startS: number;
  endS: number;
}

export interface DevicePlan {
  exchanges: Exchange[];
  events: PlannedEvent[];
  activities: Activity[];
}

/** One device's behaviour, from the rates and traffic descriptions of Apthorpe et al. 2017. */
export interface Emulator {
  device: DeviceId;
  /** Peak rate while active, the paper's Figure 9. */
  peak: { upKBps: number; downKBps: number };
  /** What the owner would call the things that happen, in the order in which they happen. */
  events: readonly string[];
  /** How long one use lasts. */
  activeS: { min: number; max: number };
  /** Mean pause between two uses in a run of a minute; longer runs stretch it. */
  pauseS: number;
  /** What it says unasked: sparse and small. */
  heartbeat(random: Random, durationS: number): Exchange[];
  /** One use, from `startS` for `lengthS` seconds, whatever length is asked. */
  activity(random: Random, startS: number, lengthS: number): Exchange[];
}

/** A message carries at least its header. */
export const MIN_MESSAGE_BYTES = 16;

/** Uniform in [min, max). */
export function between(random: Random, min: number, max: number): number {
  return min + (max - min) * random();
}

/** `bytes` changed by up to `share` either way, a whole number. */
export function about(random: Random, bytes: number, share = 0.2): number {
  return Math.max(MIN_MESSAGE_BYTES, Math.round(bytes * between(random, 1 - share, 1 + share)));
}

/** Times in [fromS, toS), some `everyS` apart, each late by up to a fifth of that. */
export function ticks(random: Random, fromS: number, toS: number, everyS: number): number[] {
  const times: number[] = [];
  for (let atS = fromS; atS < toS; atS += everyS) {
    const lateS = atS + between(random, 0, 0.2) * everyS;
    if (lateS < toS) times.push(lateS);
  }
  return times;
}
