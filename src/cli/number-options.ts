// Numbers on the command line, refused with what is allowed.
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
