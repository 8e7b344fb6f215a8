// Numbers on the command line, refused with what is allowed.
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

/** Parses a whole number within bounds. */
export function wholeBetween(least: number, most: number, unit = ''): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isInteger(value) || value < least || value > most) {
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
