// The page's password as it is kept: a hash that takes time and memory to try.
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** 16 MiB and some 60 ms on a small machine. */
const COST = { N: 16_384, r: 8, p: 1 } as const;
const HASH_BYTES = 32;

function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_BYTES, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** One line: how it was made, the salt, the hash. @param salt 16 bytes that nobody can guess */
export async function hashPassword(password: string, salt: Uint8Array): Promise<string> {
  const bytes = Buffer.from(salt);
  const key = await derive(password, bytes, COST);
  const { N, r, p } = COST;
  return ['scrypt', N, r, p, bytes.toString('base64'), key.toString('base64')].join('$');
}

/** Whether the line is a hash that this program can judge by. */
export function isPasswordHash(line: string): boolean {
  return /^scrypt\$16384\$8\$1\$[\w+/]{22}==\$[\w+/]{43}=$/.test(line.trim());
}

/** Whether a password is the one; false for a line that is no hash. */
export async function isPassword(password: string, line: string): Promise<boolean> {
  if (!isPasswordHash(line)) return false;
  const [salt = '', hash = ''] = line.trim().split('$').slice(4);
  const key = await derive(password, Buffer.from(salt, 'base64'), COST);
  return timingSafeEqual(key, Buffer.from(hash, 'base64'));
}
