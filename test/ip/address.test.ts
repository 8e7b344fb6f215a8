// Address arithmetic against the platform's own: URL for the canonical form, BlockList for networks.
import { BlockList, isIP } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import {
  addressIn,
  formatIpv6,
  ipVersion,
  isPrivate,
  lowPart,
  networkOf,
} from '../../src/core/ip/address.ts';
import { runs } from '../property-runs.ts';

/** Bytes in which runs of zeros are common. */
const sixteen = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .chain((bytes) =>
    fc
      .array(fc.boolean(), { minLength: 8, maxLength: 8 })
      .map((zero) => bytes.map((byte, index) => (zero[index >> 1] ? 0 : byte))),
  );

/** RFC 5952 as WHATWG's URL serialises it. */
function canonical(address: string): string {
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

function groupsOf(bytes: Uint8Array): string {
  return Array.from({ length: 8 }, (_, i) =>
    Buffer.from(bytes)
      .readUInt16BE(2 * i)
      .toString(16),
  ).join(':');
}

test('IPv6 addresses are written as RFC 5952 asks', (t) => {
  fc.assert(
    fc.property(sixteen, fc.nat(20), (bytes, at) => {
      const data = new Uint8Array(at + 20);
      data.set(bytes, at);
      return formatIpv6(data, at) === canonical(groupsOf(bytes));
    }),
    { numRuns: runs(2000) },
  );
  t.is(formatIpv6(new Uint8Array(16)), '::');
});

test('a network holds its address, and begins where the platform says', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(sixteen, fc.integer({ min: 1, max: 128 }), (bytes, length) => {
        const address = canonical(groupsOf(bytes));
        const [base, written] = networkOf(address, length).split('/') as [string, string];
        const reference = bytes.map(
          (byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, length - 8 * i))),
        );
        const list = new BlockList();
        list.addSubnet(base, length, 'ipv6');
        return (
          written === `${length}` &&
          base === canonical(groupsOf(reference)) &&
          list.check(address, 'ipv6') &&
          networkOf(base, length) === networkOf(address, length)
        );
      }),
      { numRuns: runs(1000) },
    ),
  );
});

test('IPv6 may be written in any way', (t) => {
  t.is(networkOf('FD12:0034:0000:0002::1', 64), 'fd12:34:0:2::/64');
  t.is(networkOf('0:0:0:0:0:0:0:1', 128), '::1/128');
  t.is(networkOf('::', 64), '::/64');
  t.is(networkOf('fd00::', 8), 'fd00::/8');
});

test('IPv4 networks', (t) => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), (address, length) => {
      const [base, written] = networkOf(address, length).split('/') as [string, string];
      const list = new BlockList();
      list.addSubnet(base, length, 'ipv4');
      const value = (text: string) =>
        text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
      return (
        written === `${length}` &&
        list.check(address, 'ipv4') &&
        value(base) % 2 ** (32 - length) === 0 &&
        value(address) - value(base) < 2 ** (32 - length)
      );
    }),
    { numRuns: runs(1000) },
  );
  t.is(networkOf('255.255.255.255', 32), '255.255.255.255/32');
  t.is(networkOf('192.168.1.50', 0), '0.0.0.0/0');
});

test('the part that translation keeps does not depend on how an address is written', (t) => {
  t.is(lowPart('192.168.1.50'), lowPart('10.214.2.50'));
  t.not(lowPart('192.168.1.50'), lowPart('192.168.1.51'));
  t.is(lowPart('fd00:1::1'), lowPart('fd12:3456:789a:2::1'));
  t.is(lowPart('2001:db8::1:2:3:4'), lowPart('fd12:3456:789a:2:1:2:3:4'));
  t.not(lowPart('fd00::1'), lowPart('fd00::1:0:0:1'));
  t.not(lowPart('::50'), lowPart('1.2.3.50'));
});

test('an address is its prefix and its low part', (t) => {
  t.is(addressIn('10.214.2.0/24', lowPart('192.168.1.50')), '10.214.2.50');
  t.is(
    addressIn('fd12:3456:789a:2::/64', lowPart('2001:db8::1:2:3:4')),
    'fd12:3456:789a:2:1:2:3:4',
  );
  t.is(addressIn('fd00::/64', '::fe'), 'fd00::fe');
});

test('private addresses are those of RFC 1918 and RFC 4193', (t) => {
  const reference = new BlockList();
  for (const [base, length] of [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const)
    reference.addSubnet(base, length, 'ipv4');
  reference.addSubnet('fc00::', 7, 'ipv6');
  const near = fc.tuple(
    fc.constantFrom(9, 10, 11, 172, 192),
    fc.constantFrom(0, 15, 16, 31, 32, 167, 168, 169),
    fc.nat(255),
    fc.nat(255),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        near.map((bytes) => bytes.join('.')),
      ),
      (address) => isPrivate(address) === reference.check(address, 'ipv4'),
    ),
  );
  const six = fc.oneof(
    sixteen.map((bytes) => canonical(groupsOf(bytes))),
    fc.constantFrom(
      'fc::1',
      'fc0::',
      'fd0::1',
      'fd::1',
      'fc00::1',
      'fdff::',
      'fe00::1',
      'fbff::1',
      '::',
      '::fd00',
    ),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(six, (address) => isPrivate(address) === reference.check(address, 'ipv6')),
    ),
  );
});

test('an address is one where the platform takes it for one', (t) => {
  const texts = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[0-9a-f:.]{0,24}$/),
    fc.tuple(fc.ipV6(), fc.ipV4()).map(([six, four]) => `${six.slice(0, 20)}:${four}`),
    fc.constantFrom(
      '::',
      '1::',
      '::1.2.3.4',
      '1:2:3:4:5:6:7::',
      '1:2:3:4:5:6:1.2.3.4',
      '01.2.3.4',
      '1.2.3',
      '',
    ),
  );
  t.notThrows(() =>
    fc.assert(
      fc.property(texts, (text) => ipVersion(text) === isIP(text)),
      { numRuns: runs(3000) },
    ),
  );
});
