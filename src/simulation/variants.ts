// The defences a simulation compares, as data.

/**
 * - `none`: packets as devices send them
 * - `vpn`: each in a packet of an OpenVPN tunnel
 * - `padded-constant`, `padded-vit`: the paper's shaping, one packet or fragment a slot
 * - `paper`: `padded-vit` as the paper gives it: 512 bytes, intervals N(1 s, 10 ms)
 * - `packed-constant`, `packed-vit`: this product's: device packets packed into frames
 * - `stp`: stochastic traffic padding, for comparison only
 */
export const variantNames = [
  'none',
  'vpn',
  'paper',
  'padded-constant',
  'padded-vit',
  'packed-constant',
  'packed-vit',
  'stp',
] as const;

export type VariantName = (typeof variantNames)[number];

/** One defence with all its figures. */
export interface Variant {
  name: VariantName;
  /** IP packets on the tunnel, KB/s; 0 where nothing is shaped. */
  uploadKBps: number;
  downloadKBps: number;
  packetBytes: number;
  /** Standard deviation of the interval between slots, percent of its mean; 0 is constant. */
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
  uploadKBps: 40,
  downloadKBps: 40,
  packetBytes: 512,
  sdPercent: 30,
  maxDelayMs: 10_000,
};

/** Fills in what a variant's name fixes. */
export function variantOf(name: VariantName, options: VariantOptions): Variant {
  switch (name) {
    case 'none':
    case 'vpn':
      return {
        ...options,
        name,
        uploadKBps: 0,
        downloadKBps: 0,
        sdPercent: 0,
        maxDelayMs: Infinity,
      };
    case 'paper': {
      const paper = { uploadKBps: 0.512, downloadKBps: 0.512, packetBytes: 512, sdPercent: 1 };
      return { ...paper, name, maxDelayMs: Infinity };
    }
    case 'padded-constant':
    case 'stp':
      return { ...options, name, sdPercent: 0, maxDelayMs: Infinity };
    case 'padded-vit':
      return { ...options, name, maxDelayMs: Infinity };
    case 'packed-constant':
      return { ...options, name, sdPercent: 0 };
    case 'packed-vit':
      return { ...options, name };
  }
}
