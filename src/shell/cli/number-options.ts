// Numbers and lists on the command line, refused with what is allowed.
import { variedModes } from '../../core/pacing/modes.ts';
import { packetBounds, rateBounds, sdBounds } from '../../core/stream/stream.ts';
import { InvalidValue } from './failure.ts';

/** Parses a number within bounds. */
export function numberBetween(least: number, most: number, unit = ''): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= least && value <= most)) {
      throw new InvalidValue(`must be a number between ${least} and ${most}${unit && ` ${unit}`}.`);
    }
    return value;
  };
}

/** Parses numbers within bounds, with commas between them. */
export function numbersBetween(least: number, most: number, unit = ''): (text: string) => number[] {
  const parse = numberBetween(least, most, unit);
  return (text) => text.split(',').map(parse);
}

/** Parses words with commas between them, after those of the same option before: no option takes what stands behind it. */
export function parseList(text: string, before: readonly string[] = []): string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.includes('')) throw new InvalidValue('must be one, or several with commas.');
  return [...before, ...words];
}

/** Parses a whole number within bounds, 0 or more. */
export function wholeBetween(least: number, most: number, unit = ''): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidValue(
        `must be a whole number between ${least} and ${most}${unit && ` ${unit}`}.`,
      );
    }
    return value;
  };
}

/** Figures of a stream, within the bounds that the service keeps. */
export const parseRate = numberBetween(rateBounds.least, rateBounds.most, rateBounds.unit);
export const parsePacketBytes = wholeBetween(
  packetBounds.least,
  packetBounds.most,
  packetBounds.unit,
);
export const parseSd = numberBetween(sdBounds.least, sdBounds.most, 'percent');
export const sdHelp = `${variedModes.join(', ')}: standard deviation of the interval`;

export const parsePort = wholeBetween(1, 65_535);
/** The same seed gives the same result. */
export const parseSeed = wholeBetween(0, 2 ** 31 - 1);
