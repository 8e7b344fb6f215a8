// Emulated devices: the same seed plans the same day, at the rates the paper gives, within what the tunnel carries.
import test from 'ava';
import { seededRandom } from '../../src/core/random/random.ts';
import { deviceCatalogue } from '../../src/research/devices/catalogue.ts';
import {
  emulators,
  planDevice,
  planHousehold,
} from '../../src/research/lab/emulators/household.ts';
import { type Exchange, MIN_MESSAGE_BYTES } from '../../src/research/lab/emulators/plan.ts';
import { MAX_DATAGRAM_BYTES } from '../../src/research/lab/traffic/message.ts';
import { drawTurns } from '../../src/research/lab/traffic/turns.ts';

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

function peakKBps(exchanges: Exchange[], which: 'upBytes' | 'downBytes', windowS: number): number {
  let peak = 0;
  for (const { atS } of exchanges) {
    const within = exchanges.filter((other) => other.atS >= atS && other.atS < atS + windowS);
    peak = Math.max(peak, sum(within.map((exchange) => exchange[which])) / windowS / 1000);
  }
  return peak;
}

test('the same options plan the same exchanges and events, another seed others', (t) => {
  const options = { seed: 7, durationS: 60 };
  t.deepEqual(planHousehold(options), planHousehold(options));
  t.notDeepEqual(planHousehold(options).events, planHousehold({ ...options, seed: 8 }).events);
});

test('every device of the catalogue is emulated and uses only names the catalogue knows', (t) => {
  t.deepEqual(
    emulators.map(({ device }) => device).sort(),
    deviceCatalogue.map(({ id }) => id).sort(),
  );
  const { exchanges } = planHousehold({ seed: 1, durationS: 120 });
  for (const { device, name } of exchanges) {
    const known = deviceCatalogue.find(({ id }) => id === device)!.dnsNames;
    t.true(known.includes(name), `${device}: ${name}`);
  }
});

test('exchanges are in order, inside the run, and fit their transport', (t) => {
  const { exchanges } = planHousehold({ seed: 3, durationS: 90 });
  exchanges.forEach((exchange, index) => {
    t.true(exchange.atS >= (exchanges[index - 1]?.atS ?? 0) && exchange.atS < 90);
    t.true(exchange.upBytes >= MIN_MESSAGE_BYTES);
    t.true(exchange.protocol === 'tcp' || exchange.upBytes <= MAX_DATAGRAM_BYTES);
  });
});

for (const emulator of emulators) {
  test(`${emulator.device}: peaks near the paper's rate and never far above it`, (t) => {
    const activity = emulator.activity(seededRandom(5), 0, 6);
    const up = peakKBps(activity, 'upBytes', 0.3);
    const down = peakKBps(activity, 'downBytes', 0.3);
    // One message fills a window of 0.3 s alone: hence the room above for devices that send little.
    t.true(up >= emulator.peak.upKBps * 0.4, `up ${up} of ${emulator.peak.upKBps} KB/s`);
    t.true(
      up <= Math.max(emulator.peak.upKBps * 2.5, 3),
      `up ${up} of ${emulator.peak.upKBps} KB/s`,
    );
    t.true(
      down <= Math.max(emulator.peak.downKBps * 2.5, 3),
      `down ${down} of ${emulator.peak.downKBps} KB/s`,
    );
  });

  test(`${emulator.device}: an event at the start of each use, silence in between but for heartbeats`, (t) => {
    const plan = planDevice(emulator, { random: seededRandom(2), durationS: 600 });
    t.true(plan.events.length >= 5);
    t.deepEqual(
      plan.events.map(({ atS }) => atS),
      plan.activities.map(({ startS }) => startS),
    );
    const bytesOf = (keep: (atS: number) => boolean) =>
      sum(
        plan.exchanges
          .filter(({ atS }) => keep(atS))
          .map(({ upBytes, downBytes }) => upBytes + downBytes),
      );
    const inUse = (atS: number) =>
      plan.activities.some(({ startS, endS }) => atS >= startS && atS <= endS);
    const usedS = sum(plan.activities.map(({ startS, endS }) => endS - startS));
    const activeRate = bytesOf(inUse) / usedS;
    const idleRate = bytesOf((atS) => !inUse(atS)) / (600 - usedS);
    t.true(activeRate > 8 * idleRate, `active ${activeRate}, idle ${idleRate} bytes a second`);
  });
}

test('all devices at once stay below what 40 KB/s carries', (t) => {
  const { exchanges } = planHousehold({ seed: 1, durationS: 120, alternateS: 3 });
  for (const which of ['upBytes', 'downBytes'] as const) {
    const kBps = sum(exchanges.map((exchange) => exchange[which])) / 60 / 1000;
    t.true(kBps > 5 && kBps < 34, `${which}: ${kBps} KB/s while all are active`);
  }
});

test('alternating runs are silent in one of every two stretches, whichever the seed draws', (t) => {
  const { exchanges, events } = planHousehold({ seed: 1, durationS: 60, alternateS: 1.5 });
  const { active } = drawTurns(1, 60, 1.5);
  t.true(exchanges.every(({ atS }) => active[Math.floor(atS / 1.5 + 1e-9)]));
  const firsts = active.filter((_, k) => k % 2 === 0);
  t.true(firsts.includes(true) && firsts.includes(false));
  t.true(active.every((isActive, k) => isActive !== active[k ^ 1]));
  t.notDeepEqual(drawTurns(2, 60, 1.5).active, active);
  t.is(events.length, emulators.length * 20);
});
