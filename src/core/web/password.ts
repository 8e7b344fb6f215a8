// A password for the page: what is too weak, and one that a machine makes up.

const LEAST = 10;
const MOST = 200;
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Why a password is not taken; null where it is. */
export function findPasswordFault(password: string): string | null {
  if (password.length < LEAST) return `needs ${LEAST} characters or more`;
  if (password.length > MOST) return `has more than ${MOST} characters`;
  if (new Set(password).size < 4) return 'is too easily guessed: use more than three characters';
  return null;
}

export const PASSWORD_BYTES = 16;

/** Sixteen letters in fours, five bits each. @param bytes {@link PASSWORD_BYTES} that nobody can guess */
export function wordPassword(bytes: Uint8Array): string {
  const letters = [...bytes].map((byte) => LETTERS[byte % LETTERS.length]);
  return [0, 4, 8, 12].map((at) => letters.slice(at, at + 4).join('')).join('-');
}
