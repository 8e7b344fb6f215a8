// What the control channel takes from the platform's cryptography.
import { createHmac } from 'node:crypto';
import { NONCE_BYTES } from '../../core/control/message.ts';
import type { Mac } from '../../core/control/proof.ts';
import type { System } from '../system/system.ts';

export const hmacSha256: Mac = (key, data) => createHmac('sha256', key).update(data).digest();

/** A number nobody can guess and that never comes twice, in hexadecimal. */
export function drawNonce(system: Pick<System, 'randomBytes'>): string {
  return Buffer.from(system.randomBytes(NONCE_BYTES)).toString('hex');
}
