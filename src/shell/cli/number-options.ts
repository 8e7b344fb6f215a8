// Numbers and networks on the command line, refused with what is allowed.
import { splitPrefix } from '../../core/ip/address.ts';
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

/** One more prefix of an option that may be given several. */
export function collectPrefixes(text: string, before: readonly string[] = []): string[] {
  if (splitPrefix(text)) return [...before, text];
  throw new InvalidValue('must be a network, such as 10.213.0.0/24.');
}

export const parsePort = wholeBetween(1, 65_535);
/** The same seed gives the same result. */
export const parseSeed = wholeBetween(0, 2 ** 31 - 1);
