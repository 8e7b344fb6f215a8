// How much of the streams gets through, over a minute, at both ends: a line too slow for the rate shows there alone. Pure.
import { RECEIVED_WRAPS } from '../../control/message.ts';
import { type Notice, notice } from '../../notices/notice.ts';
import { isPaced, type Shape, slotsPerSecond } from '../../stream/stream.ts';
import { SlotMeter } from '../slot-meter.ts';

export const SHORTFALL_WINDOW_MS = 58_000;
/** What the line carries now, not what it carried on its way down. */
export const LATELY_MS = 15_000;
/** Fewer slots than that vary by chance. */
const FEWEST_SLOTS = 250;
const ENOUGH = 0.95;
/** From which on what was too little is enough again. */
const ENOUGH_AGAIN = 0.97;
/** Points of a percentage by which a share may vary before it is told anew. */
const SAME_PERCENT = 5;
/** What is proposed leaves the line some room. */
const ROOM = 0.95;

/** Slots that the far end says have come. A value. */
export class Arrivals {
  static readonly NONE = new Arrivals(null, 0, SlotMeter.EMPTY);
  readonly #told: number | null;
  readonly #total: number;
  readonly #meter: SlotMeter;

  private constructor(told: number | null, total: number, meter: SlotMeter) {
    this.#told = told;
    this.#total = total;
    this.#meter = meter;
  }

  /** With what a welcome told; null tells nothing. */
  with(told: number | null, nowMs: number): Arrivals {
    if (told === null) return Arrivals.NONE;
    const before = this.#told ?? told;
    const more = (told - before + RECEIVED_WRAPS) % RECEIVED_WRAPS;
    // A count that went back is one made anew, not one that has come round.
    if (more > RECEIVED_WRAPS / 2) return Arrivals.NONE.with(told, nowMs);
    const total = this.#total + more;
    return new Arrivals(told, total, this.#meter.with(total, nowMs));
  }

  perSecond(windowMs: number): number | null {
    return this.#meter.perSecond(windowMs);
  }
}

/** One direction over the last minute. */
export interface Passing {
  shape: Shape;
  /** Slots a second where they leave and where they come, as far as each is known. */
  perSecond: readonly (number | null)[];
  /** The same over the last {@link LATELY_MS}. */
  latelyPerSecond: readonly (number | null)[];
}

/** Share of the slots asked that get through, 0…1; null while that is not known. */
export function shareOf(shape: Shape, perSecond: readonly (number | null)[]): number | null {
  const asked = slotsPerSecond(shape);
  if (!isPaced(shape) || (asked * SHORTFALL_WINDOW_MS) / 1000 < FEWEST_SLOTS) return null;
  const known = perSecond.filter((one) => one !== null);
  return known.length === 0 ? null : Math.min(1, ...known.map((one) => one / asked));
}

/**
 * A stream of which too little gets through, with the rate that would; null where enough does.
 *
 * @param before what was found last: said again while it is about as true, so that it does not change every second
 */
export function findShortfall(
  direction: 'up' | 'down',
  { shape, perSecond, latelyPerSecond }: Passing,
  before: readonly Notice[] = [],
): Notice | null {
  const whole = shareOf(shape, perSecond);
  const share = shareOf(shape, latelyPerSecond) ?? whole;
  if (whole === null || share === null) return null;
  const { rateKBps } = shape;
  const code = direction === 'up' ? 'upload-short' : 'download-short';
  const known = before.find((one) => one.code === code && one.values.rate === rateKBps);
  if (Math.max(whole, share) >= ENOUGH && !known) return null;
  if (share >= ENOUGH_AGAIN) return null;
  if (known && Math.abs(Number(known.values.percent) - share * 100) <= SAME_PERCENT) return known;
  const fits = round(rateKBps * share * ROOM);
  const option = direction === 'up' ? 'upload_rate' : 'download_rate';
  const command = `uci set iotshaper.main.${option}=${fits}; uci commit iotshaper; reload_config`;
  const values = { percent: Math.floor(share * 100), rate: rateKBps, fits, command };
  return notice(code, values);
}

/** Down to two figures. */
function round(rateKBps: number): number {
  const unit = 10 ** (Math.floor(Math.log10(Math.max(rateKBps, 0.25))) - 1);
  return Number(Math.max(0.25, Math.floor(rateKBps / unit) * unit).toPrecision(2));
}
