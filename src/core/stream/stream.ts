// The stream one direction is made into: its type, the bounds of its figures, and what follows from them.
import { type Mode, sdOf } from '../pacing/modes.ts';

/** What a figure may be, both ends included. */
export interface Bounds {
  least: number;
  most: number;
  unit: string;
}

export const rateBounds: Bounds = { least: 0.25, most: 10_000, unit: 'KB/s' };
export const packetBounds: Bounds = { least: 256, most: 1400, unit: 'bytes' };
/** Of intervals that vary. */
export const sdBounds: Bounds = { least: 1, most: 40, unit: '%' };

/** Encrypted slots that stand in the clock behind OpenVPN; 0 for no such clock. */
export const standingBounds: Bounds = { least: 0, most: 200, unit: 'slots' };

/** A stream's figures where nobody says otherwise. */
export const streamDefaults = {
  rateKBps: 40,
  packetBytes: 512,
  intervalSdPercent: 30,
  maxDelayMs: 10_000,
} as const;

export interface Shape {
  /** KB/s of IP packets on the tunnel (1 KB = 1000 bytes); see {@link isPaced} for 0. */
  rateKBps: number;
  packetBytes: number;
  mode: Mode;
  /** Standard deviation of the intervals between slots, percent of their mean; 0 where the mode does not vary them. */
  sdPercent: number;
}

/** Rate assumed for slots of a plain tunnel, and given to its class. */
export const PLAIN_KBPS = 12_500;

/** Whether there are slots at all: at rate 0 the tunnel is a plain one, neither paced nor covered. */
export function isPaced({ rateKBps }: Pick<Shape, 'rateKBps'>): boolean {
  return rateKBps > 0;
}

/** The shape of one direction under a configuration. */
export function shapeOf(
  { main }: { main: { packetBytes: number; mode: Mode; intervalSdPercent: number } },
  rateKBps: number,
): Shape {
  const { packetBytes, mode, intervalSdPercent } = main;
  return { rateKBps, packetBytes, mode, sdPercent: sdOf(mode, intervalSdPercent) };
}

/** Mean interval between slots of `packetBytes` at `rateKBps`, ms. */
export function slotMs(rateKBps: number, packetBytes: number): number {
  return packetBytes / rateKBps;
}

/** How long to reckon with for one slot, ms: none to wait for in a plain tunnel. */
export function waitPerSlotMs(shape: RateAndSize): number {
  return isPaced(shape) ? slotMs(shape.rateKBps, shape.packetBytes) : 0;
}

/** Slots a second; 0 for a plain tunnel. */
export function slotsPerSecond({ rateKBps, packetBytes }: RateAndSize): number {
  return (rateKBps * 1000) / packetBytes;
}

type RateAndSize = Pick<Shape, 'rateKBps' | 'packetBytes'>;

/** Whether a figure, wherever it comes from, is a number within bounds. */
export function isWithin(value: unknown, { least, most }: Bounds): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
