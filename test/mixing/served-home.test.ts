// A plan lived through queues and slots: each packet is seen behind the endpoint once, when its slot and its question allow.
import test from 'ava';
import type { Sample } from '../../src/core/capture/trace.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import type { Exchange } from '../../src/research/lab/emulators/plan.ts';
import { traceOfPlan } from '../../src/research/lab/traffic/plan-trace.ts';
import { defaultVariantOptions, variantOf } from '../../src/research/simulation/variants.ts';
import { Agenda } from './agenda.ts';
import { liveHome } from './served-home.ts';

const variant = variantOf('packed-vit', defaultVariantOptions);
const options = { seed: 1, durationS: 120, variant, endpointMs: () => 0.3 };

/** Sizes each way, in order of size. */
function sizesOf(samples: readonly Sample[]): Record<Sample['direction'], number[]> {
  const of = (way: Sample['direction']) =>
    samples
      .filter(({ direction }) => direction === way)
      .map(({ bytes }) => bytes)
      .sort((a, b) => a - b);
  return { up: of('up'), down: of('down') };
}

function question(over: Partial<Exchange> = {}): Exchange {
  return {
    ...{ atS: 1, device: 'echo', protocol: 'tcp', name: 'pindorama.amazon.com', port: 443 },
    ...{ upBytes: 100, downBytes: 3000, ...over },
  };
}

test('all packets of a plan are seen, and none besides', (t) => {
  const { exchanges } = planHousehold({ seed: 3, durationS: 60 });
  const { far, activity, dropped } = liveHome(exchanges, options);
  t.true(far.length > 500, `${far.length} packets`);
  t.deepEqual(sizesOf(far), sizesOf(traceOfPlan(exchanges)));
  t.deepEqual(sizesOf(activity), sizesOf(far));
  t.is(dropped, 0);
});

test('a question leaves behind its slot, its answer is seen a round trip later, acknowledgements after another slot', (t) => {
  const { far, tunnelS } = liveHome([question()], options);
  const seen = far.map(({ direction, bytes }) => `${direction} ${bytes}`);
  t.deepEqual(seen, ['up 152', 'down 1500', 'down 1500', 'down 156', 'up 52', 'up 52']);
  const [asked, ...answers] = far;
  t.true(asked!.timeS > 1 && asked!.timeS < 1.2, `${asked!.timeS}`);
  for (const answer of answers.slice(0, 3))
    t.true(Math.abs(answer.timeS - asked!.timeS - 0.03) < 1e-9);
  for (const { timeS } of far.filter(({ direction }) => direction === 'up'))
    t.true(tunnelS.some((slotS) => Math.abs(timeS - slotS - 0.0003) < 1e-9));
});

test('the tunnel’s packets come in when they would without any device', (t) => {
  const { exchanges } = planHousehold({ seed: 3, durationS: 60 });
  t.deepEqual(liveHome(exchanges, options).tunnelS, liveHome([], options).tunnelS);
});

test('what was given up is not taken for what came after it', (t) => {
  const burst = Array.from({ length: 40 }, (_, k) =>
    question({ protocol: 'udp', atS: 1 + k * 0.001, upBytes: 1000 + k, downBytes: 0 }),
  );
  const late = question({ protocol: 'udp', atS: 60, upBytes: 200, downBytes: 0 });
  const impatient = { ...options, variant: { ...variant, maxDelayMs: 200 } };
  const { far, dropped } = liveHome([...burst, late], impatient);
  t.true(dropped > 5 && far.length > 5, `${far.length} seen, ${dropped} given up`);
  t.is(far.length + dropped, 41);
  t.is(new Set(far.map(({ bytes }) => bytes)).size, far.length);
  t.is(far.at(-1)!.bytes, 228);
  t.true(far.at(-1)!.timeS > 60);
});

test('a device keeps a port for each server over TCP, and one for all datagrams', (t) => {
  const { far } = liveHome(
    [
      question({ downBytes: 0 }),
      question({ atS: 2, downBytes: 0 }),
      question({ atS: 3, downBytes: 0, name: 'ntp.amazon.com' }),
      question({ atS: 4, downBytes: 0, protocol: 'udp', name: 'a.example' }),
      question({ atS: 5, downBytes: 0, protocol: 'udp', name: 'b.example' }),
    ],
    options,
  );
  const up = far.filter(({ direction }) => direction === 'up');
  const [first, second, other, one, two] = up.map(({ connection }) => connection);
  t.is(first, second);
  t.not(first!.port, other!.port);
  t.is(one!.port, two!.port);
  t.not(one!.server, two!.server);
});

test('an agenda does what comes first, and of one moment what was put down first', (t) => {
  const done: string[] = [];
  const agenda = new Agenda();
  for (const [timeMs, name] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [2, 'b'],
  ] as const)
    agenda.add(timeMs, (atMs) => done.push(`${name} ${atMs}`));
  while (agenda.nextMs < Infinity) agenda.doNext();
  t.deepEqual(done, ['a 1', 'b 2', 'c 5', 'd 5']);
});
