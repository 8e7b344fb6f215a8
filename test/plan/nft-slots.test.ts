// What an endpoint sends into the tunnel is judged by as many rules as there are sizes of slots, however many homes there are.
import test from 'ava';
import { type SlotsHome, slotsRules } from '../../src/core/plan/nft/nft-slots.ts';

const homesOf = (count: number, sizes: readonly (number | null)[]): SlotsHome[] =>
  Array.from({ length: count }, (_, at) => ({
    address: `10.213.0.${at + 2}`,
    packetBytes: sizes[at % sizes.length]!,
  }));

test('rules do not grow with homes', (t) => {
  for (const sizes of [[512], [512, 1400, null]]) {
    const few = slotsRules(0, homesOf(sizes.length, sizes));
    t.is(slotsRules(0, homesOf(253, sizes)).length, few.length);
  }
});

test('each home is in the rules of its own size alone', (t) => {
  const homes = homesOf(253, [512, 1400, null, 256]);
  const rules = slotsRules(0, homes);
  for (const { address, packetBytes } of homes) {
    const own = rules.filter((rule) => new RegExp(`[ ]${address}[ ,]`).test(rule));
    t.is(own.length, packetBytes === null ? 1 : 4, address);
    for (const rule of own) t.regex(rule, new RegExp(` meta length (<= )?${packetBytes ?? 256} `));
  }
});

test('what is no home’s slot is dropped at the end', (t) => {
  t.deepEqual(slotsRules(0, []), ['counter name stray_out drop']);
  t.is(slotsRules(0, homesOf(3, [512])).at(-1), 'counter name stray_out drop');
});
