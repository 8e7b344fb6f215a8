// Up to which rate intervals are held, by how late timers are, and how that is measured.
import test from 'ava';
import { ALWAYS_HELD_KBPS, topRateKBps } from '../../src/core/pacing/top-rate.ts';
import { measureLateness } from '../../src/shell/machine/lateness.ts';
import { nodeSystem } from '../../src/shell/system/node/node-system.ts';

const usual = { packetBytes: 512, sdPercent: 30 };

const rows: [late: number, stream: typeof usual, most: number][] = [
  [0, usual, 2560],
  [0.0118, usual, 1830],
  [0.0332, usual, 1210],
  [0.1, usual, 590],
  [0.0118, { packetBytes: 1400, sdPercent: 30 }, 5020],
  [0.0118, { packetBytes: 512, sdPercent: 10 }, 610],
  [0.0118, { packetBytes: 512, sdPercent: 1 }, ALWAYS_HELD_KBPS],
  [20, usual, ALWAYS_HELD_KBPS],
  [20, { packetBytes: 512, sdPercent: 0 }, Number.POSITIVE_INFINITY],
];
for (const [late, stream, most] of rows) {
  const { packetBytes, sdPercent } = stream;
  test(`timers ${late} ms late hold ${most} KB/s of ${packetBytes} bytes at ${sdPercent} %`, (t) => {
    t.is(topRateKBps(stream, late), most);
  });
}

test('what was measured on the machine whose wire was looked at tells the rate it held from the one it did not', (t) => {
  // The least and the most of hundreds of starts, at rest and beside up to eight others that computed.
  for (const late of [0.0118, 0.0332]) {
    t.true(topRateKBps(usual, late) >= 1000);
    t.true(topRateKBps(usual, late) < 2000);
  }
});

/** A machine whose sleeps are late by these, in turn, and whose kernel says this of its leave. */
function machineOf(late: (sleep: number) => number, slack: string | null) {
  let sleeps = 0;
  return {
    timers: { ...nodeSystem.timers, oversleep: () => late(sleeps++) },
    files: {
      ...nodeSystem.files,
      readNow: () => (slack === null ? null : new TextEncoder().encode(slack)),
    },
  };
}

const near = (found: number, wanted: number) => Math.abs(found - wanted) < 1e-9;

test('single pauses and busy rounds are not the machine’s lateness, and neither is the leave that the kernel has', (t) => {
  const calm = (sleep: number) => (sleep % 3 === 0 ? 5 : 0.07);
  t.true(near(measureLateness(machineOf(calm, '50000\n')), 0.02));
  t.true(near(measureLateness(machineOf(calm, '1\n')), 0.069999));
  t.true(near(measureLateness(machineOf(calm, null)), 0.02));
  const mostlyBusy = (sleep: number) => (sleep >= 60 && sleep < 90 ? 0.07 : 5);
  t.true(near(measureLateness(machineOf(mostlyBusy, null)), 0.02));
  t.true(near(measureLateness(machineOf(() => 5, null)), 4.95));
  t.is(measureLateness(machineOf(() => 0.01, null)), 0);
});

test('this machine’s own lateness is a figure by which a rate can be told', (t) => {
  const late = measureLateness(nodeSystem);
  t.true(Number.isFinite(late) && late >= 0, `${late}`);
  t.true(topRateKBps(usual, late) >= ALWAYS_HELD_KBPS);
});
