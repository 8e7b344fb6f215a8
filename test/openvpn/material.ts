// What spellings of a profile are made from, for tests without a network.
import { readFileSync } from 'node:fs';
import type { Material } from './spellings.ts';

const read = (name: string): string => readFileSync(`test/fixtures/openvpn/${name}`, 'utf8');

export const material: Material = {
  text: read('home.ovpn'),
  otherKey: read('other.key'),
  authority: read('authority.crt'),
  host4: '192.0.2.1',
  host6: '2001:db8::1',
};
