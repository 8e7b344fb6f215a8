// The defences a simulation compares, as data.
import { type Mode, modeNames, sdOf } from '../../core/pacing/modes.ts';
import { streamDefaults } from '../../core/stream/stream.ts';

/**
 * - `none`: packets as devices send them
 * - `vpn`: each in a packet of an OpenVPN tunnel
 * - `paper`: `padded-vit` as the paper gives it: 512 bytes, intervals N(1 s, 10 ms)
 * - `padded-MODE`: the paper's shaping, one packet or fragment a slot
 * - `packed-MODE`: this product's: device packets packed into frames
 * - `packed-ideal`: `packed-vit` without what building it costs: frames formed at their slots, of all that is there by then
 * - `stp`: stochastic traffic padding, for comparison only
 */
export const variantNames = [
  'none',
  'vpn',
  'paper',
  ...modeNames.map((mode) => `padded-${mode}` as const),
  ...modeNames.map((mode) => `packed-${mode}` as const),
  'packed-ideal',
  'stp',
] as const;

export type VariantName = (typeof variantNames)[number];

/** How packets meet slots: `none` and `vpn` have none. */
export type Filling = 'none' | 'vpn' | 'padded' | 'packed' | 'ideal' | 'stp';

/** One defence with all its figures. */
export interface Variant {
  name: VariantName;
  filling: Filling;
  mode: Mode;
  /** IP packets on the tunnel, KB/s; 0 where nothing is shaped. */
  uploadKBps: number;
  downloadKBps: number;
  packetBytes: number;
  /** Standard deviation of the interval between slots, percent of its mean; 0 where the mode does not vary it. */
  sdPercent: number;
  /** Longest a packet waits before it is dropped. */
  maxDelayMs: number;
}

export interface VariantOptions {
  uploadKBps: number;
  downloadKBps: number;
  packetBytes: number;
  /** For the variants with varying intervals. */
  sdPercent: number;
  /** For the packed variants; the paper's let packets wait for ever. */
  maxDelayMs: number;
}

/** The product's defaults. */
export const defaultVariantOptions: VariantOptions = {
  uploadKBps: streamDefaults.rateKBps,
  downloadKBps: streamDefaults.rateKBps,
  packetBytes: streamDefaults.packetBytes,
  sdPercent: streamDefaults.intervalSdPercent,
  maxDelayMs: streamDefaults.maxDelayMs,
};

/** Fills in what a variant's name fixes. */
export function variantOf(name: VariantName, options: VariantOptions): Variant {
  const constant = { mode: 'constant', sdPercent: 0, maxDelayMs: Infinity } as const;
  switch (name) {
    case 'none':
    case 'vpn':
      return { ...options, ...constant, name, filling: name, uploadKBps: 0, downloadKBps: 0 };
    case 'stp':
      return { ...options, ...constant, name, filling: name };
    case 'packed-ideal':
      return { ...options, name, filling: 'ideal', mode: 'vit' };
    case 'paper': {
      const paper = { uploadKBps: 0.512, downloadKBps: 0.512, packetBytes: 512, sdPercent: 1 };
      return { ...paper, name, filling: 'padded', mode: 'vit', maxDelayMs: Infinity };
    }
  }
  const [filling, mode] = name.split(/-(.*)/) as ['padded' | 'packed', Mode];
  return {
    ...options,
    name,
    filling,
    mode,
    sdPercent: sdOf(mode, options.sdPercent),
    ...(filling === 'padded' && { maxDelayMs: Infinity }),
  };
}
