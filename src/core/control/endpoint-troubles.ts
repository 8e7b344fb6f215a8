// What an endpoint tells a home in a welcome, each as one bit: why devices may get nothing, now or soon.

/** By their bits, from the lowest, eight at most; added at the end, for older homes read them too. */
export const endpointTroubles = [
  /** Rules of others drop what homes send to the Internet. */
  'forward',
  /** Rules of others drop what the Internet answers. */
  'answers',
  /** Rules of others drop what homes ask the resolver. */
  'names',
  /** The resolver can't have its port. */
  'resolver',
  /** Two machines use the profile of this home at once. */
  'shared',
  /** This one took over from another, and is not to be in a hurry to take over again. */
  'later',
  /** Most of the data that this home may have in this month is used. */
  'month',
] as const;

export type EndpointTrouble = (typeof endpointTroubles)[number];

export function encodeTroubles(troubles: readonly EndpointTrouble[]): number {
  return endpointTroubles.reduce(
    (bits, name, index) => bits + (troubles.includes(name) ? 2 ** index : 0),
    0,
  );
}

/** Bits that a newer endpoint knows are left out. */
export function decodeTroubles(bits: number): EndpointTrouble[] {
  return endpointTroubles.filter((_name, index) => Math.floor(bits / 2 ** index) % 2 === 1);
}
