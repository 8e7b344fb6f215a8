// What a user of the lab is told when it cannot go on.

/** Says what is wrong and what to do; shown without a stack trace. */
export class LabError extends Error {
  override name = 'LabError';
}
