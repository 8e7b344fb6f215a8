// Keys and proofs for tests: the real hash, keys that anybody may know.

import { CONTROL_KEY_BYTES, Proof } from '../../src/core/control/proof.ts';
import { hmacSha256 } from '../../src/shell/control/hmac.ts';

export const inside = {
  tunnel: '10.213.0.0/24',
  inner4: '10.214.0.0/16',
  inner6: 'fd12:3456:789a::/48',
};

export const inner = {
  prefix4: '10.214.2.0/24',
  prefix6: 'fd12:3456:789a:2::/64',
  resolver4: '10.214.0.1',
  resolver6: 'fd12:3456:789a::1',
};

export function keyOf(byte: number): Uint8Array {
  return new Uint8Array(CONTROL_KEY_BYTES).fill(byte);
}

export function proofOf(byte: number, home = '10.213.0.2'): Proof {
  return new Proof(hmacSha256, keyOf(byte), home);
}
