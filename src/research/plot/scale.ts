// Scales and ticks of axes.

/** Maps values to pixels. */
export interface Scale {
  /** Pixel of a value. */
  at: (value: number) => number;
  ticks: number[];
  /** A tick's text. */
  format: (tick: number) => string;
}

export interface ScaleOptions {
  from: number;
  to: number;
  fromPixel: number;
  toPixel: number;
  /** About how many ticks. */
  count: number;
  log?: boolean;
}

/** Makes a linear or logarithmic scale with ticks at round values. A logarithmic one needs `from` > 0. */
export function makeScale(options: ScaleOptions): Scale {
  const { from, to, fromPixel, toPixel, count, log } = options;
  const measure = log ? Math.log10 : (value: number) => value;
  const start = measure(from);
  const span = measure(to) - start || 1;
  const ticks = log ? logTicks(from, to, count) : linearTicks(from, to, count);
  return {
    at: (value) => fromPixel + ((measure(value) - start) / span) * (toPixel - fromPixel),
    ticks,
    format: log ? formatNumber : formatterFor(ticks),
  };
}

/** Round values (1, 2, 2.5 or 5 times a power of ten apart) from `from` to `to`. */
export function linearTicks(from: number, to: number, count: number): number[] {
  const step = niceStep((to - from) / Math.max(count, 1));
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => (first + i) * step);
}

/** The round number nearest above `step`. */
export function niceStep(step: number): number {
  if (!(step > 0) || !Number.isFinite(step)) return 1;
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= step * (1 - 1e-9))!;
  return factor * power;
}

function logTicks(from: number, to: number, count: number): number[] {
  const decades = Math.log10(to / from);
  const factors = decades * 3 <= count * 1.5 ? [1, 2, 5] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks;
}

/** Text for ticks of one axis: as many decimals as tell them apart. */
function formatterFor(ticks: number[]): (tick: number) => string {
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : Math.abs(ticks[0] ?? 1) || 1;
  let decimals = 0;
  while (decimals < 9 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6)
    decimals++;
  return (tick) => groupThousands(tick.toFixed(decimals));
}

/** A number with at most three significant digits behind the point and its thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
  return groupThousands(digits);
}

function groupThousands(digits: string): string {
  const text = /^-0(\.0*)?$/.test(digits) ? digits.slice(1) : digits;
  const [whole = '', fraction] = text.replace('-', '−').split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
