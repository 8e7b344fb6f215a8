// Networks of a home where the tunnel's inside is are found, whichever of its ranges they are in.
import test from 'ava';
import { findTakenRanges } from '../../src/core/home/taken-ranges.ts';

const inside = {
  tunnel: '10.213.0.0/24',
  inner4: '10.214.0.0/16',
  inner6: 'fd12:3456:789a::/48',
};

for (const [prefix, range] of [
  ['10.213.0.0/25', '10.213.0.0/24'],
  ['10.213.1.0/24', null],
  ['10.214.9.0/24', '10.214.0.0/16'],
  ['10.0.0.0/8', null],
  ['192.168.1.0/24', null],
  ['fd12:3456:789a:1::/64', 'fd12:3456:789a::/48'],
  ['fd12:3456:789b::/64', null],
] as const) {
  test(`${prefix} is ${range === null ? 'nobody’s' : `within ${range}`}`, (t) => {
    const found = findTakenRanges(inside, [{ name: 'br-lan', prefixes: [prefix] }]);
    t.deepEqual(
      found.map(({ values }) => values),
      range === null ? [] : [{ prefix, netdev: 'br-lan', range }],
    );
  });
}

test('without IPv6 inside there is no range of it', (t) => {
  const prefixes = ['fd12:3456:789a:1::/64'];
  t.deepEqual(findTakenRanges({ ...inside, inner6: null }, [{ name: 'br-lan', prefixes }]), []);
});
