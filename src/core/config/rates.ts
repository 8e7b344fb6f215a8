// The rate of each direction, as the options of main say it.

interface RateOptions {
  rateKBps: number;
  /** Null where a direction has no rate of its own. */
  uploadKBps: number | null;
  downloadKBps: number | null;
}

/** Each direction's own rate, else the one for both. */
export function ratesOf({ rateKBps, uploadKBps, downloadKBps }: RateOptions) {
  return { uploadKBps: uploadKBps ?? rateKBps, downloadKBps: downloadKBps ?? rateKBps };
}
