// Addresses of devices: the canonical form, what is refused, and which lie within which.
import { isIP } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { findNestings, parseAddressBlock } from '../../src/core/config/addresses.ts';
import { runs } from '../property-runs.ts';

const canonical = test.macro({
  title: (_, text: string) => `${text} in canonical form`,
  exec(t, text: string, cidr: string, trimmed: boolean) {
    const block = parseAddressBlock(text);
    t.like(block, { cidr, trimmed });
    t.is(parseAddressBlock(cidr)?.cidr, cidr);
  },
});

test(canonical, '192.168.1.50', '192.168.1.50/32', false);
test(canonical, '192.168.1.50/24', '192.168.1.0/24', true);
test(canonical, '10.0.0.0/8', '10.0.0.0/8', false);
test(canonical, '2001:DB8:0:0:0:0:0:1', '2001:db8::1/128', false);
test(canonical, 'fd00:0:0:1::5/64', 'fd00:0:0:1::/64', true);
test(canonical, '::1', '::1/128', false);
test(canonical, '::ffff:0102:0304', '::ffff:102:304/128', false);

test('any address the system knows is a block of that one address', (t) => {
  const mixed = /:.*\./;
  const address = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => !mixed.test(text));
  fc.assert(
    fc.property(address, (text) => {
      const block = parseAddressBlock(text);
      t.is(block?.family, isIP(text) as 4 | 6);
      t.is(block?.first, block?.last);
      t.is(parseAddressBlock(block?.cidr ?? '')?.first, block?.first);
    }),
    { numRuns: runs(300) },
  );
});

test('nestings are those found by comparing every pair', (t) => {
  // Few addresses, so that many nest.
  const block = fc
    .tuple(fc.constantFrom('10.0.0.', 'fd00::'), fc.nat(15), fc.integer({ min: 28, max: 32 }))
    .map(([start, last, bits]) => {
      const text = start.includes(':')
        ? `${start}${last.toString(16)}/${bits + 96}`
        : `${start}${last}/${bits}`;
      return parseAddressBlock(text) as NonNullable<ReturnType<typeof parseAddressBlock>>;
    });
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), (blocks) => {
      const nestings = findNestings(blocks);
      for (const { outer, inner } of nestings)
        t.true(
          outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last,
        );
      const inner = new Set(nestings.map((nesting) => nesting.inner));
      const free = blocks.filter((one) => !inner.has(one));
      const meet = free.some((a) =>
        free.some(
          (b) => a !== b && a.family === b.family && a.first <= b.last && b.first <= a.last,
        ),
      );
      t.false(meet);
    }),
    { numRuns: runs(300) },
  );
});
