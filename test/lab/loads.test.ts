// Loads at the edges of what a home has: as much as they say, while they are active and not a byte besides.
import test from 'ava';
import { labDevices } from '../../src/research/lab/bed/topology.ts';
import { planHousehold } from '../../src/research/lab/emulators/household.ts';
import { labelByTurns } from '../../src/research/lab/findings/stretches.ts';
import { CROWD, type Load, planLoad } from '../../src/research/lab/traffic/loads.ts';
import { drawTurns } from '../../src/research/lab/traffic/turns.ts';

const seed = 5;
const durationS = 40;
const alternateS = 5;
const ACTIVE_S = 20;
const UDP_HEADERS_BYTES = 28;

const plan = (load: Load, rateKBps = 40) =>
  planLoad({ load, seed, durationS, alternateS, rateKBps }).exchanges;

for (const load of ['tiny', 'camera', 'crowd'] as const) {
  test(`${load}: talks in active turns alone, in the order of time, from devices that the lab has`, (t) => {
    const { active } = drawTurns(seed, durationS, alternateS);
    const known = new Set<string>(labDevices(null, load === 'crowd').map(({ id }) => id));
    let beforeS = 0;
    for (const { atS, device } of plan(load)) {
      t.true(atS >= beforeS && active[Math.floor(atS / alternateS)] && known.has(device));
      beforeS = atS;
    }
    t.deepEqual(plan(load), plan(load));
  });
}

test('tiny: a thousand packets of 44 to 60 bytes a second, each answered', (t) => {
  const exchanges = plan('tiny');
  t.true(Math.abs(exchanges.length / ACTIVE_S - 1000) < 10);
  const sizes = exchanges.map(({ upBytes }) => upBytes + UDP_HEADERS_BYTES);
  t.is(Math.min(...sizes), 44);
  t.is(Math.max(...sizes), 60);
  t.true(exchanges.every(({ downBytes }) => downBytes > 0));
});

test('camera: three times the rate, whatever the rate', (t) => {
  for (const rateKBps of [40, 400]) {
    const bytes = plan('camera', rateKBps).map(({ upBytes }) => upBytes + UDP_HEADERS_BYTES);
    const kBps = bytes.reduce((sum, own) => sum + own, 0) / ACTIVE_S / 1000;
    t.true(Math.abs(kBps / rateKBps - 3) < 0.05, `${kBps} KB/s`);
  }
});

test('crowd: a hundred devices with addresses of their own, within what 40 KB/s carries', (t) => {
  const exchanges = plan('crowd');
  t.is(new Set(exchanges.map(({ device }) => device)).size, CROWD);
  const bytes = exchanges.map(({ upBytes }) => upBytes + UDP_HEADERS_BYTES);
  const kBps = bytes.reduce((sum, own) => sum + own, 0) / ACTIVE_S / 1000;
  t.true(kBps > 10 && kBps < 34, `${kBps} KB/s`);
  const devices = labDevices(null, true).filter(({ id }) => id !== 'replay');
  t.is(devices.length, CROWD);
  for (const field of ['ip', 'mac', 'netdev', 'id'] as const) {
    t.is(new Set(devices.map((device) => device[field])).size, CROWD, field);
  }
});

test('the household stays what it is; without turns a load goes on throughout', (t) => {
  const options = { seed, durationS, alternateS, rateKBps: 40 };
  t.deepEqual(planLoad({ ...options, load: 'household' }), planHousehold(options));
  const { exchanges } = planLoad({ ...options, load: 'crowd', alternateS: undefined });
  const seconds = new Set(exchanges.map(({ atS }) => Math.floor(atS)));
  t.is(seconds.size, durationS);
});

test('windows are labelled by the turn in which they begin', (t) => {
  const turns = { stretchS: 5, active: [false, true, true, false] };
  const quarters = labelByTurns(turns, { windowS: 0.25, windows: 80 });
  t.is(quarters.active, 40);
  t.deepEqual(
    [...quarters.labels],
    [...quarters.labels].map((_, w) => (w >= 20 && w < 60 ? 1 : 0)),
  );
  t.deepEqual([...labelByTurns(turns, { windowS: 5, windows: 4 }).labels], [0, 1, 1, 0]);
  t.deepEqual(
    [...labelByTurns({ ...turns, stretchS: 0.3 }, { windowS: 0.1, windows: 12 }).labels],
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0],
  );
});
