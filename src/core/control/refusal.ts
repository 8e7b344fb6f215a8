// Why an endpoint does not serve what a home asks for, as the home is told: one of a few codes, and two figures.
import { type Notice, notice } from '../notices/notice.ts';

/**
 * What is too much: the rate down or up (KB/s), the rate down that the server's timers hold, slots a second, data in this month (GB), or
 * slots a second beside all that the server has to send already; `other` stands for what a newer endpoint says.
 */
export const refusalCodes = ['down', 'up', 'timers', 'slots', 'month', 'full', 'other'] as const;

export type RefusalCode = (typeof refusalCodes)[number];

/** Those whose figures are KB/s. */
export const refusedRates: readonly RefusalCode[] = ['down', 'up', 'timers'];

export interface Refusal {
  code: RefusalCode;
  /** What was asked for, came, or was used. */
  asked: number;
  /** What may be. */
  allowed: number;
}

const reasons: Record<RefusalCode, (figures: Pick<Refusal, 'asked' | 'allowed'>) => Notice> = {
  down: (figures) => notice('limit-down', figures),
  up: (figures) => notice('limit-up', figures),
  timers: (figures) => notice('limit-timers', figures),
  slots: (figures) => notice('limit-slots', figures),
  month: ({ allowed }) => notice('limit-month', { allowed }),
  full: (figures) => notice('limit-full', figures),
  other: () => notice('limit-other'),
};

/** What is too much, as a clause. */
export function reasonOf({ code, asked, allowed }: Refusal): Notice {
  return reasons[code]({ asked, allowed });
}

export function encodeRefusal({ code, asked, allowed }: Refusal): [string, number, number] {
  return [code, asked, allowed];
}

/** Null for what is none. */
export function decodeRefusal([code, asked, allowed]: readonly unknown[]): Refusal | null {
  const isFigure = (value: unknown): value is number =>
    typeof value === 'number' && value >= 0 && value < 1e9;
  if (typeof code !== 'string' || !isFigure(asked) || !isFigure(allowed)) return null;
  return { code: refusalCodes.find((known) => known === code) ?? 'other', asked, allowed };
}
