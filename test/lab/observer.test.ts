// The strongest observer on runs of the lab: figures side by side, and beyond a placebo.
import test from 'ava';
import { seededRandom } from '../../src/core/random/random.ts';
import { labDevices } from '../../src/research/lab/bed/topology.ts';
import {
  observeActivity,
  observeNext,
  observeRun,
  renderObserver,
} from '../../src/research/lab/findings/observer.ts';
import { drawTurns } from '../../src/research/lab/traffic/turns.ts';

const [startS, endS] = [1000, 1240];

/** Four minutes of a steady stream, with `extra` packets a second while the first device talks. */
function run(extra: number, seed: number) {
  const random = seededRandom(seed);
  const { ip } = labDevices()[0]!;
  const home = [];
  const up = [];
  const down = [];
  for (let second = startS; second < endS; second++) {
    const talks = random() < 0.4;
    if (talks) home.push({ timeS: second + random(), bytes: 90, ip, direction: 'up' as const });
    const packets = 20 + Math.floor(random() * 4) + (talks ? extra : 0);
    for (let k = 0; k < packets; k++) up.push({ timeS: second + random(), bytes: 564 });
    for (let k = 0; k < 20; k++) down.push({ timeS: second + random(), bytes: 564 });
  }
  const byTime = (a: { timeS: number }, b: { timeS: number }) => a.timeS - b.timeS;
  const wire = { up: up.sort(byTime), down: down.sort(byTime) };
  return { startS, endS, wire, home: home.sort(byTime) };
}

const options = { windowsS: [1, 60], permutations: 299, seed: 1 };

test('what leaks is told with its device; what does not is not, and minutes are too few', (t) => {
  const [leaky] = observeRun(run(8, 1), options);
  t.true(leaky!.activity!.figures.forest!.low > 0.8);
  t.true(leaky!.activity!.forestP < 0.01 && leaky!.activity!.anyP < 0.01);
  t.is(leaky!.devices.devices[0]!.device, labDevices()[0]!.name);
  const [clean, minutes] = observeRun(run(0, 2), options);
  const { low, high } = clean!.activity!.figures.forest!;
  t.true(low < 0.5 && high > 0.5, `${low} to ${high}`);
  t.true(clean!.activity!.forestP > 0.05 && clean!.activity!.anyP > 0.05);
  t.is(minutes!.windows, 4);
  t.is(minutes!.activity, null);
});

test('devices that are active by turns are judged by these, not by what reached them', (t) => {
  const turns = drawTurns(1, endS - startS, 5);
  const leaky = run(0, 3);
  const extra = turns.active.flatMap((active, k) =>
    active ? Array.from({ length: 40 }, (_, i) => startS + 5 * k + i / 8) : [],
  );
  const up = [...leaky.wire.up, ...extra.map((timeS) => ({ timeS, bytes: 564 }))].sort(
    (a, b) => a.timeS - b.timeS,
  );
  const wire = { ...leaky.wire, up };
  const told = (by: typeof turns | null) =>
    observeActivity({ ...leaky, wire, turns: by }, options)[0]!.activity!;
  t.is(told(turns).figures.active, 120);
  t.true(told(turns).figures.forest!.low > 0.8 && told(turns).forestP < 0.01);
  t.true(told(null).forestP > 0.01);
});

test('runs stand side by side; beside a placebo, with what is beyond it', (t) => {
  const leaky = run(8, 1);
  const next = observeNext(leaky, leaky.home, 1);
  const answers = leaky.home.map(({ timeS }) => ({ timeS, direction: 'down' as const }));
  t.deepEqual(observeNext(leaky, answers, 1), { up: null, down: null });
  const vit = { name: 'vit', windows: observeRun(leaky, options), next };
  const placebo = { name: 'placebo', windows: observeRun(run(0, 2), options) };
  const table = renderObserver([vit, placebo]);
  t.regex(table, /^window +vit +placebo\n-+\n/);
  t.regex(table, /1 s +beyond the placebo’s \(95 %\) +\+0\.\d\d \(\+0\.\d\d to \+0\.\d\d\) +–/);
  t.regex(table, /60 s +windows active\/idle +too few +too few/);
  t.regex(
    table,
    /next +interval after a message, up: gap \(95 % of chance\) +0\.\d{3} \(0\.\d{3}\) +–\n/,
  );
  t.regex(table, /interval after a message, down/);
  t.notRegex(renderObserver([vit]), /placebo’s/);
});
