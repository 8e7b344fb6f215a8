// Rates that real devices were content with, and rates worth choosing from.

/** One device of the paper and the lowest rates at which it behaved as its users expect, KB/s. */
export interface ToleratedRate {
  id: string;
  /** Of the product. */
  name: string;
  uploadKBps: number;
  downloadKBps: number;
}

/**
 * Figure 9 of Apthorpe et al. 2017, which gives upload and download apart. The text of its §7.3 does not agree with the
 * figure throughout.
 */
export const toleratedRates = [
  { id: 'echo', name: 'Amazon Echo', uploadKBps: 10, downloadKBps: 10 },
  { id: 'wemo-switch', name: 'Belkin WeMo Switch', uploadKBps: 5, downloadKBps: 2.5 },
  { id: 'orvibo-socket', name: 'Orvibo Smart Socket', uploadKBps: 0.25, downloadKBps: 0.25 },
  { id: 'tp-link-plug', name: 'TP-Link Smart Plug', uploadKBps: 0.5, downloadKBps: 0.5 },
  { id: 'nest-cam', name: 'Nest Security Camera', uploadKBps: 10, downloadKBps: 10 },
  { id: 'amcrest', name: 'Amcrest Security Camera', uploadKBps: 35, downloadKBps: 2.5 },
  { id: 'sense', name: 'Sense Sleep Monitor', uploadKBps: 2.5, downloadKBps: 2.5 },
] as const satisfies readonly ToleratedRate[];

/** Steps of a slider, KB/s. */
export const usefulRates: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 35, 40, 50, 60, 80, 100, 125, 150, 200, 250, 300,
  400, 500, 750, 1000,
];
