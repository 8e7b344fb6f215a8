// What an endpoint and a home say of packets that do not pass: the chain, the command, and one bit on the way between.
import test from 'ava';
import fc from 'fast-check';
import {
  decodeTroubles,
  encodeTroubles,
  endpointTroubles,
} from '../../src/core/control/endpoint-troubles.ts';
import { parseForeignChains } from '../../src/core/delivery/foreign-chains.ts';
import { noPassages, withCounts } from '../../src/core/delivery/passage.ts';
import { type EndpointPassage, judgeEndpointDelivery } from '../../src/core/endpoint/delivery.ts';
import { wordsOf } from '../../src/core/notices/words.ts';
import { endpointPassages } from '../../src/core/plan/nft/nft-endpoint-passage.ts';
import { noCounts } from '../endpoint/play.ts';

const NOW_MS = 4000;

function shutFor(...names: EndpointPassage[]) {
  let passages = noPassages(endpointPassages);
  for (let second = 0; second <= 4; second++) {
    const counts = noCounts();
    for (const name of names) counts[name] = { entered: second, left: 0 };
    passages = withCounts(passages, counts, second * 1000);
  }
  return passages;
}

const chains = parseForeignChains(`table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
`);

const rows: [EndpointPassage, code: string, bare: string, name: string | null, says: RegExp][] = [
  [
    'forward4',
    'homes-dropped-by',
    'homes-dropped',
    'forward',
    /nft insert rule ip filter FORWARD iifname "iot0" accept; nft insert rule ip filter FORWARD oifname "iot0" accept/,
  ],
  ['answer4', 'homes-answers-dropped-by', 'homes-answers-dropped', 'answers', /ip filter FORWARD/],
  [
    'names',
    'homes-names-dropped-by',
    'homes-names-dropped',
    'names',
    /run "nft insert rule ip filter INPUT iifname "iotvpn0" accept; .* iifname "iot0" accept"/,
  ],
  [
    'tunnel',
    'homes-unheard-by',
    'homes-unheard',
    null,
    /run "nft insert rule ip filter INPUT iifname "iotvpn0" accept; /,
  ],
];

for (const [passage, code, bare, name, says] of rows) {
  test(`nothing of ${passage} passing is named, with what to do`, (t) => {
    const passages = shutFor(passage);
    const [trouble, ...more] = judgeEndpointDelivery({
      nowMs: NOW_MS,
      passages,
      suspects: chains,
      resolver: null,
    });
    t.is(trouble?.notice.code, code as never);
    t.is(trouble?.name, name as never);
    t.regex(wordsOf(trouble!.notice), says);
    t.deepEqual(more, []);
    const unknown = judgeEndpointDelivery({
      nowMs: NOW_MS,
      passages,
      suspects: [],
      resolver: null,
    });
    t.is(unknown[0]?.notice.code, bare as never);
  });
}

test('both families are one trouble, and what passes is none', (t) => {
  const judge = (...names: EndpointPassage[]) =>
    judgeEndpointDelivery({
      nowMs: NOW_MS,
      passages: shutFor(...names),
      suspects: chains,
      resolver: null,
    });
  t.is(judge('forward4', 'forward6').length, 1);
  t.deepEqual(judge(), []);
});

test('troubles go as bits, and bits of newer endpoints are left out', (t) => {
  fc.assert(
    fc.property(fc.subarray([...endpointTroubles]), fc.nat(7), (names, newer) => {
      t.deepEqual(
        decodeTroubles(encodeTroubles(names) + newer * 2 ** endpointTroubles.length),
        names,
      );
    }),
  );
});
